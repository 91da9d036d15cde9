// The reading side, in its own thread on a connection that cannot write: no page of an archive waits for a commit.
// Answers are flat lists, which cost little to copy between threads.
import { wireOf } from "../../xml/wire.js";
import type { Database, Value } from "./engine.js";
import { openForReading } from "./file.js";
import type { FileOptions } from "./file.js";

/** Per row: store, owner, key, document as JSON, version. */
export type PackedRows = readonly (string | number)[];

/** Per entry: id, the other side, stanza as wire text, pending, hidden, origin id. */
export type PackedEntries = readonly (string | number | null)[];

/** Which entries of a log; the bounds are exclusive. */
export interface LogRequest {
  readonly owner: string;
  readonly after: number;
  readonly before: number;
  readonly pending: boolean;
  readonly backwards: boolean;
  readonly limit: number;
}

const ROW = "SELECT s.name AS store, d.owner, d.key, d.doc, d.version FROM";
const PLACED =
  "documents d JOIN stores s ON s.number = d.store WHERE d.store = (SELECT number FROM stores WHERE name = ?)";
const OWNED = "WHERE owner = (SELECT number FROM owners WHERE name = ?) AND id > ? AND id < ?";

export class Reader {
  readonly #db: Database;
  readonly #statements = new Map<string, ReturnType<Database["prepare"]>>();

  constructor(options: FileOptions) {
    this.#db = openForReading(options);
  }

  /** The rows of each owner in each store, in that order, all from one moment. */
  load({ owners, stores }: { readonly owners: readonly string[]; readonly stores: readonly string[] }): PackedRows {
    this.#db.exec("BEGIN");
    try {
      return owners.flatMap((owner) =>
        stores.flatMap((store) => this.#rows(`${ROW} ${PLACED} AND d.owner = ? ORDER BY d.key`, store, owner)),
      );
    } finally {
      this.#db.exec("COMMIT");
    }
  }

  get({ store, owner, key }: { readonly store: string; readonly owner: string; readonly key: string }): PackedRows {
    return this.#rows(`${ROW} ${PLACED} AND d.owner = ? AND d.key = ?`, store, owner, key);
  }

  /** Rows behind a place; from the start without one. */
  list({
    store,
    after,
    limit,
  }: {
    readonly store: string;
    readonly after?: Place;
    readonly limit: number;
  }): PackedRows {
    const order = "ORDER BY d.owner, d.key LIMIT ?";
    if (!after) return this.#rows(`${ROW} ${PLACED} ${order}`, store, limit);
    return this.#rows(`${ROW} ${PLACED} AND (d.owner, d.key) > (?, ?) ${order}`, store, after.owner, after.key, limit);
  }

  find({ store, field, value, limit }: FindRequest): PackedRows {
    const sql = `${ROW} lookups l JOIN documents d ON d.number = l.document JOIN stores s ON s.number = d.store
      WHERE l.store = (SELECT number FROM stores WHERE name = ?) AND l.field = ? AND l.value = ? ORDER BY d.owner, d.key LIMIT ?`;
    return this.#rows(sql, store, field, value, limit);
  }

  log({ owner, after, before, pending, backwards, limit }: LogRequest): PackedEntries {
    const order = `ORDER BY id ${backwards ? "DESC" : "ASC"} LIMIT ?`;
    const sql = `SELECT id, peer, stanza, pending, hidden, origin FROM log ${pendingOnly(pending)} ${order}`;
    const items: (string | number | null)[] = [];
    for (const row of this.#prepared(sql).iterate(owner, after, before, limit))
      items.push(
        Number(row["id"]),
        String(row["peer"]),
        textOf(row["stanza"]),
        Number(row["pending"]),
        Number(row["hidden"]),
        row["origin"] === null ? null : String(row["origin"]),
      );
    return items;
  }

  countLog({ owner, after, before, pending }: LogRequest): number {
    const sql = `SELECT count(*) AS n FROM log ${pendingOnly(pending)}`;
    return Number(this.#prepared(sql).get(owner, after, before)?.["n"]);
  }

  /** By one step per owner through the index, not by a walk over all entries. */
  highestId(): number {
    const sql = `SELECT max(coalesce((SELECT max((SELECT max(id) FROM log WHERE log.owner = owners.number)) FROM owners), 0),
      (SELECT value FROM facts WHERE name = 'erased id')) AS n`;
    return Number(this.#prepared(sql).get()?.["n"]);
  }

  close(): void {
    this.#db.close();
  }

  #rows(sql: string, ...values: readonly Value[]): PackedRows {
    return this.#prepared(sql)
      .all(...values)
      .flatMap((row) => [
        String(row["store"]),
        String(row["owner"]),
        String(row["key"]),
        String(row["doc"]),
        Number(row["version"]),
      ]);
  }

  /** The texts are made of the few constants above, so there are few of them. */
  #prepared(sql: string): ReturnType<Database["prepare"]> {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

export interface Place {
  readonly owner: string;
  readonly key: string;
}

export interface FindRequest {
  readonly store: string;
  readonly field: string;
  readonly value: string;
  readonly limit: number;
}

function pendingOnly(pending: boolean): string {
  return pending ? `INDEXED BY log_pending ${OWNED} AND pending = 1` : OWNED;
}

function textOf(blob: Value | undefined): string {
  if (!(blob instanceof Uint8Array)) throw new Error("a log entry without bytes");
  return wireOf(Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength));
}
