// The service of rooms on a domain of its own (XEP-0045 "Discovering a MUC Service", "Discovering Rooms"): what it says of itself and which
// rooms it lists. Everything else is for its rooms.
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import type { Service } from "../core/router.js";
import { attempt } from "../stanza/attempt.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { pageRequestOf, pageSet, pageSize } from "../stanza/rsm.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { infoQuery, itemsQuery, nodeOf } from "../xeps/0030-disco.api.js";
import { MUC_FEATURES } from "./discovery.js";
import { ROOM_STORES } from "./documents.js";
import { NS_RAI } from "./indicators.js";
import { listen } from "./listening.js";
import { type Listed, publicRooms } from "./listings.js";
import { Returning } from "./returning.js";
import { type Rooms, roomsOf } from "./rooms.js";
import { NS_SEARCH, search } from "./search.js";

const MOST_ROOMS = 100; // of a page of the list
const IDENTITY = { category: "conference", type: "text", name: "Chat rooms" } as const;
/** What the service can do beside its rooms, or says for all of them. */
const OWN_FEATURES: readonly string[] = [NS.rsm, NS.vcardTemp, NS_RAI, NS_SEARCH];
const PER_DOMAIN = "<domain>";

/** What the rooms keep, what becomes of it when an account is removed or the server stops, and what doap.xml says of them. */
export function muc(context: Context): Feature {
  const returning = new Returning(context, () => roomsOf(context));
  const removed = (flow: Flow, account: Account): void => roomsOf(context).departures.removed(flow, account);
  return { ...MANIFEST, session: returning, closing: returning.closing, removed };
}

const MANIFEST: Feature = {
  name: "muc",
  specs: [
    {
      xep: 45,
      version: "1.35.5",
      status: "partial",
      since: "0.1.0",
      note: "registration requests are granted at once or refused, not put to admins",
    },
    { xep: 425, version: "0.3.0", status: "complete", since: "0.1.0", note: "and the namespace of version 0.2" },
    { xep: 153, version: "1.1.1", status: "partial", since: "0.1.0", note: "of rooms" },
    { xep: 50, version: "1.3.0", status: "partial", since: "0.1.0", note: "of rooms" },
    { xep: 317, version: "0.3.1", status: "complete", since: "0.1.0" },
    { xep: 433, version: "0.1.0", status: "complete", since: "0.1.0" },
    { xep: 502, version: "0.1.0", status: "complete", since: "0.1.0" },
    {
      xep: 452,
      version: "0.2.2",
      status: "complete",
      since: "0.1.0",
      note: "mentions by the address of an account, or by the room with a registered nick",
    },
    { xep: 463, version: "0.2.0", status: "complete", since: "0.1.0", note: "changes are remembered in memory" },
    { xep: 486, version: "0.1.0", status: "complete", since: "0.1.0" },
    { xep: 500, version: "0.1.1", status: "complete", since: "0.1.0" },
    {
      xep: 249,
      version: "1.2",
      status: "complete",
      since: "0.1.0",
      note: "direct invitations pass, and are kept for who is offline",
    },
    { xep: 410, version: "1.1.0", status: "complete", since: "0.1.0" },
    { xep: 421, version: "1.0.1", status: "complete", since: "0.1.0" },
    { xep: 488, version: "0.1.0", status: "complete", since: "0.1.0" },
  ],
  stores: ROOM_STORES,
};

/** The services, one for each domain of the server, or one for all. */
export function mucServices(context: Context): readonly Service[] {
  const { config } = context;
  const hosts = config.domains.map((domain) => config.muc.host.replace(PER_DOMAIN, domain));
  const rooms = roomsOf(context);
  rooms.departures.begin();
  return [...new Set(hosts)].map((host) => serviceOn(JID.parse(host).domain, context, rooms));
}

function serviceOn(domain: string, context: Context, rooms: Rooms): Service {
  const searches = new Set<string>();
  return {
    domain,
    identity: IDENTITY,
    iq: {
      "get http://jabber.org/protocol/disco#info query": info,
      "get http://jabber.org/protocol/disco#items query": (iq) => () => list(context, domain, iq),
      "get urn:xmpp:ping ping": () => [],
      [`get ${NS_SEARCH} search`]: (iq) => search(context, rooms, domain, searches, iq),
    },
    presence: (flow) => listen(context, rooms, flow),
    decide: (flow: Flow) => flow.stanza.to && rooms.handOver(flow, flow.stanza.to.bare),
  };
}

function info({ payload }: Iq): Answer {
  const node = nodeOf(payload);
  if (node) return new StanzaError("item-not-found");
  return [infoQuery({ identities: [IDENTITY], features: [...MUC_FEATURES, ...OWN_FEATURES].sort(), forms: [] }, node)];
}

/** A page of the public rooms (XEP-0059), in the order of their addresses; nobody counts them all for it. */
async function list({ storage }: Context, domain: string, { payload }: Iq): Promise<Answer> {
  const node = nodeOf(payload);
  if (node) return new StanzaError("item-not-found");
  const page = attempt(() => pageRequestOf(payload));
  if (page instanceof StanzaError) return page;
  if (page.before !== undefined || page.index !== undefined) return new StanzaError("feature-not-implemented");
  const limit = pageSize(page, MOST_ROOMS, MOST_ROOMS);
  const rooms: Listed[] = [];
  for await (const room of publicRooms(storage, domain, page.after)) if (rooms.push(room) > limit) break;
  const shown = rooms.slice(0, limit);
  const items = shown.map(({ address, name }) => xml("item", { jid: address, name }));
  const isWhole = rooms.length === shown.length && page.after === undefined;
  const set = isWhole ? [] : [pageSet({ first: shown[0]?.address, last: shown.at(-1)?.address })];
  return [itemsQuery([...items, ...set], node)];
}
