// Keyed documents as records of MongoDB, and back.
import { valuesOf } from "../lookups.js";
import type { Row } from "../port.js";
import type { Doc, Put } from "../writes.js";
import type { DocumentRecord } from "./schema.js";

/** The id of the record of a document. */
export function placeId({
  store,
  owner,
  key,
}: {
  readonly store: string;
  readonly owner: string;
  readonly key: string;
}): string {
  return `${store}\0${owner}\0${key}`;
}

/** All ids of a store, or of those behind a place of it. */
export function idsBehind(store: string, after?: string): { readonly $gt: string; readonly $lt: string } {
  return {
    $gt: after === undefined ? `${store}\0` : `${store}\0${after.includes("\0") ? after : `${after}\0`}`,
    $lt: `${store}\x01`,
  };
}

/** What find() looks for. */
export function findId(store: string, field: string, value: string): string {
  return `${store}\0${field}\0${value}`;
}

/** The fields of a record that follow from its document. `fields`: the declared look-ups of its store. */
export function contentOf(
  put: Pick<Put, "store" | "doc">,
  fields: readonly string[],
): Pick<DocumentRecord, "doc" | "finds"> {
  const finds = findsOf(put.store, put.doc, fields);
  return { doc: JSON.stringify(put.doc), ...(finds.length > 0 && { finds }) };
}

export function findsOf(store: string, doc: Doc, fields: readonly string[]): readonly string[] {
  return fields.flatMap((field) => valuesOf(doc, field).map((value) => findId(store, field, value)));
}

export function rowOf({ _id, store, owner, doc, version }: DocumentRecord): Row {
  const key = _id.slice(store.length + owner.length + 2);
  return { store, owner, key, doc: JSON.parse(doc) as Doc, version };
}
