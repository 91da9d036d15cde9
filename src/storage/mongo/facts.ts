// Single documents about the database as a whole: its schema, who writes to it, how far numbers and indexes have come.
import type { Collection } from "mongodb";
import type { Link } from "./link.js";
import { COLLECTION } from "./schema.js";

export interface SchemaFact {
  readonly _id: "schema";
  readonly program: string;
  readonly version: number;
}

export interface LeaseFact {
  readonly _id: "lease";
  /** The installation that may write, by the text in its data folder. */
  readonly holder: string;
  /** One run of it. */
  readonly session: string;
  /** For the operator: host and process. */
  readonly who: string;
  readonly expires: Date;
}

/** The highest id of all entries, erased ones included, whose running number is at most `at`. */
export interface HighestFact {
  readonly _id: "highest";
  readonly id: number;
  readonly at: number;
}

/** The full-text index has all entries whose running number is at most `upTo`. */
export interface WordsFact {
  readonly _id: "words";
  readonly upTo: number;
  readonly version: number;
}

/** The look-up fields that the stored documents are indexed by. */
export interface LookupsFact {
  readonly _id: "lookups";
  readonly stores: readonly { readonly name: string; readonly fields: readonly string[] }[];
}

export type Fact = SchemaFact | LeaseFact | HighestFact | WordsFact | LookupsFact;

export function factsOf(link: Link): Collection<Fact> {
  return link.collection<Fact>(COLLECTION.facts);
}

export async function readFact<Id extends Fact["_id"]>(
  link: Link,
  _id: Id,
): Promise<Extract<Fact, { _id: Id }> | undefined> {
  const fact = await factsOf(link).findOne({ _id }, link.bounds);
  return (fact ?? undefined) as Extract<Fact, { _id: Id }> | undefined;
}

/** Durable on a majority when it resolves. */
export async function writeFact(link: Link, { _id, ...fields }: Fact): Promise<void> {
  await factsOf(link).updateOne({ _id }, { $set: fields }, { upsert: true, ...link.bounds });
}
