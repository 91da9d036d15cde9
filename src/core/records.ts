// Writes the records of sessions that can be resumed (rulings 3): what the client is told before it is told, the rest behind it, and
// everything when the server stops in order.
import type { Json, Outcome, Write } from "../storage/writes.js";
import type { Clock, Timer } from "./clock.js";
import type { Append } from "./flow.js";
import type { Feature } from "./feature.js";
import type { Log } from "./log.js";
import { docOf, placeOf, type SessionRecord, type StoredQueue } from "./record.js";
import type { Session } from "./session.js";

export interface RecordsPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly commit: (writes: readonly (Write | Append)[]) => Promise<Outcome>;
  readonly features: () => readonly Feature[];
}

/** After which the rest is written: an older record only means that more comes twice after a crash. */
const BEHIND_MS = 5000;
const PER_TURN = 512; // records made and written at once: some 10 ms
/** Of a document: MongoDB takes 16 MiB. A session that has more waiting is resumed as after a crash. */
const MAX_DOC_CHARS = 12 * 1024 * 1024;
const MAX_COMMIT_CHARS = 16 * 1024 * 1024; // of documents under way at once while the server stops

interface RecordPut {
  readonly session: Session;
  readonly handled: number;
  readonly put: Write;
  /** Length of the document, where it is all that is on its way to the client. */
  readonly chars: number;
}

export class Records {
  readonly #ports: RecordsPorts;
  /** To be written again. */
  #changed = new Set<Session>();
  #timer: Timer | undefined;
  #isOver = false;

  constructor(ports: RecordsPorts) {
    this.#ports = ports;
  }

  /** Makes durable what is handled now. False if the store did not take it; undefined if the session is not one to be resumed. */
  record(session: Session): Promise<boolean> | undefined {
    const put = this.#put(session);
    if (!put) return undefined;
    this.#changed.delete(session);
    return this.#write([put]);
  }

  /** Something of the session is not as it was recorded; it is written soon. */
  changed(session: Session): void {
    const { management } = session;
    if (this.#isOver || !management?.isResumable || management.inherited) return;
    this.#changed.add(session);
    this.#timer ??= this.#ports.clock.after(BEHIND_MS, () => this.#writeChanged());
  }

  /** The session cannot be resumed any more. */
  forget(session: Session): void {
    this.#changed.delete(session);
    const place = placeOf(session);
    if (place && !this.#isOver) void this.#commit([{ op: "remove", ...place }]);
  }

  /** The server stops: records all that is on its way to these sessions, which take part in nothing any more. */
  async storeWhole(sessions: Iterable<Session>, stop: number): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    let puts: RecordPut[] = [];
    let chars = 0;
    for (const session of sessions) {
      // One that its client has not come back to since a crash: its record stands, and the log has the rest.
      if (session.management?.inherited?.missed) continue;
      const whole = this.#put(session, stop);
      if (!whole) continue;
      puts.push(whole);
      chars += whole.chars;
      if (chars < MAX_COMMIT_CHARS && puts.length < PER_TURN) continue;
      await this.#write(puts);
      puts = [];
      chars = 0;
    }
    await this.#write(puts);
  }

  #writeChanged(): void {
    this.#timer = undefined;
    const some = [...this.#changed].slice(0, PER_TURN);
    for (const session of some) this.#changed.delete(session);
    void this.#write(some.flatMap((session) => this.#put(session) ?? []));
    if (this.#changed.size > 0) this.#timer = this.#ports.clock.after(0, () => this.#writeChanged());
  }

  async #write(puts: readonly RecordPut[]): Promise<boolean> {
    if (puts.length === 0) return true;
    const isDone = await this.#commit(puts.map(({ put }) => put));
    if (isDone) for (const { session, handled } of puts) session.management?.recorded(handled);
    return isDone;
  }

  async #commit(writes: readonly Write[]): Promise<boolean> {
    const outcome = await this.#ports.commit(writes);
    if (outcome !== "done") this.#ports.log.warn({ ev: "sm.not_recorded", records: writes.length, outcome });
    return outcome === "done";
  }

  /** `stop`: with all that is on its way to the client. */
  #put(session: Session, stop?: number): RecordPut | undefined {
    const place = placeOf(session);
    const record = session.open ? this.#recordOf(session) : undefined;
    if (!place || !record) return undefined;
    const queue = stop === undefined ? undefined : queueOf(session, stop);
    const whole = queue && docOf({ ...record, queue });
    const chars = whole ? JSON.stringify(whole).length : 0;
    const doc = whole && chars <= MAX_DOC_CHARS ? whole : docOf(record);
    return { session, handled: record.handled, put: { op: "put", ...place, doc }, chars };
  }

  #recordOf(session: Session): SessionRecord | undefined {
    const { management, lane, jid } = session;
    if (!management?.isResumable || !management.resumption) return undefined;
    return {
      resource: jid.resource,
      waitMs: management.resumption.waitMs,
      at: this.#ports.clock.now(),
      until: management.waitsUntil,
      handled: lane.handled,
      acknowledged: management.copies.acknowledged,
      sentBefore: session.sentBefore,
      position: session.position,
      features: this.#stateOf(session),
      queue: undefined,
    };
  }

  #stateOf(session: Session): Readonly<Record<string, Json>> {
    const state: Record<string, Json> = {};
    for (const { name, session: kept } of this.#ports.features()) {
      const saved = kept?.save?.(session);
      if (saved !== undefined) state[name] = saved;
    }
    return state;
  }
}

/** Undefined while stored messages are read for it: what it is missing then can only be told by the log. */
function queueOf(session: Session, stop: number): StoredQueue | undefined {
  const { management, readUpTo, isHolding } = session;
  if (!management || isHolding) return undefined;
  const copies = [...management.copies].map(({ stanza, receipt, again }) => {
    const id = receipt?.entry.id;
    return { stanza, again, id: id === 0 ? undefined : id };
  });
  return { stop, sent: management.copies.sent, copies, readUpTo };
}
