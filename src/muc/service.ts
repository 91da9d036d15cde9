// The service of rooms on a domain of its own (XEP-0045 "Discovering a MUC Service", "Discovering Rooms"): what it says of itself and which
// rooms it lists. Everything else is for its rooms.
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import type { Service } from "../core/router.js";
import { attempt } from "../stanza/attempt.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { pageRequestOf, pageSet, pageSize } from "../stanza/rsm.js";
import { placeOf, type Row } from "../storage/port.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { infoQuery } from "../xeps/0030-disco.api.js";
import { MUC_FEATURES } from "./discovery.js";
import { LISTING_STORE, ROOM_STORES } from "./documents.js";
import { Rooms } from "./rooms.js";

const MOST_ROOMS = 100; // of a page of the list
const IDENTITY = { category: "conference", type: "text", name: "Chat rooms" } as const;
const PER_DOMAIN = "<domain>";

/** What the rooms keep, and what doap.xml says of them. */
export const muc: Feature = {
  name: "muc",
  specs: [
    {
      xep: 45,
      version: "1.35.5",
      status: "partial",
      since: "0.1.0",
      note: "entering, messages, subject, configuration, invitations, registration; no lists yet",
    },
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
  const rooms = new Rooms(context);
  return [...new Set(hosts)].map((host) => serviceOn(JID.parse(host).domain, context, rooms));
}

function serviceOn(domain: string, context: Context, rooms: Rooms): Service {
  return {
    domain,
    identity: IDENTITY,
    iq: {
      "get http://jabber.org/protocol/disco#info query": info,
      "get http://jabber.org/protocol/disco#items query": (iq) => () => list(context, domain, iq),
      "get urn:xmpp:ping ping": () => [],
    },
    decide: (flow: Flow) => flow.stanza.to && rooms.handOver(flow, flow.stanza.to.bare),
  };
}

function info({ payload }: Iq): Answer {
  if (payload.attrs["node"] !== undefined) return new StanzaError("item-not-found");
  return [infoQuery({ identities: [IDENTITY], features: [...MUC_FEATURES, NS.rsm].sort(), forms: [] }, undefined)];
}

/** A page of the public rooms (XEP-0059), in the order of their addresses; nobody counts them all for it. */
async function list({ storage }: Context, domain: string, { payload }: Iq): Promise<Answer> {
  if (payload.attrs["node"] !== undefined) return new StanzaError("item-not-found");
  const page = attempt(() => pageRequestOf(payload));
  if (page instanceof StanzaError) return page;
  if (page.before !== undefined || page.index !== undefined) return new StanzaError("feature-not-implemented");
  const limit = pageSize(page, MOST_ROOMS, MOST_ROOMS);
  const rows: Row[] = [];
  let after = page.after === undefined ? undefined : placeOf({ owner: page.after, key: "" });
  for (let isMore = true; isMore && rows.length <= limit;) {
    const slice = await storage.list(LISTING_STORE, { limit: MOST_ROOMS, ...(after !== undefined && { after }) });
    rows.push(...slice.filter(({ owner }) => owner.endsWith(`@${domain}`)));
    const last = slice.at(-1);
    isMore = slice.length === MOST_ROOMS && last !== undefined;
    if (last) after = placeOf(last);
  }
  const shown = rows.slice(0, limit);
  const items = shown.map(({ owner, doc }) => xml("item", { jid: owner, name: nameIn(owner, doc["name"]) }));
  const isWhole = rows.length === shown.length && page.after === undefined;
  const set = isWhole ? [] : [pageSet({ first: shown[0]?.owner, last: shown.at(-1)?.owner })];
  return [xml("query", { xmlns: NS.discoItems }, ...items, ...set)];
}

function nameIn(room: string, name: unknown): string {
  return typeof name === "string" && name !== "" ? name : room.slice(0, room.indexOf("@"));
}
