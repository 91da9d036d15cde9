// The writes of logs, inside whatever transaction the writer has begun.
import { bytesOf } from "../../xml/wire.js";
import type { Wire } from "../../xml/wire.js";
import type { Database, Statement } from "./engine.js";
import { Mark } from "./marks.js";
import type { Owner } from "./owners.js";
import { Owners } from "./owners.js";
import type { Tape } from "./packing.js";
import { Remembered } from "./remembered.js";
import { WordIndex } from "./word-index.js";

const MAX_PEERS = 200_000;
/** Entries removed in one slice of purge() or discard(): about 10 ms of work. */
const SLICE_ENTRIES = 256;

export class LogScribe {
  readonly words: WordIndex;
  readonly #owners: Owners;
  readonly #peers = new Remembered<number>(MAX_PEERS);
  readonly #run: Statements;

  constructor(db: Database) {
    this.words = new WordIndex(db);
    this.#owners = new Owners(db);
    this.#run = prepare(db);
  }

  append(tape: Tape): void {
    const owner = this.#owners.of(tape.text());
    const id = tape.number();
    const peer = this.#peerOf(tape.text());
    const stanza = bytesOf(tape.text() as Wire);
    const pending = tape.number() === 1;
    const hidden = tape.number() === 1;
    const origin = tape.textOrNull();
    const resource = tape.textOrNull();
    if (id <= owner.last && this.#run.find.get(owner.number, id)) return;
    this.#owners.touch(owner);
    if (pending) this.#appendOpen(owner, id, hidden);
    const marks = (pending ? Mark.pending : 0) | (hidden ? Mark.hidden : 0);
    this.#run.append.run(owner.number, id, marks, peer, resource, origin, stanza);
    if (id < owner.last) this.#run.outOfOrder.run(owner.number);
    else owner.last = id;
  }

  /** Above all others it cannot be below the watermark: then nobody needs to know the other pending entries. */
  #appendOpen(owner: Owner, id: number, hidden: boolean): void {
    if (!owner.open && id > owner.last) return;
    this.#owners.change(owner, this.#owners.openOf(owner).append({ id, hidden }), 1);
  }

  settle(tape: Tape): void {
    const owner = this.#owners.find(tape.text());
    const ids: number[] = [];
    for (let left = tape.number(); left > 0; left--) ids.push(tape.number());
    if (!owner) return;
    this.#owners.touch(owner);
    const settled = this.#owners.openOf(owner).settle(ids);
    this.#owners.change(owner, settled);
    for (const id of settled.hidden) this.#run.empty.run(owner.number, id);
    for (const id of settled.beyond) this.#run.settle.run(owner.number, id);
  }

  revise(tape: Tape): void {
    const owner = this.#owners.find(tape.text());
    const id = tape.number();
    const stanza = bytesOf(tape.text() as Wire);
    const row = owner && this.#run.find.get(owner.number, id);
    if (!row) return;
    this.#run.revise.run(stanza, Number(row["number"]));
    this.words.revise(Number(row["number"]), owner.number, Number(row["marks"]), stanza);
  }

  /** Without its owner nobody finds an entry. */
  erase(name: string): void {
    const owner = this.#owners.find(name);
    if (!owner) return;
    this.#run.raiseErased.run(owner.last);
    this.#owners.remove(owner);
  }

  /** Removes some entries of an erased owner, in the caller's transaction. True while there are more, or more such owners. */
  discard(): boolean {
    const owner = this.#run.erasedOwner.get()?.["number"];
    if (owner === undefined) return false;
    const numbers = this.#run.someOf.all(owner, SLICE_ENTRIES).map((row) => Number(row["number"]));
    this.#removeRows(numbers);
    if (numbers.length < SLICE_ENTRIES) this.#run.forgetErased.run(owner);
    return true;
  }

  /** Removes the oldest entries below `before` that are not pending, in the caller's transaction. */
  purge(name: string, before: number, limit: number): number {
    const owner = this.#owners.find(name);
    if (!owner) return 0;
    const found = this.#settledBelow(owner, before, Math.min(limit, SLICE_ENTRIES));
    if (found.length === 0) return 0;
    this.#run.raiseErased.run(found.at(-1)?.id ?? 0);
    this.#removeRows(found.map(({ number }) => number));
    return found.length;
  }

  #removeRows(numbers: readonly number[]): void {
    for (const number of numbers) this.#run.remove.run(number);
    this.words.removed(numbers);
  }

  /** By the cursor in the row: between two batches it is that in memory. */
  #settledBelow(owner: Owner, before: number, limit: number): { readonly number: number; readonly id: number }[] {
    const rows = this.#run.settledBelow.all(owner.number, before, limit);
    return rows.map((row) => ({ number: Number(row["number"]), id: Number(row["id"]) }));
  }

  /** Writes what has been kept back. Before each savepoint and commit. */
  flush(): void {
    this.#owners.flush();
  }

  savepoint(): void {
    this.#owners.savepoint();
    this.#peers.savepoint();
  }

  takeBack(): void {
    this.#owners.takeBack();
    this.#peers.takeBack();
  }

  rollback(): void {
    this.#owners.rollback();
    this.#peers.rollback();
  }

  commit(): void {
    this.#owners.commit();
    this.#peers.commit();
  }

  #peerOf(name: string): number {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const row = this.#run.peer.get(name) ?? this.#run.addPeer.get(name);
    return this.#peers.set(name, Number(row?.["number"]));
  }
}

type Statements = Readonly<Record<keyof typeof SQL, Statement>>;

const SQL = {
  peer: "SELECT number FROM peers WHERE name = ?",
  addPeer: "INSERT INTO peers (name) VALUES (?) RETURNING number",
  append: "INSERT INTO log (owner, id, marks, peer, resource, origin, stanza) VALUES (?, ?, ?, ?, ?, ?, ?)",
  outOfOrder: "UPDATE owners SET in_order = 0 WHERE number = ? AND in_order",
  find: "SELECT number, marks FROM log WHERE owner = ? AND id = ?",
  settle: `UPDATE log SET marks = marks & ~${Mark.pending}, stanza = CASE WHEN marks & ${Mark.hidden} THEN x'' ELSE stanza END
    WHERE owner = ? AND id = ? AND marks & ${Mark.pending}`,
  empty: "UPDATE log SET stanza = x'' WHERE owner = ? AND id = ?",
  revise: "UPDATE log SET stanza = ? WHERE number = ?",
  settledBelow: `SELECT l.number, l.id FROM owners o CROSS JOIN log l ON l.owner = o.number WHERE o.number = ? AND l.id < ?
    AND NOT (l.marks & ${Mark.pending} AND (l.id > o.settled_to OR l.id IN (SELECT value FROM json_each(o.open)))) ORDER BY l.id LIMIT ?`,
  remove: "DELETE FROM log WHERE number = ?",
  raiseErased: "UPDATE facts SET value = max(value, ?) WHERE name = 'erased id'",
  erasedOwner: "SELECT number FROM erased_owners LIMIT 1",
  someOf: "SELECT number FROM log WHERE owner = ? LIMIT ?",
  forgetErased: "DELETE FROM erased_owners WHERE number = ?",
} as const;

function prepare(db: Database): Statements {
  const statements = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(statements) as Statements;
}
