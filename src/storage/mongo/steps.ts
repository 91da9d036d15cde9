// Units as the statements of write commands. Statements of several units share a command; a unit's own follow each other in its order.
import type { Document } from "mongodb";
import { wordsIn } from "../words.js";
import type { Append, Put, Remove, Revise } from "../writes.js";
import { hasCondition } from "./conditions.js";
import { contentOf, placeId } from "./documents.js";
import { recordOf, stanzaOf } from "./entries.js";
import type { WriteCommand } from "./link.js";
import { COLLECTION } from "./schema.js";

type CollectionName = (typeof COLLECTION)[keyof typeof COLLECTION];

/** One statement of a write command. */
export interface Step {
  readonly collection: CollectionName;
  readonly verb: WriteCommand["verb"];
  readonly statement: Document;
  /** What it means that there is such a document already: nothing to do, a condition that does not hold, or an upsert that met another. */
  readonly duplicate: "done" | "conflict" | "again";
  /** Has a condition: it goes alone, and that it touched nothing is a conflict. */
  readonly guarded: boolean;
  /** About how much of a command it takes up. */
  readonly bytes: number;
}

const STEP = { duplicate: "again", guarded: false, bytes: 256 } as const;

/** `fields`: the look-ups that the store declares. */
export function putStep(put: Put, fields: readonly string[]): Step {
  const { store, owner } = put;
  const _id = placeId(put);
  const content = contentOf(put, fields);
  const step = {
    ...STEP,
    collection: COLLECTION.documents,
    bytes: 256 + 3 * content.doc.length,
    guarded: hasCondition(put),
  };
  if (put.ifAbsent)
    return {
      ...step,
      verb: "insert",
      duplicate: "conflict",
      guarded: false,
      statement: { _id, store, owner, version: 1, ...content },
    };
  const u = {
    $set: content,
    ...(!content.finds && { $unset: { finds: "" } }),
    $inc: { version: 1 },
    ...(!step.guarded && { $setOnInsert: { store, owner } }),
  };
  const q = { _id, ...(step.guarded && { version: put.ifVersion }) };
  return { ...step, verb: "update", statement: { q, u, upsert: !step.guarded } };
}

export function removeStep(remove: Remove): Step {
  const guarded = hasCondition(remove);
  const q = { _id: placeId(remove), ...(guarded && { version: remove.ifVersion }) };
  return { ...STEP, collection: COLLECTION.documents, verb: "delete", guarded, statement: { q, limit: 1 } };
}

export function appendStep(number: number, append: Append): Step {
  const statement: Document = recordOf(number, append);
  const bytes = 256 + append.entry.stanza.length;
  return { ...STEP, collection: COLLECTION.log, verb: "insert", duplicate: "done", bytes, statement };
}

/** The words of the new stanza replace those of the old one in the same write; a hidden entry's are never asked for. */
export function reviseStep({ owner, id, stanza }: Revise): Step {
  const words = wordsIn(stanza);
  const set = { stanza: stanzaOf(stanza), ...(words.length > 0 && { words }) };
  const u = { $set: set, ...(words.length === 0 && { $unset: { words: "" } }) };
  return {
    ...STEP,
    collection: COLLECTION.log,
    verb: "update",
    bytes: 512 + stanza.length,
    statement: { q: { owner, id }, u },
  };
}

/** Changes some entries of one owner. */
export function entriesStep(owner: string, which: Document, u: Document): Step {
  return { ...STEP, collection: COLLECTION.log, verb: "update", statement: { q: { owner, ...which }, u, multi: true } };
}

export function cursorStep(
  owner: string,
  { settledTo, open }: { readonly settledTo: number; readonly open: readonly number[] },
): Step {
  const statement = { q: { _id: owner }, u: { $set: { settledTo, open } }, upsert: true };
  return { ...STEP, collection: COLLECTION.cursors, verb: "update", statement };
}

/** Takes an entry that is gone out of the way of a new one with the same id. */
export function makeRoomStep({ owner, id }: Append, upTo: number): Step {
  return {
    ...STEP,
    collection: COLLECTION.log,
    verb: "delete",
    statement: { q: { owner, id, _id: { $lte: upTo } }, limit: 1 },
  };
}

/** `upTo`: the last running number. The documents last: an erasure that breaks off leaves the account there, to be erased again. */
export function eraseSteps(owner: string, upTo: number): readonly Step[] {
  const mark = { q: { _id: owner }, u: { $set: { upTo } }, upsert: true };
  return [
    { ...STEP, collection: COLLECTION.erased, verb: "update", statement: mark },
    { ...STEP, collection: COLLECTION.cursors, verb: "delete", statement: { q: { _id: owner }, limit: 0 } },
    { ...STEP, collection: COLLECTION.documents, verb: "delete", statement: { q: { owner }, limit: 0 } },
  ];
}
