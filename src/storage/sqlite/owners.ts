// The owners of logs as the writer knows them: their numbers, their highest ids, and, of the busy ones, which entries are pending.
import type { CursorChange } from "../pending.js";
import { OpenEntries } from "../pending.js";
import type { Database, Statement } from "./engine.js";
import { cursorOf, Mark } from "./marks.js";
import { Remembered } from "./remembered.js";

const MAX_OWNERS = 100_000; // some 20 MB of names and numbers
/** Pending entries of one owner taken into memory at a time, lowest first: a flood of them is read in this order, too. */
const WINDOW = 4000;
const MAX_OPEN = 200_000; // pending entries at hand over all owners; as much again

/** An owner that has a row. */
export interface Owner {
  readonly name: string;
  readonly number: number;
  /** No entry has a higher id. */
  last: number;
  /** Its pending entries, once they were asked for. */
  open: OpenEntries | undefined;
  /** The cursor in memory is not that in the row. */
  moved: boolean;
}

export class Owners {
  readonly #owners = new Remembered<Owner>(MAX_OWNERS);
  readonly #find: Statement;
  readonly #add: Statement;
  readonly #last: Statement;
  readonly #cursor: Statement;
  readonly #marked: Statement;
  readonly #move: Statement;
  readonly #unmark: Statement;
  readonly #remove: Statement;
  readonly #keepNumber: Statement;
  /** Pending entries taken into memory since they were last counted, and those that were there then. */
  #taken = 0;

  constructor(db: Database) {
    this.#find = db.prepare("SELECT number FROM owners WHERE name = ?");
    this.#add = db.prepare(`
      INSERT INTO owners (name, number) SELECT ?, 1 + max(
        coalesce((SELECT max(number) FROM owners), 0), coalesce((SELECT max(number) FROM erased_owners), 0)) RETURNING number`);
    this.#last = db.prepare("SELECT max(id) AS id FROM log WHERE owner = ?");
    this.#cursor = db.prepare("SELECT settled_to, open FROM owners WHERE number = ?");
    this.#marked = db.prepare(`
      SELECT id, marks FROM log WHERE owner = ?1 AND id IN (SELECT value FROM json_each(?2)) AND marks & ${Mark.pending}
      UNION ALL SELECT * FROM
        (SELECT id, marks FROM log WHERE owner = ?1 AND id > ?3 AND marks & ${Mark.pending} ORDER BY id LIMIT ${WINDOW})`);
    this.#move = db.prepare("UPDATE owners SET settled_to = ?, open = ? WHERE number = ?");
    this.#unmark = db.prepare(
      `UPDATE log SET marks = marks & ~${Mark.pending} WHERE owner = ? AND id BETWEEN ? AND ? AND marks & ${Mark.pending}`,
    );
    this.#remove = db.prepare("DELETE FROM owners WHERE number = ?");
    this.#keepNumber = db.prepare("INSERT INTO erased_owners VALUES (?)");
  }

  /** The owner, made if it is new. */
  of(name: string): Owner {
    return this.find(name) ?? this.#remember(name, Number(this.#add.get(name)?.["number"]), -1);
  }

  find(name: string): Owner | undefined {
    const known = this.#owners.get(name);
    if (known) return known;
    const row = this.#find.get(name);
    if (!row) return undefined;
    const number = Number(row["number"]);
    return this.#remember(name, number, Number(this.#last.get(number)?.["id"] ?? -1));
  }

  /** Its pending entries. Whoever changes them gives what has to be written to change(). */
  openOf(owner: Owner): OpenEntries {
    if (owner.open?.isPartial && owner.open.size < WINDOW / 2) {
      this.#flushOne(owner);
      owner.open = undefined;
    }
    owner.open ??= this.#readOpen(owner.number);
    return owner.open;
  }

  #readOpen(number: number): OpenEntries {
    const row = this.#cursor.get(number);
    const cursor = cursorOf(row);
    const marked = this.#marked
      .all(number, String(row?.["open"]), cursor.settledTo)
      .map(({ id, marks }) => ({ id: Number(id), hidden: (Number(marks) & Mark.hidden) !== 0 }));
    this.#taken += marked.length;
    const isPartial = marked.length - cursor.open.length >= WINDOW;
    return new OpenEntries(cursor, marked, isPartial ? marked.at(-1)?.id : undefined);
  }

  /** The owner in memory is about to change. */
  touch(owner: Owner): void {
    this.#owners.touch(owner.name);
  }

  /** Has the change of its pending entries written; `taken`: how many more they are. */
  change(owner: Owner, { moved, unmark }: CursorChange, taken = 0): void {
    this.#taken += taken;
    owner.moved ||= moved;
    for (const { from, to } of unmark) this.#unmark.run(owner.number, from, to);
  }

  /** Takes the name from its entries. */
  remove(owner: Owner): void {
    this.#remove.run(owner.number);
    this.#keepNumber.run(owner.number);
    this.touch(owner);
    this.#owners.delete(owner.name);
  }

  /** Writes the cursors that have moved. Before each savepoint and commit. */
  flush(): void {
    for (const owner of this.#owners.touched()) this.#flushOne(owner);
  }

  #flushOne(owner: Owner): void {
    if (!owner.moved || !owner.open) return;
    const { settledTo, open } = owner.open.cursor;
    this.#move.run(settledTo, JSON.stringify(open), owner.number);
    owner.moved = false;
  }

  savepoint(): void {
    this.#owners.savepoint();
  }

  takeBack(): void {
    this.#owners.takeBack();
  }

  rollback(): void {
    this.#owners.rollback();
  }

  commit(): void {
    this.#owners.commit();
    if (this.#taken > MAX_OPEN) this.#count();
  }

  /** What is too much is read again by those who need it. */
  #count(): void {
    this.#taken = 0;
    for (const { open } of this.#owners.values()) this.#taken += open?.size ?? 0;
    if (this.#taken <= MAX_OPEN / 2) return;
    this.#taken = 0;
    for (const owner of this.#owners.values()) owner.open = undefined;
  }

  #remember(name: string, number: number, last: number): Owner {
    return this.#owners.set(name, { name, number, last, open: undefined, moved: false });
  }
}
