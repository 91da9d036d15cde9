// The tables and their history. A change of shape is a new entry at the end of MIGRATIONS, never an edit of an older one.

/** Stands in the file's header: "Rook". */
export const APPLICATION_ID = 0x526f6f6b;

/**
 * Each step lifts the schema by one version; step n makes version n + 1.
 *
 * Log rows are only ever appended (their own number, not the owner, orders them), so that a commit touches few pages;
 * the way from an owner to its entries is one small index, and a second one holds just the pending entries.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE migrations (version INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO facts VALUES ('erased id', 0);
  CREATE TABLE probes (filler BLOB) STRICT;

  CREATE TABLE stores (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE documents (
    number INTEGER PRIMARY KEY, store INTEGER NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL,
    version INTEGER NOT NULL, doc TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX document_place ON documents (store, owner, key);
  CREATE TABLE lookup_fields (store INTEGER NOT NULL, field TEXT NOT NULL, PRIMARY KEY (store, field)) STRICT, WITHOUT ROWID;
  CREATE TABLE lookups (
    store INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, document INTEGER NOT NULL,
    PRIMARY KEY (store, field, value, document)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lookup_document ON lookups (document);

  CREATE TABLE owners (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE log (
    number INTEGER PRIMARY KEY, owner INTEGER NOT NULL, id INTEGER NOT NULL, pending INTEGER NOT NULL, hidden INTEGER NOT NULL,
    peer TEXT NOT NULL, origin TEXT, stanza BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX log_place ON log (owner, id);
  CREATE INDEX log_pending ON log (owner, id) WHERE pending = 1;
  `,
];

/** The version that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
