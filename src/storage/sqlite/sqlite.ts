// The SQLite driver: the storage port in front of one writing and one reading thread.
import type { Wire } from "../../xml/wire.js";
import { DeclaredStores } from "../lookups.js";
import { byBytes } from "../order.js";
import { partsOf, StoreFault } from "../port.js";
import type { LogQuery, LogRange, LogRow, LogSize, OwnerPage, Page, Row, Storage, StoreSpec } from "../port.js";
import type { Doc, Outcome, Unit } from "../writes.js";
import { fromMessage } from "./faults.js";
import type { FileOptions } from "./file.js";
import { pack } from "./packing.js";
import { Indexing } from "./indexing.js";
import type { PackedEntries } from "./log-reader.js";
import type { PackedRows, Reader } from "./reader.js";
import { Thread } from "./thread.js";
import type { Writer } from "./writer.js";

export interface SqliteOptions {
  /** Told of each fault that refused units or left their outcome unknown. */
  readonly report?: (fault: StoreFault) => void;
  /** The most pages (of 4 KiB) the file may have: stands in for a full disk in tests. */
  readonly maxPages?: number;
}

/** Opens the file, making or migrating it. Rejects with a StoreFault; then nothing in it has changed. */
export async function openSqlite(
  file: string,
  stores: readonly StoreSpec[],
  { report, maxPages }: SqliteOptions = {},
): Promise<Storage> {
  const declared = new DeclaredStores(stores);
  const options: FileOptions = { file, stores, ...(maxPages === undefined ? {} : { maxPages }) };
  const program = new URL("./worker.js", import.meta.url);
  const writer = await Thread.start<Writer>(program, { role: "writer", options });
  try {
    const reader = await Thread.start<Reader>(program, { role: "reader", options });
    return new SqliteStorage(declared, writer, reader, report);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

export class SqliteStorage implements Storage {
  readonly #declared: DeclaredStores;
  readonly #writer: Thread<Writer>;
  readonly #reader: Thread<Reader>;
  readonly #report: (fault: StoreFault) => void;
  readonly #indexing: Indexing;

  constructor(
    declared: DeclaredStores,
    writer: Thread<Writer>,
    reader: Thread<Reader>,
    report: (fault: StoreFault) => void = () => undefined,
  ) {
    this.#declared = declared;
    this.#writer = writer;
    this.#reader = reader;
    this.#report = report;
    const side = { index: () => writer.call("index"), turn: () => writer.call("turn") };
    this.#indexing = new Indexing(side, (error) => this.#indexingFailed(error));
  }

  async commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    const batch = pack(units, this.#declared);
    if (this.#writer.gone) return units.map(() => "refused");
    const finished = this.#indexing.begin(appendsOf(units));
    try {
      const { outcomes, fault } = await this.#writer.call("commit", batch);
      if (fault) this.#report(fromMessage(fault));
      return outcomes ?? units.map(() => "done");
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error;
      this.#report(error);
      return units.map(() => "unknown");
    } finally {
      finished();
    }
  }

  /** The next search tries again, and says what it meets. */
  #indexingFailed(error: unknown): void {
    if (this.#writer.gone) return;
    if (!(error instanceof StoreFault)) throw error;
    this.#report(error);
  }

  async load(owners: readonly string[], stores: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    for (const store of stores) this.#declared.fieldsOf(store);
    const loaded = new Map<string, Row[]>(owners.map((owner) => [owner, []]));
    const packed = await this.#reader.call("load", { owners: [...loaded.keys()], stores: [...stores].sort(byBytes) });
    for (const row of unpackRows(packed)) loaded.get(row.owner)?.push(row);
    return loaded;
  }

  async get(store: string, owner: string, key: string): Promise<Row | undefined> {
    this.#declared.fieldsOf(store);
    return unpackRows(await this.#reader.call("get", { store, owner, key }))[0];
  }

  async list(store: string, { after, limit }: Page): Promise<readonly Row[]> {
    this.#declared.fieldsOf(store);
    const place = after === undefined ? {} : { after: partsOf(after) };
    return unpackRows(await this.#reader.call("list", { store, limit, ...place }));
  }

  async find(store: string, field: string, value: string, limit: number): Promise<readonly Row[]> {
    this.#declared.checkField(store, field);
    return unpackRows(await this.#reader.call("find", { store, field, value, limit }));
  }

  async log(owner: string, query: LogQuery): Promise<readonly LogRow[]> {
    if (query.text !== undefined) await this.#indexing.catchUp();
    return unpackEntries(owner, await this.#reader.call("log", { owner, query }));
  }

  async countLog(owner: string, range: LogRange): Promise<number> {
    if (range.text !== undefined) await this.#indexing.catchUp();
    let total = 0;
    for (let rest = range; ;) {
      const { count, next } = await this.#reader.call("countLog", { owner, range: rest });
      total += count;
      if (next === undefined) return total;
      rest = { ...rest, after: next };
    }
  }

  async logOwners({ after = "", limit }: OwnerPage): Promise<readonly string[]> {
    return this.#reader.call("logOwners", { after, limit });
  }

  async measure(owner: string, { after = -1, limit }: { after?: number; limit: number }): Promise<LogSize> {
    return this.#reader.call("measure", { owner, after, limit });
  }

  async purge(owner: string, { before, limit }: { before: number; limit: number }): Promise<number> {
    return this.#writer.call("purge", { owner, before, limit });
  }

  async discard(): Promise<boolean> {
    return this.#writer.call("discard");
  }

  async shrink(): Promise<boolean> {
    return this.#writer.call("shrink");
  }

  async highestId(): Promise<number> {
    return this.#reader.call("highestId");
  }

  async probe(): Promise<void> {
    return this.#writer.call("probe");
  }

  /** The reader first: the last connection to go folds the write-ahead log into the file, which only the writer can. */
  async close(): Promise<void> {
    await this.#reader.close();
    await this.#writer.close();
  }
}

function appendsOf(units: readonly Unit[]): number {
  let appends = 0;
  for (const { writes } of units) for (const write of writes) if (write.op === "append") appends++;
  return appends;
}

function unpackRows(items: PackedRows): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < items.length; at += 5) {
    const [store, owner, key, doc, version] = items.slice(at, at + 5) as [string, string, string, string, number];
    rows.push({ store, owner, key, doc: JSON.parse(doc) as Doc, version });
  }
  return rows;
}

const ENTRY_ITEMS = 7;

function unpackEntries(owner: string, items: PackedEntries): LogRow[] {
  const rows: LogRow[] = [];
  for (let at = 0; at < items.length; at += ENTRY_ITEMS) {
    const packed = items.slice(at, at + ENTRY_ITEMS) as PackedEntry;
    const [id, peer, resource, stanza, pending, hidden, originId] = packed;
    rows.push({
      owner,
      id,
      with: peer,
      ...(resource === null ? {} : { resource }),
      stanza,
      pending: pending === 1,
      hidden: hidden === 1,
      ...(originId === null ? {} : { originId }),
    });
  }
  return rows;
}

type PackedEntry = [
  id: number,
  peer: string,
  resource: string | null,
  stanza: Wire,
  pending: number,
  hidden: number,
  origin: string | null,
];
