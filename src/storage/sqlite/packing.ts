// How units travel to the writer thread: one flat list of strings and numbers, which costs far less to copy between
// threads than objects. pack() and Tape are each other's mirror image.
import type { DeclaredStores } from "../lookups.js";
import { valuesOf } from "../lookups.js";
import type { Append, Put, Unit, Write } from "../writes.js";

/** A batch on its way: per unit its length in items, whether it has conditions, and its writes. */
export type Packed = readonly Item[];
type Item = string | number | null;

/** What opens each write of a packed unit. */
export const Op = { put: 1, remove: 2, append: 3, settle: 4, erase: 5, revise: 6 } as const;

/** The version a row must have, or one of these. */
export const Expect = { anything: 0, absent: -1, impossible: -2 } as const;

/** Throws if a write names a store that is not declared, or a document is not JSON. */
export function pack(units: readonly Unit[], declared: DeclaredStores): Packed {
  const items: Item[] = [];
  for (const unit of units) {
    const start = items.length;
    items.push(0, unit.writes.some(hasCondition) ? 1 : 0);
    for (const write of unit.writes) packWrite(items, write, declared);
    items[start] = items.length - start - 2;
  }
  return items;
}

function packWrite(items: Item[], write: Write, declared: DeclaredStores): void {
  switch (write.op) {
    case "put":
      return packPut(items, write, declared.fieldsOf(write.store));
    case "remove":
      declared.fieldsOf(write.store);
      items.push(Op.remove, write.store, write.owner, write.key, write.ifVersion ?? Expect.anything);
      return;
    case "append":
      return packAppend(items, write);
    case "settle":
      items.push(Op.settle, write.owner, write.ids.length);
      for (const id of write.ids) items.push(id);
      return;
    case "revise":
      items.push(Op.revise, write.owner, write.id, write.stanza);
      return;
    case "erase":
      items.push(Op.erase, write.owner);
      return;
  }
}

function packPut(items: Item[], put: Put, fields: readonly string[]): void {
  items.push(Op.put, put.store, put.owner, put.key, JSON.stringify(put.doc), expectationOf(put));
  const values = fields.flatMap((field) => valuesOf(put.doc, field).flatMap((value) => [field, value]));
  items.push(values.length / 2, ...values);
}

function packAppend(items: Item[], { owner, id, entry }: Append): void {
  const marks = [entry.pending ? 1 : 0, entry.hidden ? 1 : 0];
  items.push(Op.append, owner, id, entry.with, entry.stanza, ...marks, entry.originId ?? null, entry.resource ?? null);
}

function expectationOf({ ifAbsent, ifVersion }: Put): number {
  if (!ifAbsent) return ifVersion ?? Expect.anything;
  return ifVersion === undefined ? Expect.absent : Expect.impossible;
}

function hasCondition(write: Write): boolean {
  if (write.op === "put") return expectationOf(write) !== Expect.anything;
  return write.op === "remove" && write.ifVersion !== undefined;
}

/** Where one unit of a batch lies. */
export interface PackedUnit {
  readonly start: number;
  readonly end: number;
  /** Has an ifAbsent or ifVersion, so it may have to be taken back. */
  readonly conditional: boolean;
}

/** Reads a packed batch item by item. */
export class Tape {
  readonly #items: Packed;
  at = 0;

  constructor(items: Packed) {
    this.#items = items;
  }

  units(): PackedUnit[] {
    const units: PackedUnit[] = [];
    for (this.at = 0; this.at < this.#items.length;) {
      const length = this.number();
      const conditional = this.number() === 1;
      units.push({ start: this.at, end: this.at + length, conditional });
      this.at += length;
    }
    return units;
  }

  number(): number {
    const item = this.#items[this.at++];
    if (typeof item !== "number") throw new Error("a number was expected in the batch");
    return item;
  }

  text(): string {
    const item = this.#items[this.at++];
    if (typeof item !== "string") throw new Error("a text was expected in the batch");
    return item;
  }

  textOrNull(): string | null {
    return this.#items[this.at] === null ? (this.at++, null) : this.text();
  }
}
