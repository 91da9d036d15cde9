// What erased accounts leave in the store is taken out in short slices, between which commits go on: after each erasure, and after a
// start, as a crash may have come in between. Nothing shows it any more from the erasure itself on.
import type { Storage } from "../storage/port.js";
import type { Clock, Timer } from "./clock.js";
import type { Log } from "./log.js";

export interface ErasuresPorts {
  readonly storage: Pick<Storage, "discard">;
  readonly clock: Clock;
  readonly log: Log;
}

/** After a fault of the store: of a full one, this is what makes room again. */
const RETRY_MS = 10_000;

export class Erasures {
  readonly #ports: ErasuresPorts;
  #stopped = false;
  #underway: Promise<void> | undefined;
  /** Something may have been erased since the store was asked. */
  #asked = false;
  #timer: Timer | undefined;

  constructor(ports: ErasuresPorts) {
    this.#ports = ports;
  }

  /** Goes to work, if it is not at work already. */
  begin(): void {
    this.finished().catch((err: unknown) => {
      this.#ports.log.warn({ ev: "erasure.unfinished", err });
      this.#timer?.cancel();
      if (!this.#stopped) this.#timer = this.#ports.clock.after(RETRY_MS, () => this.begin());
    });
  }

  /** Resolves when nothing is left, or at a stop; rejects with a StoreFault. */
  finished(): Promise<void> {
    this.#asked = true;
    this.#underway ??= this.#work().finally(() => (this.#underway = undefined));
    return this.#underway;
  }

  /** Ends after the slice under way; the next start goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#underway?.catch(() => undefined); // who began it is told
  }

  async #work(): Promise<void> {
    while (this.#asked && !this.#stopped) {
      this.#asked = false;
      await this.#discardAll();
    }
  }

  async #discardAll(): Promise<void> {
    while (!this.#stopped && (await this.#ports.storage.discard()));
  }
}
