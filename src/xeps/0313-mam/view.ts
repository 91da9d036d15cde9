// An archive as its readers see it: the shown entries of an owner's log, in pages. Who may read it is the caller's to decide. Entries are
// read in slices, from the store's reader, so that neither memory nor other readers suffer from a large page.
import type { Context } from "../../core/context.js";
import { StanzaError } from "../../stanza/errors.js";
import type { LogRange, LogRow } from "../../storage/port.js";
import type { Around, Positions } from "./positions.js";
import type { ArchiveKind, ArchiveQuery } from "./query.js";

const SLICE = 64; // rows in one read: 16 MiB with the largest stanzas
const PAGE_BYTES = 524_288; // a page ends when it has as much; one entry is always on it

/** A page, in the order of the list. */
export interface ArchivePage {
  readonly rows: readonly LogRow[];
  /** Nothing that was asked for lies beyond it. */
  readonly complete: boolean;
  /** The position of its first entry in the whole list; undefined for an empty page. */
  readonly index: number | undefined;
  /** Entries in the whole list. */
  readonly count: number;
}

/** The oldest and the newest entry. */
export interface ArchiveEnds {
  readonly start: LogRow;
  readonly end: LogRow;
}

/** A page as it is read: in the direction of reading, and whether there is more that way. */
interface Read {
  readonly rows: readonly LogRow[];
  readonly more: boolean;
}

export class ArchiveView {
  readonly kind: ArchiveKind;
  readonly #storage: Context["storage"];
  readonly #positions: Positions;
  readonly #owner: string;

  /** `positions` is shared by all views, which live as long as a query. */
  constructor(context: Pick<Context, "storage">, positions: Positions, kind: ArchiveKind) {
    this.kind = kind;
    this.#storage = context.storage;
    this.#positions = positions;
    this.#owner = kind.owner.toString();
  }

  /** The page that is asked for; `item-not-found` if an id of the query is not in the archive. */
  async page(query: ArchiveQuery): Promise<ArchivePage | StanzaError> {
    if (!(await this.#hasAll(query))) return new StanzaError("item-not-found");
    if (query.limit === 0) return this.#countOnly(query);
    const range = rangeOf(query);
    const backwards = (query.before !== undefined) !== query.newestFirst;
    const { rows, more } = await this.#read(range, backwards, query.limit);
    const rising = backwards ? rows.toReversed() : rows;
    const around = await this.#around(query, rising, backwards, more);
    return {
      rows: query.newestFirst ? rising.toReversed() : rising,
      complete: !more,
      index: rows.length === 0 ? undefined : query.newestFirst ? around.above : around.below,
      count: around.below + rows.length + around.above,
    };
  }

  /** Undefined when the archive is empty. */
  async ends(): Promise<ArchiveEnds | undefined> {
    const [start] = await this.#storage.log(this.#owner, { shown: true, limit: 1 });
    const [end] = await this.#storage.log(this.#owner, { shown: true, limit: 1, backwards: true });
    return start && end && { start, end };
  }

  /** Anchors may be hidden, what is asked for by id may not. */
  async #hasAll({ anchors, filter: { ids } }: ArchiveQuery): Promise<boolean> {
    const distinct = [...new Set(anchors)];
    if (distinct.length > 0 && (await this.#count({ ids: distinct })) < distinct.length) return false;
    return !ids || (await this.#count({ ids, shown: true })) === ids.length;
  }

  async #countOnly({ filter }: ArchiveQuery): Promise<ArchivePage> {
    const count = await this.#count(filter);
    return { rows: [], complete: count === 0, index: undefined, count };
  }

  async #read(range: LogRange, backwards: boolean, limit: number): Promise<Read> {
    const rows: LogRow[] = [];
    let bytes = 0;
    for (let rest = range; ; rest = beyond(range, rows.at(-1), backwards)) {
      if (isEmpty(rest)) return { rows, more: false };
      const wanted = Math.min(SLICE, limit + 1 - rows.length);
      const slice = await this.#storage.log(this.#owner, { ...rest, limit: wanted, ...(backwards && { backwards }) });
      for (const row of slice) {
        bytes += row.stanza.length;
        if (rows.length === limit || (rows.length > 0 && bytes > PAGE_BYTES)) return { rows, more: true };
        rows.push(row);
      }
      if (slice.length < wanted) return { rows, more: false };
    }
  }

  /** An empty page lies nowhere; the list is counted all the same. */
  async #around(query: ArchiveQuery, rising: readonly LogRow[], backwards: boolean, more: boolean): Promise<Around> {
    const { low, high } = boundsOf(query);
    if (rising.length === 0) {
      const isWhole = low === undefined && high === undefined;
      return { below: isWhole ? 0 : await this.#count(query.filter), above: 0 };
    }
    return this.#positions.of(this.#owner, query.filter, {
      rising,
      backwards,
      from: backwards ? high : low,
      startsList: low === undefined && !(backwards && more),
      endsList: high === undefined && (backwards || !more),
    });
  }

  async #count(range: LogRange): Promise<number> {
    return isEmpty(range) ? 0 : this.#storage.countLog(this.#owner, range);
  }
}

/** The part of the list that the page is cut from. */
function rangeOf(query: ArchiveQuery): LogRange {
  const { filter } = query;
  const { low, high } = boundsOf(query);
  return {
    ...filter,
    ...(low === undefined ? {} : { after: Math.max(low, filter.after ?? -1) }),
    ...(high === undefined ? {} : { before: Math.min(high, filter.before ?? Infinity) }),
  };
}

/** The ids that the page lies between. In falling order, what comes after an entry is older. */
function boundsOf({ after, before, newestFirst }: ArchiveQuery): {
  readonly low: number | undefined;
  readonly high: number | undefined;
} {
  const end = before === "end" ? undefined : before;
  return newestFirst ? { low: end, high: after } : { low: after, high: end };
}

function beyond(range: LogRange, last: LogRow | undefined, backwards: boolean): LogRange {
  if (!last) return range;
  return backwards ? { ...range, before: last.id } : { ...range, after: last.id };
}

/** A timespan that ends before it begins needs no look at the store. */
function isEmpty({ after = -1, before = Infinity }: LogRange): boolean {
  return after + 1 >= before;
}
