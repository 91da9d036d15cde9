// Opening a database file: whose it is and how new is looked at first, without touching it; then it is made or migrated.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DeclaredStores, valuesOf } from "../lookups.js";
import type { StoreSpec } from "../port.js";
import { StoreFault } from "../port.js";
import type { Doc } from "../writes.js";
import { connect } from "./engine.js";
import type { Database } from "./engine.js";
import { faultOf, foreignFile, newerFile } from "./faults.js";
import { checkWordIndex } from "./word-index.js";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from "./schema.js";

/** Milliseconds to wait for another process (a backup, the sqlite3 shell) that holds the file. */
const BUSY_TIMEOUT_MS = 5000;
const HEADER_BYTES = 100;

/** What a thread needs to open the file. */
export interface FileOptions {
  readonly file: string;
  readonly stores: readonly StoreSpec[];
  /** The most pages (of 4 KiB) the file may have: stands in for a full disk in tests. */
  readonly maxPages?: number;
}

/** The writing connection, on a file of the newest schema. Throws a StoreFault; then the file is as it was. */
export function openForWriting({ file, stores, maxPages }: FileOptions): Database {
  try {
    if (isFresh(file))
      closeSync(openSync(file, "a", 0o600)); // it holds password keys: nobody else may read it
    else inspect(file);
  } catch (error) {
    throw faultOf(error, file);
  }
  return opened(file, false, (db) => {
    if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
    settle(db, file);
    transaction(db, () => migrate(db, file));
    transaction(db, () => declare(db, stores));
    transaction(db, () => checkWordIndex(db));
  });
}

/** Whether there is data in the file. Throws a StoreFault if this program cannot have it; nothing is written. */
export function isOurs(file: string): boolean {
  try {
    if (isFresh(file)) return false;
    inspect(file);
    return true;
  } catch (error) {
    throw faultOf(error, file);
  }
}

/** A reading connection on a file that openForWriting() has been through. */
export function openForReading({ file }: FileOptions): Database {
  return opened(file, true, (db) => db.exec("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000"));
}

/** Runs the body as one transaction: all of it, or on an error nothing. */
export function transaction<T>(db: Database, body: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = body();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK"); // after some errors SQLite has already done so
    throw error;
  }
}

function opened(file: string, readOnly: boolean, prepare: (db: Database) => void): Database {
  let db: Database | undefined;
  try {
    db = connect(file, { readOnly, timeout: BUSY_TIMEOUT_MS });
    prepare(db);
    return db;
  } catch (error) {
    db?.close();
    throw faultOf(error, file);
  }
}

function isFresh(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Refuses what is not ours or newer than this program. Our files say both in their first bytes, so that not even a connection is needed. */
function inspect(file: string): void {
  const { applicationId, version } = headerOf(file);
  if (applicationId !== APPLICATION_ID) return inspectTables(file);
  if (version > SCHEMA_VERSION) throw newerFile(file, version, SCHEMA_VERSION);
}

/** `application_id` and `user_version` of a database (its file format, §1.3). */
function headerOf(file: string): { readonly applicationId: number; readonly version: number } {
  const header = Buffer.alloc(HEADER_BYTES);
  const handle = openSync(file, "r");
  try {
    readSync(handle, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(handle);
  }
  return { applicationId: header.readUInt32BE(68), version: header.readUInt32BE(60) };
}

/** For a file that does not call itself ours, through a connection that cannot write. */
function inspectTables(file: string): void {
  opened(file, true, (db) => {
    const tables = numberOf(db, "SELECT count(*) AS n FROM sqlite_schema");
    if (tables === 0) return; // an earlier start ended before the first table
    if (numberOf(db, "SELECT application_id AS n FROM pragma_application_id") !== APPLICATION_ID)
      throw foreignFile(file);
  }).close();
}

/** Settings of the file (the first two only work before the first table) and of the connection. */
function settle(db: Database, file: string): void {
  db.exec("PRAGMA auto_vacuum = INCREMENTAL");
  const mode = db.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  if (mode !== "wal")
    throw new StoreFault(
      "failed",
      `${file} cannot have a write-ahead log`,
      "keep it on a local disk, not a network share",
    );
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000; -- pages, 16 MB: fewer, longer runs of page writes
    PRAGMA journal_size_limit = 67108864;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -32000; -- KiB
    PRAGMA trusted_schema = OFF;
  `);
}

function migrate(db: Database, file: string): void {
  const found = versionOf(db);
  if (found > SCHEMA_VERSION) throw newerFile(file, found, SCHEMA_VERSION); // its header is still in the write-ahead log
  if (found < SCHEMA_VERSION)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
  MIGRATIONS.slice(found).forEach((step, at) => {
    db.exec(step);
    db.prepare("INSERT INTO migrations VALUES (?)").run(found + at + 1);
  });
}

function versionOf(db: Database): number {
  const made = numberOf(db, "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'migrations'");
  return made === 0 ? 0 : numberOf(db, "SELECT coalesce(max(version), 0) AS n FROM migrations");
}

/** Gives each declared store its number, and indexes anew the documents of stores whose look-ups have changed. */
function declare(db: Database, stores: readonly StoreSpec[]): void {
  const declared = new DeclaredStores(stores);
  for (const { name } of stores) {
    db.prepare("INSERT INTO stores (name) VALUES (?) ON CONFLICT DO NOTHING").run(name);
    const store = numberOf(db, "SELECT number AS n FROM stores WHERE name = ?", name);
    const known = db.prepare("SELECT field FROM lookup_fields WHERE store = ? ORDER BY field").all(store);
    const wanted = [...declared.fieldsOf(name)].sort();
    if (JSON.stringify(known.map((row) => row["field"])) !== JSON.stringify(wanted)) reindex(db, store, wanted);
  }
}

function reindex(db: Database, store: number, fields: readonly string[]): void {
  db.prepare("DELETE FROM lookups WHERE store = ?").run(store);
  db.prepare("DELETE FROM lookup_fields WHERE store = ?").run(store);
  const insert = db.prepare("INSERT INTO lookups VALUES (?, ?, ?, ?)");
  for (const field of fields) {
    db.prepare("INSERT INTO lookup_fields VALUES (?, ?)").run(store, field);
    for (const row of db.prepare("SELECT number, doc FROM documents WHERE store = ?").iterate(store)) {
      const doc = JSON.parse(String(row["doc"])) as Doc;
      for (const value of valuesOf(doc, field)) insert.run(store, field, value, Number(row["number"]));
    }
  }
}

function numberOf(db: Database, sql: string, ...values: readonly string[]): number {
  return Number(db.prepare(sql).get(...values)?.["n"]);
}
