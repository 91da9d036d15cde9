// Which SQLite runs underneath: the one built into Node where there is one, else the package with the same interface.
import { createRequire } from "node:module";

/** A value that SQLite can keep. Whole numbers are kept exactly up to 2^53. */
export type Value = null | number | string | Uint8Array;

/** A row, by column name. */
export type Columns = Readonly<Record<string, Value>>;

/** The part of a prepared statement that is used here. */
export interface Statement {
  run(...values: readonly Value[]): { readonly changes: number | bigint };
  get(...values: readonly Value[]): Columns | undefined;
  all(...values: readonly Value[]): readonly Columns[];
  iterate(...values: readonly Value[]): Iterable<Columns>;
}

/** The part of a connection that is used here. */
export interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Engine {
  readonly DatabaseSync: new (
    file: string,
    options: { readonly readOnly?: boolean; readonly timeout?: number },
  ) => Database;
}

/** Opens a connection. `timeout`: milliseconds to wait for a lock of another process before giving up with "busy". */
export function connect(file: string, options: { readonly readOnly?: boolean; readonly timeout?: number }): Database {
  engine ??= loadEngine();
  return new engine.DatabaseSync(file, options);
}

let engine: Engine | undefined;

function loadEngine(): Engine {
  const builtIn = process.getBuiltinModule("node:sqlite");
  return (builtIn ?? createRequire(import.meta.url)("@photostructure/sqlite")) as Engine;
}

/** The number SQLite gave an error, without its extension; undefined for errors that are not SQLite's. */
export function errorNumber(error: unknown): number | undefined {
  const code = typeof error === "object" && error !== null && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** SQLite's primary result codes that are told apart here. */
export const SQLITE = {
  perm: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  auth: 23,
  notADatabase: 26,
} as const;
