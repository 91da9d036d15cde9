// What a memory store has written: outlives the driver, so that a test can "restart". Each unit is applied whole or not at all.
import type { LogRow } from "../port.js";
import { toWire } from "../../xml/wire.js";
import type { Append, Outcome, Put, Remove, Revise, Settle, Unit, Write } from "../writes.js";

/** A document as it is kept. */
export interface Cell {
  readonly text: string;
  readonly version: number;
}

const NOTHING = toWire("");

type Undo = () => void;
type Cells = Map<string, Cell>;

/** The contents of a memory store. */
export class MemoryDisk {
  readonly #stores = new Map<string, Map<string, Cells>>();
  readonly #logs = new Map<string, LogRow[]>();
  #highestId = 0;

  get highestId(): number {
    return this.#highestId;
  }

  cell(store: string, owner: string, key: string): Cell | undefined {
    return this.#stores.get(store)?.get(owner)?.get(key);
  }

  cellsOf(store: string, owner: string): Iterable<[string, Cell]> {
    return this.#stores.get(store)?.get(owner) ?? [];
  }

  ownersOf(store: string): Iterable<string> {
    return this.#stores.get(store)?.keys() ?? [];
  }

  /** The owner's log by rising id. */
  logOf(owner: string): readonly LogRow[] {
    return this.#logs.get(owner) ?? [];
  }

  /** The owners with log entries, in no order. */
  logOwners(): string[] {
    return [...this.#logs].flatMap(([owner, rows]) => (rows.length > 0 ? [owner] : []));
  }

  /** Removes the first entries below `before` that are not pending. */
  purge(owner: string, before: number, limit: number): number {
    const rows = this.#logs.get(owner) ?? [];
    const removed = new Set(rows.filter((row) => row.id < before && !row.pending).slice(0, limit));
    if (removed.size > 0)
      this.#logs.set(
        owner,
        rows.filter((row) => !removed.has(row)),
      );
    return removed.size;
  }

  /** Applies the writes in order; the first that conflicts takes back those before it. */
  apply(unit: Unit): Outcome {
    const undos: Undo[] = [];
    for (const write of unit.writes) {
      const undo = this.#write(write);
      if (undo === "conflict") {
        for (const back of undos.reverse()) back();
        return "conflict";
      }
      undos.push(undo);
    }
    for (const write of unit.writes) if (write.op === "append") this.#highestId = Math.max(this.#highestId, write.id);
    return "done";
  }

  #write(write: Write): Undo | "conflict" {
    switch (write.op) {
      case "put":
        return this.#put(write);
      case "remove":
        return this.#remove(write);
      case "append":
        return this.#append(write);
      case "settle":
        return this.#settle(write);
      case "revise":
        return this.#revise(write);
      case "erase":
        return this.#erase(write.owner);
    }
  }

  #put({ store, owner, key, doc, ifAbsent, ifVersion }: Put): Undo | "conflict" {
    const old = this.cell(store, owner, key);
    if ((ifAbsent && old) || (ifVersion !== undefined && old?.version !== ifVersion)) return "conflict";
    const cells = this.#cells(store, owner);
    cells.set(key, { text: JSON.stringify(doc), version: (old?.version ?? 0) + 1 });
    return () => (old ? cells.set(key, old) : cells.delete(key));
  }

  #remove({ store, owner, key, ifVersion }: Remove): Undo | "conflict" {
    const old = this.cell(store, owner, key);
    if (ifVersion !== undefined && old?.version !== ifVersion) return "conflict";
    const cells = this.#cells(store, owner);
    cells.delete(key);
    return () => old && cells.set(key, old);
  }

  #append({ owner, id, entry }: Append): Undo {
    const rows = this.#logs.get(owner) ?? [];
    this.#logs.set(owner, rows);
    let at = rows.length;
    while (at > 0 && (rows[at - 1]?.id ?? 0) > id) at--;
    if (rows[at - 1]?.id === id) return () => undefined;
    rows.splice(at, 0, Object.freeze({ ...entry, owner, id }));
    return () => rows.splice(at, 1);
  }

  #settle({ owner, ids }: Settle): Undo {
    const settled = new Set(ids);
    return this.#replace(owner, (row) => (row.pending && settled.has(row.id) ? settledRow(row) : row));
  }

  #revise({ owner, id, stanza }: Revise): Undo {
    return this.#replace(owner, (row) => (row.id === id ? { ...row, stanza } : row));
  }

  #replace(owner: string, change: (row: LogRow) => LogRow): Undo {
    const old = this.#logs.get(owner);
    if (!old) return () => undefined;
    this.#logs.set(
      owner,
      old.map((row) => Object.freeze(change(row))),
    );
    return () => this.#logs.set(owner, old);
  }

  #erase(owner: string): Undo {
    const log = this.#logs.get(owner);
    const cells = [...this.#stores.values()].map((owners) => [owners, owners.get(owner)] as const);
    this.#logs.delete(owner);
    for (const [owners] of cells) owners.delete(owner);
    return () => {
      if (log) this.#logs.set(owner, log);
      for (const [owners, kept] of cells) if (kept) owners.set(owner, kept);
    };
  }

  #cells(store: string, owner: string): Cells {
    const owners = this.#stores.get(store) ?? new Map<string, Cells>();
    this.#stores.set(store, owners);
    const cells = owners.get(owner) ?? new Map<string, Cell>();
    owners.set(owner, cells);
    return cells;
  }
}

function settledRow(row: LogRow): LogRow {
  return row.hidden ? { ...row, pending: false, stanza: NOTHING } : { ...row, pending: false };
}
