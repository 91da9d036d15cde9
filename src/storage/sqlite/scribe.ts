// Each kind of write as prepared statements, inside whatever transaction the writer has begun; those of logs are in log-scribe.ts.
import type { Database, Statement } from "./engine.js";
import { LogScribe } from "./log-scribe.js";
import { Expect, Op } from "./packing.js";
import type { Tape } from "./packing.js";

export class Scribe {
  readonly log: LogScribe;
  readonly #run: Statements;
  readonly #stores: ReadonlyMap<string, number>;
  readonly #indexed: ReadonlySet<number>;

  constructor(db: Database) {
    this.log = new LogScribe(db);
    this.#run = prepare(db);
    const stores = db.prepare("SELECT name, number FROM stores").all();
    this.#stores = new Map(stores.map((row) => [String(row["name"]), Number(row["number"])]));
    const fields = db.prepare("SELECT store FROM lookup_fields").all();
    this.#indexed = new Set(fields.map((row) => Number(row["store"])));
  }

  begin(): void {
    this.#run.begin.run();
  }

  /** Writes what has been kept back for the end of the transaction. */
  flush(): void {
    this.log.flush();
  }

  commit(): void {
    this.#run.commit.run();
    this.log.commit();
  }

  savepoint(): void {
    this.log.flush();
    this.log.savepoint();
    this.#run.savepoint.run();
  }

  release(): void {
    this.#run.release.run();
  }

  /** Back to the savepoint, which is gone then. */
  takeBack(): void {
    this.log.takeBack();
    this.#run.takeBack.run();
    this.#run.release.run();
  }

  /** The transaction has been taken back, or will be: what was learned from its writes may be wrong. */
  forget(): void {
    this.log.rollback();
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
        this.log.append(tape);
        return true;
      case Op.settle:
        this.log.settle(tape);
        return true;
      case Op.revise:
        this.log.revise(tape);
        return true;
      case Op.erase:
        this.#erase(tape.text());
        return true;
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

  #erase(owner: string): void {
    this.#run.eraseLookups.run(owner);
    this.#run.eraseDocuments.run(owner);
    this.log.erase(owner);
  }

  #storeOf(name: string): number {
    const store = this.#stores.get(name);
    if (store === undefined) throw new Error(`store "${name}" is not declared`);
    return store;
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
  eraseLookups: `DELETE FROM lookups WHERE document IN
    (SELECT number FROM documents WHERE store IN (SELECT number FROM stores) AND owner = ?)`,
  eraseDocuments: "DELETE FROM documents WHERE store IN (SELECT number FROM stores) AND owner = ?",
} as const;

function prepare(db: Database): Statements {
  const statements = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(statements) as Statements;
}
