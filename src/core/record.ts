// What is stored of a session that can be resumed, so that it outlives the process (rulings 3): one document per session, under its
// account, keyed by the token that its client comes back with.
import { Stanza } from "../stanza/stanza.js";
import { parseElement } from "../xml/document.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { fromWire, toWire } from "../xml/wire.js";
import type { Doc, Json, Put } from "../storage/writes.js";
import type { FeatureStore } from "./feature.js";
import type { Session } from "./session.js";

export const SESSION_STORE: FeatureStore = { name: "sessions", data: "account" };

/** A copy that the client has not acknowledged. */
export interface StoredCopy {
  readonly stanza: Stanza;
  readonly again: boolean;
  /** Its entry in the account's log. */
  readonly id: number | undefined;
}

/** Everything that was on its way to the client when the server stopped in order. */
export interface StoredQueue {
  /** Which stop that was. */
  readonly stop: number;
  readonly sent: number;
  readonly copies: readonly StoredCopy[];
  readonly readUpTo: number;
}

export interface SessionRecord {
  readonly resource: string;
  /** How long it waits without a stream, in ms. */
  readonly waitMs: number;
  /** When this was written, and until when it waits if it had no stream then. In ms since 1970. */
  readonly at: number;
  readonly until: number | undefined;
  /** At least as many stanzas of the client as it was ever told; exactly, with a queue. */
  readonly handled: number;
  /** What the client had acknowledged. */
  readonly acknowledged: number;
  /** Stanzas sent before counting began (rulings 5). */
  readonly sentBefore: number;
  /** The log position of that: what lies above it, or is pending, may not have reached the client. */
  readonly position: number;
  /** What features keep, by their names. */
  readonly features: Readonly<Record<string, Json>>;
  readonly queue: StoredQueue | undefined;
}

export function docOf({ queue, until, ...rest }: SessionRecord): Doc {
  return {
    v: 1,
    ...rest,
    ...(until !== undefined && { until }),
    ...(queue && { queue: { ...queue, copies: queue.copies.map(copyDoc) } }),
  };
}

function copyDoc({ stanza, again, id }: StoredCopy): Json {
  return { stanza: textOf(stanza), ...(again && { again }), ...(id !== undefined && { id }) };
}

/** Throws for a document that is none of ours. */
export function recordIn(doc: Doc): SessionRecord {
  const { queue, features } = doc;
  return {
    resource: textIn(doc, "resource"),
    waitMs: numberIn(doc, "waitMs"),
    at: numberIn(doc, "at"),
    until: doc["until"] === undefined ? undefined : numberIn(doc, "until"),
    handled: numberIn(doc, "handled"),
    acknowledged: numberIn(doc, "acknowledged"),
    sentBefore: numberIn(doc, "sentBefore"),
    position: numberIn(doc, "position"),
    features: isObject(features) ? features : {},
    queue: isObject(queue) ? queueIn(queue) : undefined,
  };
}

function queueIn(doc: Fields): StoredQueue {
  const { copies } = doc;
  return {
    stop: numberIn(doc, "stop"),
    sent: numberIn(doc, "sent"),
    copies: Array.isArray(copies) ? copies.filter(isObject).map(copyIn) : [],
    readUpTo: numberIn(doc, "readUpTo"),
  };
}

function copyIn(doc: Fields): StoredCopy {
  const id = doc["id"] === undefined ? undefined : numberIn(doc, "id");
  return { stanza: stanzaIn(textIn(doc, "stanza")), again: doc["again"] === true, id };
}

/** A stanza as it is stored. */
export function textOf(stanza: Stanza): string {
  return fromWire(stanza.toWire(NS.client));
}

/** What is read from the store is scanned again before it is sent on (engineering 10). */
export function stanzaIn(text: string): Stanza {
  return Stanza.of(parseElement(toWire(text), UNLIMITED), {});
}

/** Where the record of a session lies; undefined if it cannot be resumed. */
export function placeOf(session: Session): Pick<Put, "store" | "owner" | "key"> | undefined {
  const key = session.management?.resumption?.token;
  return key === undefined ? undefined : { store: SESSION_STORE.name, owner: session.jid.bare.toString(), key };
}

type Fields = Readonly<Record<string, Json>>;

function isObject(value: Json | undefined): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberIn(doc: Fields, field: string): number {
  const value = doc[field];
  if (typeof value !== "number") throw new TypeError(`a stored session without "${field}"`);
  return value;
}

function textIn(doc: Fields, field: string): string {
  const value = doc[field];
  if (typeof value !== "string") throw new TypeError(`a stored session without "${field}"`);
  return value;
}
