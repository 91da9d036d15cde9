// What owns stored documents: an account, a room. In memory it is ahead of the store while a flow that changed it is on its way; where that
// may have gone wrong it is stale, and read again before its next use.
import type { JID } from "../stanza/jid.js";
import type { Row } from "../storage/port.js";
import type { Flow } from "./flow.js";

/** Where an owner stays in memory while anybody holds it. */
export interface Home {
  keep(owner: Owner): void;
  release(owner: Owner): void;
}

const NO_ROWS: readonly Row[] = [];

export class Owner {
  readonly jid: JID;
  /** Nothing is written to its documents and log but by flows that touch it, one after the other: several may be written together. */
  readonly isSerial: boolean = false;
  /** Its place; none in tests without a core. */
  home: Home | undefined;
  #rows: ReadonlyMap<string, readonly Row[]> = new Map();
  #views = new Map<object, unknown>();
  /** Sessions, occupants and uncommitted flows that hold it: while there are any, it stays in memory. Counted by its home. */
  holders = 0;
  /** Rises when memory may differ from the store; flows that changed an older generation must fail. */
  generation = 0;
  /** About how much memory its documents take. */
  bytes = 0;
  #stale = true;

  constructor(jid: JID) {
    this.jid = jid;
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

  /** Takes over what the store holds; every view is made anew. */
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
    this.#stale = false;
  }

  /** The rows of one store as they were loaded. Features read those of an account through an `AccountSlot`. */
  rows(store: string): readonly Row[] {
    return this.#rows.get(store) ?? NO_ROWS;
  }

  /** A view of the documents, made once per load. Called by `AccountSlot`. */
  view<T>(slot: object, make: () => T): T {
    if (!this.#views.has(slot)) this.#views.set(slot, make());
    return this.#views.get(slot) as T;
  }
}

/** Keeps what a flow changed in memory until `releaseFor`: it is ahead of the store. */
export function holdFor({ touched, held }: Pick<Flow, "touched" | "held">): void {
  for (const owner of touched.keys()) {
    if (held.has(owner)) continue;
    held.add(owner);
    owner.home?.keep(owner);
  }
}

export function releaseFor({ held }: Pick<Flow, "held">): void {
  for (const owner of held) owner.home?.release(owner);
  held.clear();
}
