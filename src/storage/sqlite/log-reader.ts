// Pages, counts and sizes of logs, on the reading connection. Each request sees one moment: the owner's cursor and its entries belong together.
import { wireOf } from "../../xml/wire.js";
import type { LogQuery, LogRange, LogSize } from "../port.js";
import type { Cursor } from "../pending.js";
import type { Columns, Database, Statement, Value } from "./engine.js";
import { cursorOf, Mark } from "./marks.js";
import { matchOf } from "./word-index.js";

/** Per entry: id, the other side, its resource, stanza as wire text, pending, hidden, origin id. */
export type PackedEntries = readonly (string | number | null)[];

/** What to read of whose log. */
export interface LogRequest {
  readonly owner: string;
  readonly query: LogQuery;
}

export interface CountRequest {
  readonly owner: string;
  readonly range: LogRange;
}

/** A count of the range up to `next`, or to its end. */
export interface PartialCount {
  readonly count: number;
  /** Entries above this id are to be counted yet. */
  readonly next?: number;
}

export interface MeasureRequest {
  readonly owner: string;
  readonly after: number;
  readonly limit: number;
}

interface Owner {
  readonly number: number;
  readonly cursor: Cursor;
  /** Its rows' numbers, by which the index of words is ordered, rise with their ids. */
  readonly inOrder: boolean;
}

/** A part of a query: a FROM clause with its conditions, and their values. */
interface Selection {
  readonly sql: string;
  /** What has the order of the ids. */
  readonly order: "l.id" | "w.rowid";
  readonly values: readonly Value[];
}

/** Entries looked at in one slice of a count: a few ms of work, all in the index. */
const COUNT_SLICE = 20_000;

const FIELDS = `l.id, (SELECT name FROM peers WHERE number = l.peer) AS peer, l.resource, l.stanza, l.marks, l.origin`;

export class LogReader {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  page({ owner, query }: LogRequest): PackedEntries {
    return this.#ofOwner(owner, [], (found) => {
      const items: (string | number | null)[] = [];
      const parts = selectionsOf(found, query);
      let left = query.limit;
      for (const part of query.backwards ? parts.reverse() : parts) {
        const sql = `SELECT ${FIELDS} ${part.sql} ORDER BY ${part.order} ${query.backwards ? "DESC" : "ASC"} LIMIT ?`;
        for (const row of this.#prepared(sql).iterate(...part.values, left)) {
          pushEntry(items, row, found.cursor);
          left--;
        }
      }
      return items;
    });
  }

  /** A long range in slices, so that other reads come in between; what other indexes find, or a cursor bounds, at once. */
  count({ owner, range }: CountRequest): PartialCount {
    const isShort = range.ids !== undefined || range.text !== undefined || range.pending;
    return this.#ofOwner(owner, { count: 0 }, (found) =>
      isShort ? { count: this.#countAll(selectionsOf(found, range)) } : this.#countSome(found, range),
    );
  }

  #countAll(selections: readonly Selection[]): number {
    const counts = selections.map(({ sql, values }) =>
      Number(this.#prepared(`SELECT count(*) AS n ${sql}`).get(...values)?.["n"]),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #countSome(owner: Owner, range: LogRange): PartialCount {
    const { after = -1, before = Number.MAX_SAFE_INTEGER, ...others } = range;
    const wanted = conditionsOf(owner, others, []);
    const beside = range.resource === undefined && range.originId === undefined ? "" : ", resource, origin"; // not in the index
    const sql = `SELECT count(*) FILTER (WHERE ${wanted.sql}) AS n, count(*) AS seen, max(l.id) AS last FROM
      (SELECT owner, id, marks, peer${beside} FROM log WHERE owner = ? AND id > ? AND id < ? ORDER BY id LIMIT ${COUNT_SLICE}) l`;
    const row = this.#prepared(sql).get(...wanted.values, owner.number, after, before);
    const count = Number(row?.["n"]);
    return Number(row?.["seen"]) < COUNT_SLICE ? { count } : { count, next: Number(row?.["last"]) };
  }

  /** The length of a stanza stands before it: the pages behind are not read. */
  measure({ owner, after, limit }: MeasureRequest): LogSize {
    return this.#ofOwner(owner, { entries: 0, bytes: 0 }, ({ number }) => {
      const sql = `SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes, max(id) AS last FROM
        (SELECT id, length(stanza) AS bytes FROM log WHERE owner = ? AND id > ? ORDER BY id LIMIT ?)`;
      const row = this.#prepared(sql).get(number, after, limit);
      const size = { entries: Number(row?.["entries"]), bytes: Number(row?.["bytes"]) };
      return size.entries > 0 ? { ...size, last: Number(row?.["last"]) } : size;
    });
  }

  owners({ after, limit }: { readonly after: string; readonly limit: number }): readonly string[] {
    const sql = `SELECT name FROM owners o WHERE name > ? AND EXISTS (SELECT 1 FROM log WHERE owner = o.number) ORDER BY name LIMIT ?`;
    return this.#prepared(sql)
      .all(after, limit)
      .map((row) => String(row["name"]));
  }

  /** By one step per owner through the index, not by a walk over all entries. */
  highestId(): number {
    const sql = `SELECT max(coalesce((SELECT max((SELECT max(id) FROM log WHERE log.owner = owners.number)) FROM owners), 0),
      (SELECT value FROM facts WHERE name = 'erased id')) AS n`;
    return Number(this.#prepared(sql).get()?.["n"]);
  }

  #ofOwner<T>(name: string, nothing: T, read: (owner: Owner) => T): T {
    this.#prepared("BEGIN").run();
    try {
      const row = this.#prepared("SELECT number, settled_to, open, in_order FROM owners WHERE name = ?").get(name);
      if (!row) return nothing;
      return read({ number: Number(row["number"]), cursor: cursorOf(row), inOrder: row["in_order"] === 1 });
    } finally {
      this.#prepared("COMMIT").run();
    }
  }

  /** The texts are made of the few pieces in this file, so there are few of them. */
  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

/** The entries that a range means, in rising order: those still pending are the cursor's exceptions and then what is above its watermark. */
function selectionsOf(owner: Owner, range: LogRange): Selection[] {
  if (!range.pending) return selectionOf(owner, range, []);
  const { settledTo, open } = owner.cursor;
  const marked = [`l.marks & ${Mark.pending}`];
  const ids = range.ids ? open.filter((id) => range.ids?.includes(id)) : open;
  const above = { ...range, after: Math.max(range.after ?? -1, settledTo) };
  return [
    ...(ids.length > 0 ? selectionOf(owner, { ...range, ids }, marked) : []),
    ...selectionOf(owner, above, marked),
  ];
}

function selectionOf(owner: Owner, range: LogRange, conditions: readonly string[]): Selection[] {
  const match = range.text === undefined ? null : matchOf(owner.number, range.text);
  if (match === undefined) return [];
  const { sql, values } = conditionsOf(owner, range, conditions);
  if (match === null) return [{ sql: `FROM log l WHERE ${sql}`, values, order: "l.id" }];
  return [found(owner, range, { sql, values: [match, ...values] })];
}

/** What an entry must meet, but for the text. */
function conditionsOf(owner: Owner, range: LogRange, conditions: readonly string[]): Omit<Selection, "order"> {
  const all = [...conditions, "l.owner = ?"];
  const values: Value[] = [owner.number];
  const must = (condition: string, ...value: Value[]) => {
    all.push(condition);
    values.push(...value);
  };
  if (range.after !== undefined) must("l.id > ?", range.after);
  if (range.before !== undefined) must("l.id < ?", range.before);
  if (range.shown) must(`NOT l.marks & ${Mark.hidden}`);
  if (range.with !== undefined) {
    must("l.peer = (SELECT number FROM peers WHERE name = ?)", range.with);
    if (range.resource !== undefined) must("l.resource = ?", range.resource);
  }
  if (range.ids) must("l.id IN (SELECT value FROM json_each(?))", JSON.stringify(range.ids));
  if (range.originId !== undefined) must("l.origin = ?", range.originId);
  return { sql: all.join(" AND "), values };
}

/** The index of words comes first: it knows best how few they are. Where its order is that of the ids, a page ends when it is full. */
function found(owner: Owner, { after, before }: LogRange, { sql, values }: Omit<Selection, "order">): Selection {
  const from = "FROM words w CROSS JOIN log l ON l.number = w.rowid WHERE w.words MATCH ?";
  if (!owner.inOrder) return { sql: `${from} AND ${sql}`, values, order: "l.id" };
  const bounds: Value[] = [];
  let within = "";
  if (after !== undefined) {
    within += ` AND w.rowid > coalesce((SELECT number FROM log WHERE owner = ? AND id <= ? ORDER BY id DESC LIMIT 1), 0)`;
    bounds.push(owner.number, after);
  }
  if (before !== undefined) {
    within += ` AND w.rowid < coalesce((SELECT number FROM log WHERE owner = ? AND id >= ? ORDER BY id LIMIT 1), ${Number.MAX_SAFE_INTEGER})`;
    bounds.push(owner.number, before);
  }
  const [match = null, ...others] = values;
  return { sql: `${from}${within} AND ${sql}`, values: [match, ...bounds, ...others], order: "w.rowid" };
}

function pushEntry(items: (string | number | null)[], row: Columns, cursor: Cursor): void {
  const id = Number(row["id"]);
  const marks = Number(row["marks"]);
  const isOpen = (marks & Mark.pending) !== 0 && (id > cursor.settledTo || cursor.open.includes(id));
  items.push(id, String(row["peer"]), textOrNull(row["resource"]), wireOfBlob(row["stanza"]));
  items.push(isOpen ? 1 : 0, (marks & Mark.hidden) === 0 ? 0 : 1, textOrNull(row["origin"]));
}

function textOrNull(value: Value | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function wireOfBlob(blob: Value | undefined): string {
  if (!(blob instanceof Uint8Array)) throw new Error("a log entry without bytes");
  return wireOf(Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength));
}
