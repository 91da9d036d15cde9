// The tables and their history. A change of shape is a new entry at the end of MIGRATIONS, never an edit of an older one.

/** Stands in the file's header: "Rook". */
export const APPLICATION_ID = 0x526f6f6b;

/**
 * Each step lifts the schema by one version; step n makes version n + 1.
 *
 * Log rows are only ever appended (their own number, not the owner, orders them), so that a commit touches few pages;
 * the way from an owner to its entries is one small index. It is not unique, as it holds more than the place of an entry: the
 * writer, which is the only one, looks before it writes an id that is not above all others of its owner.
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
  // Peers by number; both marks in one column, which the index has too, so that entries are counted without being loaded; what is
  // settled stands in the owner's row (pending.ts); an index of words.
  `
  CREATE TABLE peers (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  INSERT INTO peers (name) SELECT DISTINCT peer FROM log;
  CREATE TABLE entries (
    number INTEGER PRIMARY KEY, owner INTEGER NOT NULL, id INTEGER NOT NULL, marks INTEGER NOT NULL, peer INTEGER NOT NULL,
    resource TEXT, origin TEXT, stanza BLOB NOT NULL
  ) STRICT;
  INSERT INTO entries SELECT l.number, l.owner, l.id, l.pending + 2 * l.hidden, p.number, NULL, l.origin,
    CASE WHEN l.hidden AND NOT l.pending THEN x'' ELSE l.stanza END
    FROM log l JOIN peers p ON p.name = l.peer ORDER BY l.number;
  DROP TABLE log;
  ALTER TABLE entries RENAME TO log;
  CREATE INDEX log_place ON log (owner, id, marks, peer);
  ALTER TABLE owners ADD COLUMN settled_to INTEGER NOT NULL DEFAULT -1;
  ALTER TABLE owners ADD COLUMN open TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE owners ADD COLUMN in_order INTEGER NOT NULL DEFAULT 1; -- its rows' numbers rise with their ids
  UPDATE owners SET in_order = 0 WHERE number IN
    (SELECT owner FROM (SELECT owner, id < lag(id) OVER (PARTITION BY owner ORDER BY number) AS falls FROM log) WHERE falls);

  CREATE VIRTUAL TABLE words USING fts5 (tokens, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '_'");
  INSERT INTO facts VALUES ('indexed row', 0), ('words version', 0);
  `,
  // Owners that were erased while they had entries: their numbers are not given again until the last of these is gone.
  `
  CREATE TABLE erased_owners (number INTEGER PRIMARY KEY) STRICT;
  `,
];

/** The version that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
