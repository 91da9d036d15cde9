// The reading side: queries over the declared indexes, on the primary, of what a majority has.
import type { Document } from "mongodb";
import { byBytes } from "../order.js";
import { type Cursor, NOTHING_SETTLED } from "../pending.js";
import type { LogQuery, LogRange, LogRow, LogSize, OwnerPage, Page, Row } from "../port.js";
import { findId, idsBehind, placeId, rowOf } from "./documents.js";
import { cursorOf, logRowOf, queryOf } from "./entries.js";
import type { Erasures } from "./erasures.js";
import type { Link } from "./link.js";
import { COLLECTION, type CursorRecord, type DocumentRecord, type EntryRecord } from "./schema.js";

const MAX_PAGE = 1_000_000; // MongoDB takes a limit of 0 for none

export class Reader {
  readonly #link: Link;
  readonly #erasures: Erasures;

  constructor(link: Link, erasures: Erasures) {
    this.#link = link;
    this.#erasures = erasures;
  }

  async load(owners: readonly string[], stores: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    const loaded = new Map<string, Row[]>(owners.map((owner) => [owner, []]));
    const query = { owner: { $in: [...loaded.keys()] }, store: { $in: [...stores] } };
    const records = await this.#documents.find(query, this.#link.bounds).toArray();
    for (const record of records) loaded.get(record.owner)?.push(rowOf(record));
    for (const rows of loaded.values()) rows.sort((a, b) => byBytes(a.store, b.store) || byBytes(a.key, b.key));
    return loaded;
  }

  async get(store: string, owner: string, key: string): Promise<Row | undefined> {
    const record = await this.#documents.findOne({ _id: placeId({ store, owner, key }) }, this.#link.bounds);
    return record ? rowOf(record) : undefined;
  }

  async list(store: string, { after, limit }: Page): Promise<readonly Row[]> {
    if (limit <= 0) return [];
    const found = this.#documents.find({ _id: idsBehind(store, after) }, this.#link.bounds).sort({ _id: 1 });
    return (await found.limit(Math.min(limit, MAX_PAGE)).toArray()).map(rowOf);
  }

  async find(store: string, field: string, value: string, limit: number): Promise<readonly Row[]> {
    if (limit <= 0) return [];
    const found = this.#documents.find({ finds: findId(store, field, value) }, this.#link.bounds).sort({ _id: 1 });
    return (await found.limit(Math.min(limit, MAX_PAGE)).toArray()).map(rowOf);
  }

  async log(owner: string, query: LogQuery): Promise<readonly LogRow[]> {
    const before = query.pending ? await this.cursor(owner) : NOTHING_SETTLED;
    const filter = this.#filter(owner, query, before);
    if (!filter || query.limit <= 0) return [];
    const found = this.#log.find(filter, this.#link.bounds).sort({ id: query.backwards ? -1 : 1 });
    const records = await found.limit(Math.min(query.limit, MAX_PAGE)).project<EntryRecord>({ words: 0 }).toArray();
    const marked = !query.pending && records.some(({ pending }) => pending);
    const cursor = marked ? await this.cursor(owner) : before;
    return records.map((record) => logRowOf(record, cursor));
  }

  async countLog(owner: string, range: LogRange): Promise<number> {
    const cursor = range.pending ? await this.cursor(owner) : NOTHING_SETTLED;
    const { shown, ...others } = range;
    const isLong = shown && range.ids === undefined && range.text === undefined;
    const filter = this.#filter(owner, isLong ? others : range, cursor);
    if (!filter) return 0;
    // No index tells that a field is missing, so shown entries are all less the hidden ones: two counts that load no entry.
    const hiddenToo = isLong ? this.#count({ ...filter, hidden: true }) : Promise.resolve(0);
    const [all, hidden] = await Promise.all([this.#count(filter), hiddenToo]);
    return all - hidden;
  }

  #count(filter: Document): Promise<number> {
    return this.#log.countDocuments(filter, this.#link.bounds);
  }

  /** One step through the index per owner, however many entries they have. */
  async logOwners({ after, limit }: OwnerPage): Promise<readonly string[]> {
    const owners: string[] = [];
    for (let last = after; owners.length < limit;) {
      const query = last === undefined ? {} : { owner: { $gt: last } };
      const next = await this.#log
        .find(query, this.#link.bounds)
        .sort({ owner: 1, id: 1 })
        .limit(1)
        .project<Pick<EntryRecord, "owner">>({ _id: 0, owner: 1 })
        .next();
      if (!next) break;
      last = next.owner;
      if (await this.#hasEntries(last)) owners.push(last);
    }
    return owners;
  }

  /** An owner of rows, which may all be gone. */
  async #hasEntries(owner: string): Promise<boolean> {
    if (this.#erasures.upTo(owner) === undefined) return true;
    return (await this.#log.findOne({ owner, ...this.#erasures.beyond(owner) }, this.#link.bounds)) !== null;
  }

  async measure(
    owner: string,
    { after, limit }: { readonly after?: number; readonly limit: number },
  ): Promise<LogSize> {
    if (limit <= 0) return { entries: 0, bytes: 0 };
    const filter = { owner, ...this.#erasures.beyond(owner), ...(after !== undefined && { id: { $gt: after } }) };
    const sums = {
      _id: null,
      entries: { $sum: 1 },
      bytes: { $sum: { $binarySize: "$stanza" } },
      last: { $max: "$id" },
    };
    const pipeline = [
      { $match: filter },
      { $sort: { id: 1 } },
      { $limit: Math.min(limit, MAX_PAGE) },
      { $group: sums },
    ];
    const [found] = await this.#log.aggregate<Required<LogSize>>(pipeline, this.#link.bounds).toArray();
    return found ? { entries: found.entries, bytes: found.bytes, last: found.last } : { entries: 0, bytes: 0 };
  }

  async cursor(owner: string): Promise<Cursor> {
    const cursors = this.#link.collection<CursorRecord>(COLLECTION.cursors);
    return cursorOf(await cursors.findOne({ _id: owner }, this.#link.bounds));
  }

  #filter(owner: string, range: LogRange, cursor: Cursor): Document | undefined {
    const query = queryOf(owner, range, cursor);
    return query && { ...query, ...this.#erasures.beyond(owner) };
  }

  get #documents() {
    return this.#link.collection<DocumentRecord>(COLLECTION.documents);
  }

  get #log() {
    return this.#link.collection<EntryRecord>(COLLECTION.log);
  }
}
