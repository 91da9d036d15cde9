// What of a room is stored, and where: its documents lie under its own address, as those of an account do. Reading them back makes the
// durable half of its state.
import type { JID } from "../stanza/jid.js";
import { Stanza } from "../stanza/stanza.js";
import type { FeatureStore } from "../core/feature.js";
import type { Row } from "../storage/port.js";
import type { Doc, Json, Write } from "../storage/writes.js";
import { parseElement } from "../xml/document.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { fromWire, toWire } from "../xml/wire.js";
import { AFFILIATIONS, type Affiliation } from "./privileges.js";
import { type Affiliate, NO_ROOM, type RoomState, type Subject, type Token } from "./state.js";

/** The room itself (key ""): that it exists, whether it is locked, its settings. */
const ROOM_STORE = "room";
/** Its lists, a document for each affiliate, under the bare JID. */
const AFFILIATION_STORE = "room_affiliation";
/** Its subject (key ""). */
const SUBJECT_STORE = "room_subject";
/** Its tokens (XEP-0488), a document for each, under its text. */
const TOKEN_STORE = "room_token";
/** Its name (key ""), if it is to be found in the list of rooms. */
export const LISTING_STORE = "room_listing";

export const ROOM_STORES: readonly FeatureStore[] = [
  { name: ROOM_STORE, data: "room" },
  { name: AFFILIATION_STORE, lookups: ["owner"], data: "room" },
  { name: SUBJECT_STORE, data: "room" },
  { name: TOKEN_STORE, data: "room" },
  { name: LISTING_STORE, data: "room" },
];

/** Those that are loaded with a room. */
export const LOADED_STORES: readonly string[] = [ROOM_STORE, AFFILIATION_STORE, SUBJECT_STORE, TOKEN_STORE];

type Durable = Pick<RoomState, "exists" | "isLocked" | "config" | "affiliations" | "subject" | "tokens">;

/** The half of the state that is stored. */
export function durable(rows: (store: string) => readonly Row[]): Durable {
  const room = rows(ROOM_STORE)[0]?.doc;
  if (!room) return NO_ROOM;
  return {
    exists: true,
    isLocked: room["locked"] === true,
    config: new Map(Object.entries((room["settings"] ?? {}) as Readonly<Record<string, Json>>)),
    affiliations: new Map(rows(AFFILIATION_STORE).map(({ key, doc }) => [key, affiliateIn(doc)])),
    subject: subjectIn(rows(SUBJECT_STORE)[0]?.doc),
    tokens: new Map(rows(TOKEN_STORE).flatMap(tokenIn)),
  };
}

function affiliateIn({ affiliation, reason, nick }: Doc): Affiliate {
  const known: Affiliation = AFFILIATIONS.find((one) => one === affiliation) ?? "none";
  return {
    affiliation: known,
    ...(typeof reason === "string" && { reason }),
    ...(typeof nick === "string" && { nick }),
  };
}

function tokenIn({ key, doc: { creator, until, uses } }: Row): readonly [string, Token][] {
  if (typeof creator !== "string" || typeof until !== "number") return [];
  return [[key, { text: key, creator, until, ...(typeof uses === "number" && { uses }) }]];
}

function subjectIn(doc: Doc | undefined): Subject | undefined {
  const message = doc?.["message"];
  const at = doc?.["at"];
  if (typeof message !== "string" || typeof at !== "number") return undefined;
  return { message: Stanza.of(parseElement(toWire(message), UNLIMITED), {}), at };
}

/** The room, as it is configured. */
export function putRoom(room: JID, { isLocked, config }: Pick<RoomState, "isLocked" | "config">): Write {
  const settings: Record<string, Json> = Object.fromEntries(config);
  const doc = { v: 1, ...(isLocked && { locked: true }), settings };
  return { op: "put", store: ROOM_STORE, owner: room.toString(), key: "", doc };
}

/** The entry in the list of rooms: its name, or none. */
export function putListing(room: JID, name: string | undefined): Write {
  const place = { store: LISTING_STORE, owner: room.toString(), key: "" } as const;
  return name === undefined ? { op: "remove", ...place } : { op: "put", ...place, doc: { v: 1, name } };
}

/** `account`: the bare JID whose affiliation it is. */
export function putAffiliate(room: JID, account: JID, { affiliation, reason, nick }: Affiliate): Write {
  const place = { store: AFFILIATION_STORE, owner: room.toString(), key: account.toString() } as const;
  if (affiliation === "none") return { op: "remove", ...place };
  const doc = {
    ...{ v: 1, affiliation },
    ...(affiliation === "owner" && { owner: account.toString() }), // for the limit of rooms
    ...(reason !== undefined && { reason }),
    ...(nick !== undefined && { nick }),
  };
  return { op: "put", ...place, doc };
}

export function putSubject(room: JID, { message, at }: Subject): Write {
  const doc = { v: 1, message: fromWire(message.toWire(NS.client)), at };
  return { op: "put", store: SUBJECT_STORE, owner: room.toString(), key: "", doc };
}

export function putToken(room: JID, { text, creator, until, uses }: Token): Write {
  const place = { store: TOKEN_STORE, owner: room.toString(), key: text } as const;
  if (uses === 0) return { op: "remove", ...place };
  return { op: "put", ...place, doc: { v: 1, creator, until, ...(uses !== undefined && { uses }) } };
}

/** All that is stored of a room: its documents and its archive. */
export function erased(room: JID): Write {
  return { op: "erase", owner: room.toString() };
}

/** Where the rooms of an owner are counted. */
export const OWNED = { store: AFFILIATION_STORE, field: "owner" } as const;
