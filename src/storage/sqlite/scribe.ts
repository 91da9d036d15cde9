// Each kind of write as prepared statements, inside whatever transaction the writer has begun.
import { bytesOf } from "../../xml/wire.js";
import type { Wire } from "../../xml/wire.js";
import type { Database, Statement } from "./engine.js";
import { Expect, Op } from "./packing.js";
import type { Tape } from "./packing.js";

/** Numbers of log owners kept at hand; beyond it the cache starts anew. */
const MAX_OWNERS = 100_000;

export class Scribe {
  readonly #run: Statements;
  readonly #stores: ReadonlyMap<string, number>;
  readonly #indexed: ReadonlySet<number>;
  readonly #owners = new Map<string, number>();

  constructor(db: Database) {
    this.#run = prepare(db);
    const stores = db.prepare("SELECT name, number FROM stores").all();
    this.#stores = new Map(stores.map((row) => [String(row["name"]), Number(row["number"])]));
    const fields = db.prepare("SELECT store FROM lookup_fields").all();
    this.#indexed = new Set(fields.map((row) => Number(row["store"])));
  }

  begin(): void {
    this.#run.begin.run();
  }

  commit(): void {
    this.#run.commit.run();
  }

  savepoint(): void {
    this.#run.savepoint.run();
  }

  release(): void {
    this.#run.release.run();
  }

  /** Back to the savepoint, which is gone then. */
  takeBack(): void {
    this.forget();
    this.#run.takeBack.run();
    this.#run.release.run();
  }

  /** To be called when writes are taken back: what was learned from them may be wrong. */
  forget(): void {
    this.#owners.clear();
  }

  /** Does the next write of the tape. False if its condition does not hold. */
  write(tape: Tape): boolean {
    const op = tape.number();
    switch (op) {
      case Op.put:
        return this.#put(tape);
      case Op.remove:
        return this.#remove(tape);
      case Op.append:
        return this.#append(tape);
      case Op.settle:
        return this.#settle(tape);
      case Op.erase:
        return this.#erase(tape.text());
      default:
        throw new Error(`there is no write number ${op}`);
    }
  }

  #put(tape: Tape): boolean {
    const store = this.#storeOf(tape.text());
    const place = [store, tape.text(), tape.text()] as const;
    const doc = tape.text();
    const document = this.#putRow(place, doc, tape.number());
    const lookups = tape.number();
    if (document === undefined) return false;
    if (this.#indexed.has(store)) this.#run.clearLookups.run(document);
    for (let n = 0; n < lookups; n++) this.#run.addLookup.run(store, tape.text(), tape.text(), document);
    return true;
  }

  /** The number of the row written, or undefined if the expectation is not met. */
  #putRow(place: readonly [number, string, string], doc: string, expected: number): number | undefined {
    if (expected === Expect.impossible) return undefined;
    const row =
      expected === Expect.anything
        ? this.#run.put.get(...place, doc)
        : expected === Expect.absent
          ? this.#run.insert.get(...place, doc)
          : this.#run.update.get(doc, ...place, expected);
    return row && Number(row["number"]);
  }

  #remove(tape: Tape): boolean {
    const place = [this.#storeOf(tape.text()), tape.text(), tape.text()] as const;
    const expected = tape.number();
    const row = this.#run.find.get(...place);
    if (expected !== Expect.anything && row?.["version"] !== expected) return false;
    if (row) {
      this.#run.clearLookups.run(Number(row["number"]));
      this.#run.remove.run(Number(row["number"]));
    }
    return true;
  }

  #append(tape: Tape): boolean {
    const owner = this.#ownerOf(tape.text());
    const id = tape.number();
    const peer = tape.text();
    const stanza = bytesOf(tape.text() as Wire);
    const pending = tape.number();
    const hidden = tape.number();
    this.#run.append.run(owner, id, pending, hidden, peer, tape.textOrNull(), stanza);
    tape.textOrNull();
    return true;
  }

  #settle(tape: Tape): boolean {
    const owner = this.#knownOwner(tape.text());
    for (let left = tape.number(); left > 0; left--) {
      const id = tape.number();
      if (owner !== undefined) this.#run.settle.run(owner, id);
    }
    return true;
  }

  #erase(name: string): boolean {
    this.#run.eraseLookups.run(name);
    this.#run.eraseDocuments.run(name);
    const owner = this.#knownOwner(name);
    if (owner === undefined) return true;
    this.#run.raiseErased.run(owner);
    this.#run.eraseLog.run(owner);
    this.#run.eraseOwner.run(owner);
    this.#owners.delete(name);
    return true;
  }

  #storeOf(name: string): number {
    const store = this.#stores.get(name);
    if (store === undefined) throw new Error(`store "${name}" is not declared`);
    return store;
  }

  #ownerOf(name: string): number {
    return this.#knownOwner(name) ?? this.#remember(name, Number(this.#run.addOwner.get(name)?.["number"]));
  }

  #knownOwner(name: string): number | undefined {
    const cached = this.#owners.get(name);
    if (cached !== undefined) return cached;
    const row = this.#run.owner.get(name);
    return row && this.#remember(name, Number(row["number"]));
  }

  #remember(name: string, owner: number): number {
    if (this.#owners.size >= MAX_OWNERS) this.#owners.clear();
    this.#owners.set(name, owner);
    return owner;
  }
}

type Statements = Readonly<Record<keyof typeof SQL, Statement>>;

const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  savepoint: "SAVEPOINT unit",
  release: "RELEASE unit",
  takeBack: "ROLLBACK TO unit",
  put: `INSERT INTO documents (store, owner, key, version, doc) VALUES (?, ?, ?, 1, ?)
    ON CONFLICT (store, owner, key) DO UPDATE SET version = version + 1, doc = excluded.doc RETURNING number`,
  insert: `INSERT INTO documents (store, owner, key, version, doc) VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING RETURNING number`,
  update: `UPDATE documents SET doc = ?, version = version + 1 WHERE store = ? AND owner = ? AND key = ? AND version = ? RETURNING number`,
  find: "SELECT number, version FROM documents WHERE store = ? AND owner = ? AND key = ?",
  remove: "DELETE FROM documents WHERE number = ?",
  clearLookups: "DELETE FROM lookups WHERE document = ?",
  addLookup: "INSERT INTO lookups (store, field, value, document) VALUES (?, ?, ?, ?)",
  owner: "SELECT number FROM owners WHERE name = ?",
  addOwner: "INSERT INTO owners (name) VALUES (?) RETURNING number",
  append: `INSERT INTO log (owner, id, pending, hidden, peer, origin, stanza) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  settle: "UPDATE log SET pending = 0 WHERE owner = ? AND id = ? AND pending = 1",
  eraseLookups: `DELETE FROM lookups WHERE document IN
    (SELECT number FROM documents WHERE store IN (SELECT number FROM stores) AND owner = ?)`,
  eraseDocuments: "DELETE FROM documents WHERE store IN (SELECT number FROM stores) AND owner = ?",
  raiseErased: `UPDATE facts SET value = max(value, coalesce((SELECT max(id) FROM log WHERE owner = ?), 0)) WHERE name = 'erased id'`,
  eraseLog: "DELETE FROM log WHERE owner = ?",
  eraseOwner: "DELETE FROM owners WHERE number = ?",
} as const;

function prepare(db: Database): Statements {
  const statements = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(statements) as Statements;
}
