// XEP-0433 "Extended Channel Search": strangers find public rooms of the service by words, or look through all of them.
import type { Context } from "../core/context.js";
import type { Answer, Iq } from "../core/feature.js";
import { attempt } from "../stanza/attempt.js";
import { StanzaError } from "../stanza/errors.js";
import { type Field, form, Submission } from "../stanza/forms.js";
import { JID } from "../stanza/jid.js";
import { type PageRequest, pageRequestOf, pageSet, pageSize } from "../stanza/rsm.js";
import { type Element, xml } from "../xml/element.js";
import { type Listed, publicRooms } from "./listings.js";
import type { Rooms } from "./rooms.js";

export const NS_SEARCH = "urn:xmpp:channel-search:0:search";
const FORM_TYPE = "urn:xmpp:channel-search:0:search-params";
const NS_ERROR = "urn:xmpp:channel-search:0:error";
const BY_ADDRESS = "{urn:xmpp:channel-search:0:order}address";
const BY_USERS = "{urn:xmpp:channel-search:0:order}nusers";
const ROOMS = "xep-0045";

const MOST_ITEMS = 100; // of a page
const MOST_QUERY = 256; // characters
const MOST_TERMS = 8;

/** What is looked for. */
interface Query {
  /** In small letters; none: everything is found. */
  readonly terms: readonly string[];
  readonly key: string;
  readonly places: readonly ("address" | "name" | "description")[];
  /** Rooms are what is looked for at all. */
  readonly includesRooms: boolean;
}

/** `underway`: the accounts that something is being looked for. */
export function search(
  context: Context,
  rooms: Rooms,
  domain: string,
  underway: Set<string>,
  { payload, from }: Iq,
): Answer | (() => Promise<Answer>) {
  const filled = attempt(() => Submission.of(payload, FORM_TYPE));
  if (filled instanceof StanzaError) return filled;
  if (!filled) return [xml("search", { xmlns: NS_SEARCH }, FORM)];
  const query = attempt(() => queryIn(filled));
  const page = attempt(() => pageRequestOf(payload));
  if (query instanceof StanzaError) return query;
  if (page instanceof StanzaError) return page;
  if (page.before !== undefined || page.index !== undefined) return new StanzaError("feature-not-implemented");
  return () => oneAtATime(underway, from.bare.toString(), () => found(context, rooms, domain, query, page));
}

/** As each may look at thousands of rooms, and holds them. */
async function oneAtATime(underway: Set<string>, who: string, work: () => Promise<Answer>): Promise<Answer> {
  if (underway.has(who)) return new StanzaError("resource-constraint", "wait", "one search at a time");
  underway.add(who);
  return work().finally(() => underway.delete(who));
}

const yes = (name: string, label: string): Field => ({ var: name, type: "boolean", label, values: ["true"] });

const FORM = form("form", FORM_TYPE, [
  { var: "q", type: "text-single", label: "Search for" },
  { var: "all", type: "boolean", label: "Return all entries (ignore search terms)", values: ["false"] },
  yes("sinname", "Search in name"),
  yes("sindescription", "Search in description"),
  yes("sinaddress", "Search in address"),
  { var: "types", type: "list-multi", label: "Service types", values: [ROOMS], options: [{ value: ROOMS }] },
  {
    var: "key",
    type: "list-single",
    label: "Sort results by",
    values: [BY_USERS],
    options: [
      { value: BY_USERS, label: "Number of online users" },
      { value: BY_ADDRESS, label: "Address" },
    ],
  },
]);

/** Throws StanzaError as the XEP's tables say. */
function queryIn(filled: Submission): Query {
  const q = filled.text("q");
  const all = filled.boolean("all") ?? false;
  if (all && q !== undefined) throw conflicting();
  if (!all && q === undefined) throw refused("bad-request", "no-search-conditions");
  const terms = q?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  if (q !== undefined && (terms.length === 0 || terms.length > MOST_TERMS || q.length > MOST_QUERY))
    throw refused("bad-request", "invalid-search-terms", `From one to ${MOST_TERMS} words can be looked for.`);
  const key = filled.text("key") ?? BY_USERS;
  if (key !== BY_USERS && key !== BY_ADDRESS) throw refused("feature-not-implemented", "invalid-sort-key");
  const types = filled.all("types");
  return { terms, key, places: placesIn(filled), includesRooms: types.length === 0 || types.includes(ROOMS) };
}

function placesIn(filled: Submission): Query["places"] {
  const address = filled.boolean("sinaddress") ?? filled.boolean("sinaddr") ?? true; // both names are in the XEP
  return [
    ...(address ? (["address"] as const) : []),
    ...((filled.boolean("sinname") ?? true) ? (["name"] as const) : []),
    ...((filled.boolean("sindescription") ?? true) ? (["description"] as const) : []),
  ];
}

function conflicting(): StanzaError {
  const fields = ["all", "q"].map((name) => xml("var", {}, name));
  const text = "One can look for words or for all, not for both.";
  return new StanzaError("bad-request", "modify", text, xml("conflicting-fields", { xmlns: NS_ERROR }, ...fields));
}

function refused(condition: "bad-request" | "feature-not-implemented", what: string, text?: string): StanzaError {
  return new StanzaError(condition, "modify", text, xml(what, { xmlns: NS_ERROR }));
}

/** By address the page is as it is in the store; by users it is a page of what is there now. */
async function found(
  { storage, config }: Context,
  rooms: Rooms,
  domain: string,
  query: Query,
  page: PageRequest,
): Promise<Answer> {
  const limit = pageSize(page, MOST_ITEMS, MOST_ITEMS);
  const isByAddress = query.key === BY_ADDRESS;
  const hits: Hit[] = [];
  let lookedAt = 0;
  for await (const room of publicRooms(storage, domain, isByAddress ? page.after : undefined)) {
    if (query.includesRooms && isMeant(room, query))
      hits.push({ room, users: rooms.occupantsOf(JID.parse(room.address)) });
    if (++lookedAt >= config.limits.rooms_searched || (isByAddress && hits.length > limit)) break;
  }
  const behind = isByAddress ? hits : behindOne(hits, page.after);
  return behind instanceof StanzaError ? behind : [resultOf(behind.slice(0, limit))];
}

interface Hit {
  readonly room: Listed;
  readonly users: number;
}

/** Those with most users first, from behind this one on. */
function behindOne(hits: readonly Hit[], after: string | undefined): readonly Hit[] | StanzaError {
  const sorted = [...hits].sort((one, other) => other.users - one.users);
  if (after === undefined) return sorted;
  const at = sorted.findIndex(({ room }) => room.address === after);
  return at < 0 ? new StanzaError("item-not-found") : sorted.slice(at + 1);
}

/** Every word is somewhere in it. */
function isMeant(room: Listed, { terms, places }: Query): boolean {
  const text = places.map((place) => room[place].toLowerCase()).join("\n");
  return terms.every((term) => text.includes(term));
}

function resultOf(hits: readonly Hit[]): Element {
  const set = pageSet({ first: hits[0]?.room.address, last: hits.at(-1)?.room.address });
  return xml("result", { xmlns: NS_SEARCH }, ...hits.map(itemOf), set);
}

function itemOf({ room, users }: Hit): Element {
  return xml(
    "item",
    { address: room.address },
    xml("name", {}, room.name),
    ...(room.description === "" ? [] : [xml("description", {}, room.description)]),
    ...(room.language === "" ? [] : [xml("language", {}, room.language)]),
    xml("nusers", {}, String(users)),
    xml("service-type", {}, ROOMS),
    xml("is-open", {}, String(room.isOpen)),
    xml("anonymity-mode", {}, room.showsAddresses ? "{urn:xmpp:channel-search:0:anonymity}none" : "muc_semianonymous"),
  );
}
