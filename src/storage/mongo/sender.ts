// Sends the layers of a batch, command by command, and goes on behind statements that fail.
import type { StoreFault } from "../port.js";
import type { Fates } from "./fates.js";
import { type Stop } from "./fates.js";
import { firstRun, type Placed, type Run } from "./layers.js";
import type { WriteCommand } from "./link.js";
import type { Answered } from "./reply.js";

export interface SenderPorts {
  send(command: WriteCommand): Promise<Answered>;
  /** Told of each fault. */
  report(fault: StoreFault): void;
  /** A running number of the log was taken already. */
  collided(): void;
}

/** How often an upsert is sent again that met another one of the same document. */
const MAX_AGAIN = 3;

export class Sender {
  readonly #ports: SenderPorts;
  readonly #fates: Fates;
  #again = 0;

  constructor(ports: SenderPorts, fates: Fates) {
    this.#ports = ports;
    this.#fates = fates;
  }

  async sendAll(layers: readonly (readonly Placed[])[]): Promise<void> {
    for (const layer of layers) {
      const stop = await this.#sendLayer(layer);
      if (stop) return this.#fates.stop(stop);
    }
  }

  async #sendLayer(layer: readonly Placed[]): Promise<Stop | undefined> {
    for (let rest = layer; ;) {
      rest = rest.filter((placed) => this.#fates.wants(placed));
      const run = firstRun(rest);
      if (run.length === 0) return undefined;
      const result = await this.#sendRun(run);
      if (typeof result === "string") return result;
      rest = rest.slice(result);
    }
  }

  /** How many statements of the run have been dealt with, or why nothing more is sent. */
  async #sendRun(run: Run): Promise<number | Stop> {
    const [first] = run;
    if (!first) return 0;
    const { collection, verb } = first.step;
    const answered = await this.#ports.send({ collection, verb, statements: run.map(({ step }) => step.statement) });
    for (const placed of run.slice(0, answered.done)) this.#finish(placed, answered);
    if ("fault" in answered) this.#ports.report(answered.fault);
    const failing = run[answered.done];
    return failing ? this.#failure(run, failing, answered) : run.length;
  }

  #finish(placed: Placed, answered: Answered): void {
    this.#again = 0;
    const missed = placed.step.guarded && answered.fate === "done" && answered.touched === 0;
    if (missed) this.#fates.fail(placed, "conflict");
    else this.#fates.done(placed);
  }

  #failure(run: Run, failing: Placed, { fate, done, ...answered }: Answered): number | Stop | Promise<number | Stop> {
    switch (fate) {
      case "done":
        return run.length;
      case "duplicate":
        return this.#duplicate(failing, done, "index" in answered ? answered.index : "");
      case "refused":
        this.#fates.fail(failing, "refused");
        return done + 1;
      case "oversized":
        return this.#oneByOne(run);
      case "unsent":
        return "unsent";
      case "unknown":
        for (const placed of run.slice(done)) this.#fates.doubt(placed);
        return "unknown";
    }
  }

  #duplicate(failing: Placed, done: number, index: string): number | Stop {
    if (failing.step.collection === "log" && index === "_id") {
      this.#ports.collided();
      return "unknown";
    }
    if (failing.step.duplicate === "again" && this.#again++ < MAX_AGAIN) return done;
    if (failing.step.duplicate === "done") this.#fates.done(failing);
    else this.#fates.fail(failing, failing.step.duplicate === "conflict" ? "conflict" : "refused");
    return done + 1;
  }

  /** A statement is too large to be sent at all, and nobody said which. */
  async #oneByOne(run: Run): Promise<number | Stop> {
    for (let at = 0; at < run.length && run.length > 1;) {
      const placed = run[at];
      const result = placed && this.#fates.wants(placed) ? await this.#sendRun([placed]) : 1;
      if (typeof result === "string") return result;
      at += result;
    }
    const [only] = run;
    if (only && run.length === 1) this.#fates.fail(only, "refused");
    return run.length;
  }
}
