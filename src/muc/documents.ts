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
import type { Listing } from "./listings.js";
import { AFFILIATIONS, type Affiliation } from "./privileges.js";
import { type Affiliate, type Hat, NO_ROOM, type RoomState, type Subject, type Token } from "./state.js";

/** The room itself (key ""): that it exists, whether it is locked, its settings. */
const ROOM_STORE = "room";
/** Its lists, a document for each affiliate, under the bare JID. */
const AFFILIATION_STORE = "room_affiliation";
const ACCOUNT = "account"; // the field with whose affiliation it is, or whose hats
/** Its subject (key ""). */
const SUBJECT_STORE = "room_subject";
/** Its tokens (XEP-0488), a document for each, under its text. */
const TOKEN_STORE = "room_token";
/** Its vCard (key ""), as text; read where it is asked for. */
export const VCARD_STORE = "room_vcard";
/** The hashes of its avatar (key ""). */
const AVATAR_STORE = "room_avatar";
/** The hats that there are in it (XEP-0317), by their URIs. */
const HAT_STORE = "room_hat";
/** Who has which of them, by bare JID. */
const WEARER_STORE = "room_hat_wearer";
/** Accounts that are no more, until all rooms have let go of them: a document for each under its domain. */
export const DEPARTURE_STORE = "room_departure";
/** What strangers find it by (key ""), if it is in the list of rooms. */
export const LISTING_STORE = "room_listing";

export const ROOM_STORES: readonly FeatureStore[] = [
  { name: ROOM_STORE, data: "room" },
  { name: AFFILIATION_STORE, lookups: ["owner", ACCOUNT], data: "room", about: ACCOUNT },
  { name: SUBJECT_STORE, data: "room" },
  { name: VCARD_STORE, data: "room" },
  { name: AVATAR_STORE, data: "room" },
  { name: HAT_STORE, data: "room" },
  { name: WEARER_STORE, lookups: [ACCOUNT], data: "room", about: ACCOUNT },
  { name: TOKEN_STORE, data: "room" },
  { name: LISTING_STORE, data: "room" },
  { name: DEPARTURE_STORE, data: "nobody" },
];

/** Those that are loaded with a room. */
export const LOADED_STORES: readonly string[] = [
  ROOM_STORE,
  AFFILIATION_STORE,
  SUBJECT_STORE,
  AVATAR_STORE,
  HAT_STORE,
  WEARER_STORE,
  TOKEN_STORE,
];

type Durable = Pick<
  RoomState,
  "exists" | "isLocked" | "config" | "affiliations" | "versions" | "subject" | "avatar" | "hats" | "wearers" | "tokens"
>;

/** The half of the state that is stored. */
export function durable(rows: (store: string) => readonly Row[]): Durable {
  const room = rows(ROOM_STORE)[0]?.doc;
  if (!room) return NO_ROOM;
  return {
    exists: true,
    isLocked: room["locked"] === true,
    config: new Map(Object.entries((room["settings"] ?? {}) as Readonly<Record<string, Json>>)),
    versions: versionsIn(room["versions"]),
    affiliations: new Map(rows(AFFILIATION_STORE).map(({ key, doc }) => [key, affiliateIn(doc)])),
    subject: subjectIn(rows(SUBJECT_STORE)[0]?.doc),
    avatar: textsIn(rows(AVATAR_STORE)[0]?.doc["hashes"]),
    hats: new Map(rows(HAT_STORE).map(({ key, doc }) => [key, hatIn(doc)])),
    wearers: new Map(rows(WEARER_STORE).map(({ key, doc }) => [key, textsIn(doc["hats"])])),
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

function versionsIn(stored: Json | undefined): RoomState["versions"] {
  const versions = (stored ?? {}) as Readonly<Record<string, Json>>;
  return new Map(AFFILIATIONS.map((list) => [list, typeof versions[list] === "number" ? versions[list] : 0]));
}

function subjectIn(doc: Doc | undefined): Subject | undefined {
  const message = doc?.["message"];
  const at = doc?.["at"];
  if (typeof message !== "string" || typeof at !== "number") return undefined;
  return { message: Stanza.of(parseElement(toWire(message), UNLIMITED), {}), at };
}

function hatIn({ title, hue }: Doc): Hat {
  return { title: typeof title === "string" ? title : "", ...(typeof hue === "string" && { hue }) };
}

function textsIn(list: Json | undefined): readonly string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
}

/** The room, as it is configured, and how far its lists are. */
export function putRoom(room: JID, { isLocked, config, versions }: RoomState): Write {
  const settings: Record<string, Json> = Object.fromEntries(config);
  const doc = { v: 1, ...(isLocked && { locked: true }), settings, versions: Object.fromEntries(versions) };
  return { op: "put", store: ROOM_STORE, owner: room.toString(), key: "", doc };
}

/** The entry in the list of rooms, or none. */
export function putListing(room: JID, listing: Listing | undefined): Write {
  const place = { store: LISTING_STORE, owner: room.toString(), key: "" } as const;
  return listing ? { op: "put", ...place, doc: { v: 1, ...listing } } : { op: "remove", ...place };
}

/** `account`: the bare JID whose affiliation it is. */
export function putAffiliate(room: JID, account: JID, { affiliation, reason, nick }: Affiliate): Write {
  const place = { store: AFFILIATION_STORE, owner: room.toString(), key: account.toString() } as const;
  if (affiliation === "none") return { op: "remove", ...place };
  const doc = {
    ...{ v: 1, affiliation, [ACCOUNT]: account.toString() },
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

/** The vCard of the room, or none, with the hashes of the pictures in it. */
export function putVcard(room: JID, xml: string | undefined, hashes: readonly string[]): readonly Write[] {
  const place = { owner: room.toString(), key: "" };
  return [
    xml === undefined
      ? { op: "remove", store: VCARD_STORE, ...place }
      : { op: "put", store: VCARD_STORE, ...place, doc: { v: 1, xml } },
    hashes.length === 0
      ? { op: "remove", store: AVATAR_STORE, ...place }
      : { op: "put", store: AVATAR_STORE, ...place, doc: { v: 1, hashes } },
  ];
}

/** A hat, or that there is none of this URI. */
export function putHat(room: JID, uri: string, hat: Hat | undefined): Write {
  const place = { store: HAT_STORE, owner: room.toString(), key: uri } as const;
  return hat ? { op: "put", ...place, doc: { v: 1, ...hat } } : { op: "remove", ...place };
}

/** The hats of an account. */
export function putWearer(room: JID, account: string, hats: readonly string[]): Write {
  const place = { store: WEARER_STORE, owner: room.toString(), key: account } as const;
  return hats.length > 0
    ? { op: "put", ...place, doc: { v: 1, [ACCOUNT]: account, hats } }
    : { op: "remove", ...place };
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

/** Where it is found what rooms have given to an account. */
export const GIVEN = [
  { store: AFFILIATION_STORE, field: ACCOUNT },
  { store: WEARER_STORE, field: ACCOUNT },
] as const;

export function putDeparture({ domain, bare }: JID): Write {
  return { op: "put", store: DEPARTURE_STORE, owner: domain, key: bare.toString(), doc: { v: 1 } };
}

export function removeDeparture({ domain, bare }: JID): Write {
  return { op: "remove", store: DEPARTURE_STORE, owner: domain, key: bare.toString() };
}
