// An account as the core holds it: the stored documents its features read, and its sessions. Kept while a session lives, else in an LRU.
import type { JID } from "../stanza/jid.js";
import type { Row } from "../storage/port.js";
import type { Session } from "./session.js";

/** Store of the account document itself (key ""): its presence means that the account exists. */
export const ACCOUNT_STORE = "account";

const NO_ROWS: readonly Row[] = [];

export class Account {
  readonly jid: JID;
  /** The sessions bound now, by resource. */
  readonly sessions = new Map<string, Session>();
  #rows: ReadonlyMap<string, readonly Row[]> = new Map();
  #views = new Map<object, unknown>();
  #exists = false;
  /** Sessions and uncommitted flows that hold it: while there are any, it stays in memory. Counted by `Accounts`. */
  holders = 0;
  /** Rises when memory may differ from the store; flows that changed an older generation must fail. */
  generation = 0;
  /** About how much memory its documents take. */
  bytes = 0;
  #stale = true;

  constructor(jid: JID) {
    this.jid = jid;
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** Not loaded yet, or a commit failed since: it must be loaded before it is used. */
  get isStale(): boolean {
    return this.#stale;
  }

  /** Memory may differ from the store: everything decided on it fails, and it is loaded again before its next use. */
  invalidate(): void {
    this.#stale = true;
    this.generation++;
  }

  /** Takes over what the store holds; every feature's view is made anew. */
  load(rows: readonly Row[]): void {
    const byStore = new Map<string, Row[]>();
    this.bytes = 0;
    for (const row of rows) {
      this.bytes += 2 * JSON.stringify(row.doc).length;
      const list = byStore.get(row.store);
      if (list) list.push(row);
      else byStore.set(row.store, [row]);
    }
    this.#rows = byStore;
    this.#views = new Map();
    this.#exists = byStore.has(ACCOUNT_STORE);
    this.#stale = false;
  }

  /** The rows of one store as they were loaded. Features read them through an `AccountSlot`. */
  rows(store: string): readonly Row[] {
    return this.#rows.get(store) ?? NO_ROWS;
  }

  /** A feature's view, made once per load. Called by `AccountSlot`. */
  view<T>(slot: object, make: () => T): T {
    if (!this.#views.has(slot)) this.#views.set(slot, make());
    return this.#views.get(slot) as T;
  }

  /** True if a session is available with a priority of zero or more (RFC 6121 §8.5.2.1). */
  hasNonNegative(): boolean {
    for (const session of this.sessions.values()) if (session.isNonNegative) return true;
    return false;
  }
}
