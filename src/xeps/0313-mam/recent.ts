// Rulings 11 where nothing is written: the last messages of a session that were handed to their recipients without an entry in any log.
// They are remembered in memory, with the session; what was written since then is in the sender's log, too (keeping.ts).
import type { Fate } from "../../core/deferred.js";

const MAX_RECENT = 256; // of a session, the last ones, some 50 KB: as many as it may have under way (`limits.inflight_stanzas`)

/** A message that was sent before. */
export interface Sent {
  /** Of its content. */
  readonly digest: string;
  readonly fate: Fate;
}

export class Recent {
  /** By address and origin id, the oldest first. */
  readonly #messages = new Map<string, Sent>();

  add(key: string, message: Sent): void {
    this.#messages.delete(key);
    this.#messages.set(key, message);
    if (this.#messages.size <= MAX_RECENT) return;
    for (const oldest of this.#messages.keys()) {
      this.#messages.delete(oldest);
      return;
    }
  }

  [Symbol.iterator](): Iterator<[string, Sent]> {
    return this.#messages.entries();
  }
}
