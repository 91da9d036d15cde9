// Work in the background: begun whenever there may be some, one at a time until nothing is left, and taken up again after a fault of the store.
import type { Clock, Timer } from "./clock.js";
import type { Log } from "./log.js";

export interface ErrandPorts {
  readonly clock: Clock;
  readonly log: Log;
}

export interface ErrandTerms {
  /** The event that is logged when it meets a fault. */
  readonly event: string;
  /** When it is taken up again, in ms. */
  readonly retryMs: number;
  /**
   * Does what there is to do, as long as `goesOn` says so. False: some of it could not be done. What is asked for meanwhile is looked for
   * again by itself.
   */
  readonly work: (goesOn: () => boolean) => Promise<boolean>;
}

export class Errand {
  readonly #ports: ErrandPorts;
  readonly #terms: ErrandTerms;
  #stopped = false;
  #underway: Promise<boolean> | undefined;
  /** There may be more than the work under way has seen. */
  #asked = false;
  #timer: Timer | undefined;

  constructor(ports: ErrandPorts, terms: ErrandTerms) {
    this.#ports = ports;
    this.#terms = terms;
  }

  /** Goes to work, if it is not at work already. */
  begin(): void {
    this.finished().then(
      (isDone) => {
        if (!isDone) this.#again();
      },
      (err: unknown) => {
        this.#ports.log.warn({ ev: this.#terms.event, err });
        this.#again();
      },
    );
  }

  /** Resolves when nothing is left (true), or at a stop; rejects with what the work has thrown. */
  finished(): Promise<boolean> {
    this.#asked = true;
    this.#underway ??= this.#work().finally(() => (this.#underway = undefined));
    return this.#underway;
  }

  /** Ends after what is under way; the next start goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#underway?.catch(() => undefined); // who began it is told
  }

  async #work(): Promise<boolean> {
    while (this.#asked && !this.#stopped) {
      this.#asked = false;
      if (!(await this.#terms.work(() => !this.#stopped))) return false;
    }
    return true;
  }

  #again(): void {
    this.#timer?.cancel();
    if (!this.#stopped) this.#timer = this.#ports.clock.after(this.#terms.retryMs, () => this.begin());
  }
}
