// The reading side, in its own thread on a connection that cannot write: no page of an archive waits for a commit.
// Answers are flat lists, which cost little to copy between threads.
import type { Database, Value } from "./engine.js";
import { openForReading } from "./file.js";
import type { FileOptions } from "./file.js";
import { LogReader } from "./log-reader.js";
import type { CountRequest, LogRequest, MeasureRequest, PackedEntries, PartialCount } from "./log-reader.js";
import type { LogSize } from "../port.js";

/** Per row: store, owner, key, document as JSON, version. */
export type PackedRows = readonly (string | number)[];

const ROW = "SELECT s.name AS store, d.owner, d.key, d.doc, d.version FROM";
const PLACED =
  "documents d JOIN stores s ON s.number = d.store WHERE d.store = (SELECT number FROM stores WHERE name = ?)";

export class Reader {
  readonly #db: Database;
  readonly #log: LogReader;
  readonly #statements = new Map<string, ReturnType<Database["prepare"]>>();

  constructor(options: FileOptions) {
    this.#db = openForReading(options);
    this.#log = new LogReader(this.#db);
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

  log(request: LogRequest): PackedEntries {
    return this.#log.page(request);
  }

  countLog(request: CountRequest): PartialCount {
    return this.#log.count(request);
  }

  measure(request: MeasureRequest): LogSize {
    return this.#log.measure(request);
  }

  logOwners(page: { readonly after: string; readonly limit: number }): readonly string[] {
    return this.#log.owners(page);
  }

  highestId(): number {
    return this.#log.highestId();
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
