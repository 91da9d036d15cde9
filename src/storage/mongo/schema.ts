// The collections, their indexes, and the history of their shape. A change of shape is a new entry at the end of MIGRATIONS.
import type { Binary, IndexDescription } from "mongodb";
import type { Link } from "./link.js";

export const COLLECTION = {
  documents: "documents",
  log: "log",
  cursors: "cursors",
  erased: "erased",
  facts: "facts",
} as const;

/** A keyed document. */
export interface DocumentRecord {
  /** Store, owner and key, joined by U+0000: the order of ids is that of list(). */
  readonly _id: string;
  readonly store: string;
  readonly owner: string;
  /** As JSON: a field may have any name, a number is a number, as in the other drivers. */
  readonly doc: string;
  readonly version: number;
  /** Under what find() finds it: store, field and value, joined by U+0000. */
  readonly finds?: readonly string[];
}

/** An entry of a log. */
export interface EntryRecord {
  /** A running number: rows are appended, and the full-text index knows how far it has come. */
  readonly _id: number;
  readonly owner: string;
  readonly id: number;
  readonly with: string;
  readonly resource?: string;
  readonly stanza: Binary | Uint8Array;
  /** As appended; the owner's cursor says which of them are settled. */
  readonly pending?: true;
  readonly hidden?: true;
  readonly originId?: string;
  /** The full-text index. */
  readonly words?: readonly string[];
}

/** The delivery cursor of an owner (storage/pending.ts). */
export interface CursorRecord {
  readonly _id: string;
  readonly settledTo: number;
  readonly open: readonly number[];
}

/** An owner that was erased: its entries up to this running number are gone, though they may still be in the log. */
export interface ErasedRecord {
  readonly _id: string;
  readonly upTo: number;
}

/** All indexes besides those on _id, made at start if they are missing. */
export const INDEXES: Readonly<Record<"documents" | "log", readonly (IndexDescription & { readonly name: string })[]>> =
  {
    documents: [
      { name: "owner", key: { owner: 1, store: 1 } },
      { name: "finds", key: { finds: 1, _id: 1 }, partialFilterExpression: { finds: { $exists: true } } },
    ],
    log: [
      { name: "place", key: { owner: 1, id: 1 }, unique: true },
      { name: "with", key: { owner: 1, with: 1, id: 1 } },
      { name: "hidden", key: { owner: 1, hidden: 1, id: 1 }, partialFilterExpression: { hidden: { $exists: true } } },
      { name: "words", key: { owner: 1, words: 1, id: 1 }, partialFilterExpression: { words: { $exists: true } } },
    ],
  };

/** Lifts the data by one version. May be interrupted at any point and run again. */
export type Migration = (link: Link) => Promise<void>;

/** Step n makes version n + 1. The first one has nothing to do: collections and indexes are made at every start. */
export const MIGRATIONS: readonly Migration[] = [() => Promise.resolve()];

/** The version that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
