// The list of public rooms, as it is stored beside them: what strangers find a room by.
import type { Context } from "../core/context.js";
import { placeOf, type Row } from "../storage/port.js";
import type { RoomConfig } from "./config.js";
import { LISTING_STORE } from "./documents.js";
import { isPublic } from "./parts/listing.js";
import { isMembersOnly } from "./parts/members-only.js";
import { description, language, roomName } from "./parts/naming.js";
import { isProtected } from "./parts/password.js";
import { whois } from "./parts/whois.js";

const SLICE = 100; // rows read at a time

export type Listing = Readonly<Record<"name" | "description" | "language", string>> &
  Readonly<Record<"isOpen" | "showsAddresses", boolean>>;

/** Undefined for a room that is not to be found. */
export function listingOf(config: RoomConfig): Listing | undefined {
  if (!isPublic.of(config)) return undefined;
  return {
    name: roomName.of(config),
    description: description.of(config),
    language: language.of(config),
    isOpen: !isMembersOnly.of(config) && !isProtected.of(config),
    showsAddresses: whois.of(config) === "anyone",
  };
}

export interface Listed extends Listing {
  readonly address: string;
}

/** The public rooms of a service in the order of their addresses, from behind this one on. */
export async function* publicRooms(
  storage: Pick<Context["storage"], "list">,
  domain: string,
  after?: string,
): AsyncGenerator<Listed> {
  let place = after === undefined ? undefined : placeOf({ owner: after, key: "" });
  for (let isMore = true; isMore;) {
    const rows = await storage.list(LISTING_STORE, { limit: SLICE, ...(place !== undefined && { after: place }) });
    for (const row of rows) if (row.owner.endsWith(`@${domain}`)) yield listedIn(row);
    const last = rows.at(-1);
    isMore = rows.length === SLICE && last !== undefined;
    if (last) place = placeOf(last);
  }
}

/** A room without a name goes by the first part of its address. */
function listedIn({ owner: address, doc }: Row): Listed {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    address,
    name: text(doc["name"]) || address.slice(0, address.indexOf("@")),
    description: text(doc["description"]),
    language: text(doc["language"]),
    isOpen: doc["isOpen"] === true,
    showsAddresses: doc["showsAddresses"] === true,
  };
}
