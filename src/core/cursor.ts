// The delivery cursor (rulings 2): entries whose copy has reached a device are no longer pending. Collected, and written in batches.
import type { Append } from "./flow.js";
import type { Committer } from "./committer.js";
import type { Log } from "./log.js";

export class Cursor {
  readonly #committer: Committer;
  readonly #log: Log;
  #settled = new Map<string, number[]>();

  constructor(committer: Committer, log: Log) {
    this.#committer = committer;
    this.#log = log;
  }

  /** The entry has been delivered. */
  delivered({ owner, id }: Pick<Append, "owner" | "id">): void {
    const ids = this.#settled.get(owner);
    if (ids) ids.push(id);
    else this.#settled.set(owner, [id]);
    if (!ids && this.#settled.size === 1) queueMicrotask(() => this.flush());
  }

  /**
   * Hands what has been collected to the committer. A cursor that could not be written only means that a message is delivered
   * twice: it is logged, not retried.
   */
  flush(): void {
    if (this.#settled.size === 0) return;
    const settled = this.#settled;
    this.#settled = new Map();
    const writes = [...settled].map(([owner, ids]) => ({ op: "settle", owner, ids }) as const);
    void this.#committer.commit(writes).then((outcome) => {
      if (outcome !== "done") this.#log.warn({ ev: "store.cursor_not_written", owners: writes.length, outcome });
    });
  }
}
