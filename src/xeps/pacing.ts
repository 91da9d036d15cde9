// Sending many stored stanzas to one session: a chunk at a time, the next one when the socket has taken it, so that a long read costs
// neither memory nor the patience of those who send live messages.
import type { Session } from "../core/session.js";
import type { LogRow } from "../storage/port.js";

const CHUNK_BYTES = 65_536; // far below the outbox limit, above which a reader is too slow

/** The rows in runs of about as many bytes as should be sent before waiting for the socket. */
export function* chunks(rows: readonly LogRow[]): Generator<readonly LogRow[]> {
  let chunk: LogRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    chunk.push(row);
    bytes += row.stanza.length;
    if (bytes < CHUNK_BYTES) continue;
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
