// Sending many stored stanzas to one session: a chunk at a time, the next one when the socket has taken it, so that a long read costs
// neither memory nor the patience of those who send live messages.
import type { Clock } from "../core/clock.js";
import type { Committer } from "../core/committer.js";
import type { Session } from "../core/session.js";
import type { LogRow } from "../storage/port.js";

const CHUNK_BYTES = 65_536; // far below the outbox limit, above which a reader is too slow
const CHUNK_ROWS = 16; // less than a millisecond of work, which live messages may have to wait for

/** The rows in runs of at most as many, and about as many bytes, as should be sent before waiting for the socket. */
export function* chunks(rows: readonly LogRow[]): Generator<readonly LogRow[]> {
  let chunk: LogRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    chunk.push(row);
    bytes += row.stanza.length;
    if (bytes < CHUNK_BYTES && chunk.length < CHUNK_ROWS) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** Resolves when there is room for more: all that was sent has left the process, or waits to be resumed. False if the session has ended. */
export function drained(session: Session): Promise<boolean> {
  return new Promise((resolve) => session.whenDrained(resolve));
}

/** How long a chunk waits for commits: a message that is on its way to the store comes back to a server that has nothing else to do. */
const PATIENCE_MS = 4;

export interface PacePorts {
  readonly clock: Pick<Clock, "soon" | "after">;
  readonly committer: Pick<Committer, "isIdle" | "idle">;
}

/**
 * Has all who send chunks take turns: one chunk in a turn of the event loop, however many are reading, and none while messages are on
 * their way to the store, so that those are not held up, within limits.
 */
export class Pace {
  readonly #ports: PacePorts;
  readonly #waiting = new Set<() => void>(); // in order; each is a query under way
  #idle: Promise<void> | undefined;

  constructor(ports: PacePorts) {
    this.#ports = ports;
  }

  /** Resolves when it is the caller's turn to send one chunk. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      if (this.#waiting.size === 1) this.#prepare();
    });
  }

  #prepare(): void {
    const { clock, committer } = this.#ports;
    if (committer.isIdle) return clock.soon(() => this.#next());
    let isOver = false;
    const goOn = (): void => {
      timer.cancel();
      if (!isOver) clock.soon(() => this.#next());
      isOver = true;
    };
    const timer = clock.after(PATIENCE_MS, goOn);
    this.#idle ??= committer.idle().finally(() => (this.#idle = undefined));
    void this.#idle.then(goOn);
  }

  #next(): void {
    for (const resolve of this.#waiting) {
      this.#waiting.delete(resolve);
      if (this.#waiting.size > 0) this.#prepare();
      return resolve();
    }
  }
}
