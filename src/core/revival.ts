// Sessions that outlive the process (rulings 3): at the start those of the process before are taken in, at an orderly stop all that can
// be resumed are stored whole. A mark in the store says how that process ended, and about when.
import { JID } from "../stanza/jid.js";
import { placeOf, type Row, type Storage, StoreFault } from "../storage/port.js";
import type { Account } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Clock, Timer } from "./clock.js";
import type { Committer } from "./committer.js";
import { type Ids, timeOf } from "./ids.js";
import type { Log } from "./log.js";
import { recordIn, SESSION_STORE } from "./record.js";
import type { Records } from "./records.js";
import type { Session } from "./session.js";
import type { Sessions } from "./sessions.js";

export interface RevivalPorts {
  readonly storage: Pick<Storage, "get" | "list">;
  readonly accounts: Accounts;
  readonly committer: Committer;
  readonly sessions: Sessions;
  readonly records: Records;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** The longest time that a session waits for a stream (`limits.sm_resume`), in ms. */
  readonly waitMs: number;
}

const MARK = { store: "server", owner: "", key: "alive" } as const;
const MARK_EVERY_MS = 60_000; // so a session that was there at a crash waits up to a minute longer
const PAGE = 500; // records read at once
/** Of the 10 s that an orderly stop may take, for messages that are being read from the store. */
const PATIENCE_MS = 3000;

/** What is known of the process before. */
interface Before {
  /** The last that is known of it, in ms since 1970. */
  readonly lastSign: number;
  /** The stop it ended with, if it came to its end. */
  readonly stop: number | undefined;
}

export class Revival {
  readonly #ports: RevivalPorts;
  #timer: Timer | undefined;
  #hasBegun = false;

  constructor(ports: RevivalPorts) {
    this.#ports = ports;
  }

  /** Takes in the sessions of the process before, and ends those that have waited too long. Rejects with a StoreFault. */
  async begin(): Promise<void> {
    const before = await this.#before();
    // What is stored whole is so for this start only.
    if (!(await this.#mark(undefined))) throw new StoreFault("failed", "the store takes no writes", "see the log");
    const expired: Session[] = [];
    let count = 0;
    for await (const rows of this.#pages()) {
      await this.#ports.accounts.preload(rows.map(({ owner }) => JID.parse(owner)));
      for (const row of rows) {
        const session = await this.#revive(row, before);
        if (session) count++;
        if (session && (session.management?.waitsUntil ?? 0) <= this.#ports.clock.now()) expired.push(session);
      }
    }
    this.#hasBegun = true;
    for (const session of expired) this.#ports.sessions.end(session);
    if (count > 0)
      this.#ports.log.info({ ev: "sm.revived", sessions: count - expired.length, expired: expired.length });
    this.#beat();
  }

  /** Nothing more will come from clients. Stores what can be resumed. */
  async end(): Promise<void> {
    if (!this.#hasBegun) return;
    this.#timer?.cancel();
    const { clock, sessions, records, committer } = this.#ports;
    let patience: Timer | undefined;
    const isOver = new Promise<void>((resolve) => (patience = clock.after(PATIENCE_MS, resolve)));
    const all = await sessions.close(isOver);
    patience?.cancel();
    await committer.idle();
    const stop = clock.now();
    await records.storeWhole(all, stop);
    await this.#mark(stop);
  }

  async #before(): Promise<Before> {
    const { storage, ids } = this.#ports;
    const { doc = {} } = (await storage.get(MARK.store, MARK.owner, MARK.key)) ?? {};
    const { at, stop } = doc as { readonly at?: unknown; readonly stop?: unknown };
    return {
      lastSign: Math.max(timeOf(ids.last), typeof at === "number" ? at : 0),
      stop: typeof stop === "number" ? stop : undefined,
    };
  }

  async #mark(stop: number | undefined): Promise<boolean> {
    const doc = { v: 1, at: this.#ports.clock.now(), ...(stop !== undefined && { stop }) };
    return (await this.#ports.committer.commit([{ op: "put", ...MARK, doc }])) === "done";
  }

  #beat(): void {
    this.#timer = this.#ports.clock.after(MARK_EVERY_MS, () => {
      void this.#mark(undefined); // if it is not written, the next one will be
      this.#beat();
    });
  }

  async *#pages(): AsyncGenerator<readonly Row[]> {
    for (let after: string | undefined; ;) {
      const page = after === undefined ? { limit: PAGE } : { after, limit: PAGE };
      const rows = await this.#ports.storage.list(SESSION_STORE.name, page);
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      after = placeOf(last);
    }
  }

  /** Undefined if it cannot go on: its record is removed, and its messages wait in the log. */
  async #revive(row: Row, before: Before): Promise<Session | undefined> {
    const { accounts, log, committer } = this.#ports;
    try {
      const account = await accounts.load(JID.parse(row.owner));
      const session = account.exists ? this.#adopt(account, row, before) : undefined;
      if (session) return session;
    } catch (error) {
      if (error instanceof StoreFault) throw error;
      log.error({ ev: "sm.not_revived", jid: row.owner, err: error });
    }
    void committer.commit([{ op: "remove", store: row.store, owner: row.owner, key: row.key }]);
    return undefined;
  }

  #adopt(account: Account, { key, doc }: Row, { lastSign, stop }: Before): Session | undefined {
    const { clock, ids, sessions, waitMs } = this.#ports;
    const record = recordIn(doc);
    const now = clock.now();
    // One that had a stream until the crash began to wait when nobody could note it.
    const until = record.until ?? Math.max(lastSign, record.at) + MARK_EVERY_MS + record.waitMs;
    const leftMs = Math.min(Math.max(0, until - now), record.waitMs, waitMs);
    const isWhole = record.queue !== undefined && record.queue.stop === stop;
    return sessions.adopt(account, key, record, { isWhole, leftMs, readUpTo: ids.last });
  }
}
