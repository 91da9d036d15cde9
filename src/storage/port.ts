// The storage port: what every driver offers to the core. Two shapes serve all features, keyed documents and logs;
// the one way in is commit(). What each call means is pinned down by the suite in contract/.
import type { Doc, Entry, Outcome, Unit } from "./writes.js";

/** A kind of documents that a feature keeps, named to the driver when it is opened. */
export interface StoreSpec {
  readonly name: string;
  /** Top-level fields of the documents that find() can ask for: strings, or lists of strings. Other values are not found. */
  readonly lookups?: readonly string[];
}

/** A stored document with its place. */
export interface Row {
  readonly store: string;
  readonly owner: string;
  readonly key: string;
  readonly doc: Doc;
  /** 1 for a new row, one more with each put. A row that was removed and put again starts at 1. */
  readonly version: number;
}

/** An entry read back from a log. */
export interface LogRow extends Entry {
  readonly owner: string;
  readonly id: number;
}

/** Which entries of a log: those that meet every condition given. */
export interface LogRange {
  /** Ids above this one. */
  readonly after?: number;
  /** Ids below this one. */
  readonly before?: number;
  /** Not yet settled. */
  readonly pending?: true;
  /** Not hidden. */
  readonly shown?: true;
  /** Bare JID of the other side. */
  readonly with?: string;
  /** The other side's resource. Only together with `with`. */
  readonly resource?: string;
  /**
   * Full text: shown entries whose body or subject has all words of this text (words.ts says what a word is). A text
   * without any word finds nothing.
   */
  readonly text?: string;
  /** One of these ids; those that are not there are passed over. */
  readonly ids?: readonly number[];
  /** Of the sender's origin id. No index helps here: callers bound it by `after`. */
  readonly originId?: string;
}

/** A page of a log: the `limit` lowest ids of the range in rising order, or with `backwards` the highest in falling order. */
export interface LogQuery extends LogRange {
  readonly backwards?: true;
  readonly limit: number;
}

/** A page of the owners that have log entries: at most `limit` behind the owner `after`, or from the start. */
export interface OwnerPage {
  readonly after?: string;
  readonly limit: number;
}

/** What some entries of a log take up. */
export interface LogSize {
  readonly entries: number;
  /** Bytes of their stanzas. */
  readonly bytes: number;
  /** The highest id among them; without entries there is none. */
  readonly last?: number;
}

/** A page of a store: at most `limit` rows behind the place `after` (made by `placeOf`), or from the start. */
export interface Page {
  readonly after?: string;
  readonly limit: number;
}

/**
 * A driver. Owners, keys and field values are ordinary strings without U+0000; they are ordered by their UTF-8 bytes.
 * Reads reject with a StoreFault when the store cannot answer. Naming a store or a look-up that was not declared is a bug of
 * the caller and rejects with a plain Error (a commit then writes nothing of the batch).
 */
export interface Storage {
  /**
   * Writes the units, in order, each atomic by itself: a unit that fails leaves the others alone.
   * @returns one outcome per unit, once all that is "done" is durable; a store that is down gives outcomes, not a rejection
   */
  commit(units: readonly Unit[]): Promise<readonly Outcome[]>;
  /** All rows of these owners in these stores, ordered by store and key; every owner asked for is in the map. */
  load(owners: readonly string[], stores: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>>;
  get(store: string, owner: string, key: string): Promise<Row | undefined>;
  /** A page of a whole store, ordered by owner, then key. */
  list(store: string, page: Page): Promise<readonly Row[]>;
  /** Rows whose declared look-up field is, or contains, this value, ordered by owner, then key. */
  find(store: string, field: string, value: string, limit: number): Promise<readonly Row[]>;
  log(owner: string, query: LogQuery): Promise<readonly LogRow[]>;
  /** How many entries log() would give without a limit. */
  countLog(owner: string, range: LogRange): Promise<number>;
  /** The owners that have at least one log entry, in order. */
  logOwners(page: OwnerPage): Promise<readonly string[]>;
  /** The size of the next `limit` entries above `after`. */
  measure(owner: string, page: { readonly after?: number; readonly limit: number }): Promise<LogSize>;
  /**
   * Removes, oldest first, entries below `before` that are not pending: at most `limit` of them, and at most what is a short
   * slice of work between two commits. To be called until it gives 0.
   * @returns how many were removed
   */
  purge(owner: string, slice: { readonly before: number; readonly limit: number }): Promise<number>;
  /**
   * Removes some of the entries of owners that were erased, which nothing shows any more, in a short slice of work between two
   * commits. To be called until it gives false, and after a start, as a crash may have come in between.
   * @returns true while there is more to do
   */
  discard(): Promise<boolean>;
  /**
   * Gives some of the space that removed rows took back to the disk, in a short slice of work between two commits.
   * @returns true while there is more to do
   */
  shrink(): Promise<boolean>;
  /** The highest log id ever written, 0 in a new store. New ids start above it. */
  highestId(): Promise<number>;
  /** Resolves if the store can take writes now, else rejects with a StoreFault. */
  probe(): Promise<void>;
  /** Finishes what was committed before, then lets go of the files. Later commits are refused, later reads reject. */
  close(): Promise<void>;
}

/** The place of a row in the order of list(), to go on behind it. */
export function placeOf(row: { readonly owner: string; readonly key: string }): string {
  return `${row.owner}\0${row.key}`;
}

/** The owner and key of a place; of the very end of an owner's rows when it names no key. */
export function partsOf(place: string): { readonly owner: string; readonly key: string } {
  const cut = place.indexOf("\0");
  return cut < 0 ? { owner: place, key: "" } : { owner: place.slice(0, cut), key: place.slice(cut + 1) };
}

export type StoreFaultKind =
  | "newer" // written by a newer version of this program
  | "foreign" // not a database of this program
  | "damaged"
  | "locked" // another process has it
  | "unreadable" // missing folder, no permission
  | "unreachable" // a database server that does not answer
  | "full" // no space left
  | "unsupported" // a kind of store that this version does not have
  | "failed" // the engine reported something else
  | "closed"; // closed, or its thread has died

/** A store that cannot be opened or used. The message says in one line what is wrong, `mend` what the operator can do. */
export class StoreFault extends Error {
  override readonly name = "StoreFault";
  readonly kind: StoreFaultKind;
  readonly mend: string;

  constructor(kind: StoreFaultKind, problem: string, mend: string, options?: ErrorOptions) {
    super(problem, options);
    this.kind = kind;
    this.mend = mend;
  }

  /** Both parts as the one line for the operator. */
  get describe(): string {
    return `${this.message}: ${this.mend}`;
  }

  get forOperator(): readonly string[] {
    return [this.describe];
  }
}
