// Entries of logs as records of MongoDB and back, and ranges of a log as queries.
import { Binary } from "mongodb";
import type { Document } from "mongodb";
import { bytesOf, wireOf } from "../../xml/wire.js";
import type { Wire } from "../../xml/wire.js";
import { type Cursor, NOTHING_SETTLED } from "../pending.js";
import type { LogRange, LogRow } from "../port.js";
import { wordsAsked } from "../words.js";
import type { Append } from "../writes.js";
import type { CursorRecord, EntryRecord } from "./schema.js";

export function recordOf(number: number, { owner, id, entry }: Append): EntryRecord {
  const { resource, originId, pending, hidden } = entry;
  return {
    _id: number,
    owner,
    id,
    with: entry.with,
    ...(resource !== undefined && { resource }),
    stanza: stanzaOf(entry.stanza),
    ...(pending && { pending }),
    ...(hidden && { hidden }),
    ...(originId !== undefined && { originId }),
  };
}

export function stanzaOf(wire: Wire): Binary {
  return new Binary(bytesOf(wire));
}

export function wireIn(stanza: EntryRecord["stanza"]): Wire {
  const { buffer, byteOffset, length } = stanza instanceof Uint8Array ? stanza : stanza.buffer;
  return wireOf(Buffer.from(buffer, byteOffset, length));
}

/** An entry as it is read: pending if it was appended so and the cursor does not say otherwise. */
export function logRowOf(record: EntryRecord, cursor: Cursor): LogRow {
  const { owner, id, resource, originId, hidden = false } = record;
  return {
    owner,
    id,
    with: record.with,
    ...(resource !== undefined && { resource }),
    stanza: wireIn(record.stanza),
    pending: record.pending === true && (id > cursor.settledTo || cursor.open.includes(id)),
    hidden,
    ...(originId !== undefined && { originId }),
  };
}

export function cursorOf(record: CursorRecord | null | undefined): Cursor {
  return record ? { settledTo: record.settledTo, open: record.open } : NOTHING_SETTLED;
}

/** Entries that are pending by this cursor. */
export function pendingBy({ settledTo, open }: Cursor): Document {
  const above = { id: { $gt: settledTo } };
  return { pending: true, ...(open.length === 0 ? above : { $or: [above, { id: { $in: open } }] }) };
}

/** Entries that are not pending by this cursor. */
export function settledBy({ settledTo, open }: Cursor): Document {
  return {
    $or: [{ pending: { $exists: false } }, { id: { $lte: settledTo, ...(open.length > 0 && { $nin: open }) } }],
  };
}

/** The query for a range of an owner's log; undefined if nothing can be in it. The cursor matters only for `pending`. */
export function queryOf(owner: string, range: LogRange, cursor: Cursor): Document | undefined {
  const words = range.text === undefined ? undefined : wordsAsked(range.text);
  if (words?.length === 0 || range.ids?.length === 0) return undefined;
  const id = {
    ...(range.after !== undefined && { $gt: range.after }),
    ...(range.before !== undefined && { $lt: range.before }),
    ...(range.ids && { $in: range.ids }),
  };
  const all: Document[] = [{ owner, ...(Object.keys(id).length > 0 && { id }) }];
  if (range.with !== undefined) all.push({ with: range.with });
  if (range.with !== undefined && range.resource !== undefined) all.push({ resource: range.resource });
  if (range.shown || words) all.push({ hidden: { $exists: false } });
  if (range.originId !== undefined) all.push({ originId: range.originId });
  if (words) all.push({ words: { $all: words } });
  const query = Object.assign({}, ...all) as Document;
  return range.pending ? { $and: [query, pendingBy(cursor)] } : query;
}

/** One text for owner and id. */
export function entryPlace({ owner, id }: { readonly owner: string; readonly id: number }): string {
  return `${owner}\0${id}`;
}
