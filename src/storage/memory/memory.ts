// The reference driver: everything in memory, for unit tests and simulation. It keeps documents as JSON text, as a
// real store does, so that nobody comes to rely on shared objects.
import { DeclaredStores, valuesOf } from "../lookups.js";
import { byBytes } from "../order.js";
import { partsOf, StoreFault } from "../port.js";
import type { LogQuery, LogRange, LogRow, LogSize, OwnerPage, Page, Row, Storage, StoreSpec } from "../port.js";
import type { Doc, Outcome, Unit } from "../writes.js";
import { MemoryDisk } from "./disk.js";
import type { Cell } from "./disk.js";
import { conditionOf } from "./range.js";

/** Opens a store in memory. What is written lives as long as the disk object: hand it over again to "restart". */
export function openMemory(stores: readonly StoreSpec[], disk: MemoryDisk = new MemoryDisk()): Storage {
  return new MemoryStorage(new DeclaredStores(stores), disk);
}

class MemoryStorage implements Storage {
  readonly #declared: DeclaredStores;
  readonly #disk: MemoryDisk;
  #open = true;

  constructor(declared: DeclaredStores, disk: MemoryDisk) {
    this.#declared = declared;
    this.#disk = disk;
  }

  async commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    await Promise.resolve();
    if (!this.#open) return units.map(() => "refused");
    for (const unit of units)
      for (const write of unit.writes) if ("store" in write) this.#declared.fieldsOf(write.store);
    return units.map((unit) => this.#disk.apply(unit));
  }

  async load(owners: readonly string[], stores: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    await this.#answering();
    const ordered = [...stores].sort(byBytes);
    for (const store of ordered) this.#declared.fieldsOf(store);
    return new Map(owners.map((owner) => [owner, ordered.flatMap((store) => this.#rowsOf(store, owner))]));
  }

  async get(store: string, owner: string, key: string): Promise<Row | undefined> {
    await this.#answering();
    this.#declared.fieldsOf(store);
    const cell = this.#disk.cell(store, owner, key);
    return cell && rowOf(store, owner, key, cell);
  }

  async list(store: string, page: Page): Promise<readonly Row[]> {
    await this.#answering();
    this.#declared.fieldsOf(store);
    const after = page.after === undefined ? undefined : partsOf(page.after);
    const rows = this.#allRows(store);
    const behind = after ? rows.filter((row) => byPlace(row, after) > 0) : rows;
    return behind.slice(0, page.limit);
  }

  async find(store: string, field: string, value: string, limit: number): Promise<readonly Row[]> {
    await this.#answering();
    this.#declared.checkField(store, field);
    return this.#allRows(store)
      .filter((row) => valuesOf(row.doc, field).includes(value))
      .slice(0, limit);
  }

  async log(owner: string, query: LogQuery): Promise<readonly LogRow[]> {
    await this.#answering();
    const rows = this.#range(owner, query);
    return (query.backwards ? rows.reverse() : rows).slice(0, query.limit);
  }

  async countLog(owner: string, range: LogRange): Promise<number> {
    await this.#answering();
    return this.#range(owner, range).length;
  }

  async logOwners({ after, limit }: OwnerPage): Promise<readonly string[]> {
    await this.#answering();
    const owners = this.#disk.logOwners().sort(byBytes);
    return owners.filter((owner) => after === undefined || byBytes(owner, after) > 0).slice(0, limit);
  }

  async measure(owner: string, { after, limit }: { after?: number; limit: number }): Promise<LogSize> {
    const rows = await this.log(owner, { limit, ...(after === undefined ? {} : { after }) });
    const size = { entries: rows.length, bytes: rows.reduce((sum, row) => sum + row.stanza.length, 0) };
    const last = rows.at(-1)?.id;
    return last === undefined ? size : { ...size, last };
  }

  async purge(owner: string, { before, limit }: { before: number; limit: number }): Promise<number> {
    await this.#answering();
    return this.#disk.purge(owner, before, limit);
  }

  async discard(): Promise<boolean> {
    await this.#answering();
    return false;
  }

  async shrink(): Promise<boolean> {
    await this.#answering();
    return false;
  }

  async highestId(): Promise<number> {
    await this.#answering();
    return this.#disk.highestId;
  }

  async probe(): Promise<void> {
    await this.#answering();
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.#open = false;
  }

  /** Answers come in a later turn, as from any other driver, and not at all once it is closed. */
  async #answering(): Promise<void> {
    await Promise.resolve();
    if (!this.#open) throw new StoreFault("closed", "the store is closed", "open it again");
  }

  #rowsOf(store: string, owner: string): Row[] {
    const cells = [...this.#disk.cellsOf(store, owner)];
    return cells.map(([key, cell]) => rowOf(store, owner, key, cell)).sort(byPlace);
  }

  #allRows(store: string): Row[] {
    return [...this.#disk.ownersOf(store)].sort(byBytes).flatMap((owner) => this.#rowsOf(store, owner));
  }

  #range(owner: string, range: LogRange): LogRow[] {
    const meets = conditionOf(range);
    return this.#disk.logOf(owner).filter(meets);
  }
}

function rowOf(store: string, owner: string, key: string, cell: Cell): Row {
  return { store, owner, key, doc: JSON.parse(cell.text) as Doc, version: cell.version };
}

type Place = Pick<Row, "owner" | "key">;

function byPlace(a: Place, b: Place): number {
  return byBytes(a.owner, b.owner) || byBytes(a.key, b.key);
}
