// XEP-0045 "Moderator Use Cases", "Admin Use Cases" and the lists of owners and admins: what is asked of muc#admin. A request with several
// items is done as a whole or not at all.
import type { Answer } from "../core/feature.js";
import { attempt } from "../stanza/attempt.js";
import { StanzaError } from "../stanza/errors.js";
import { JID, JidError } from "../stanza/jid.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { actor } from "./acting.js";
import { affiliate, type AffiliationChange, denial } from "./affiliating.js";
import { remove } from "./leaving.js";
import type { Part } from "./part.js";
import { isReadable } from "./parts/member-list.js";
import { AFFILIATIONS, type Affiliation, denyRole, isAtLeast, mayReadRole, type Role, ROLES } from "./privileges.js";
import { assign } from "./reconciling.js";
import type { Turn } from "./turn.js";

const KICKED = 307;
const MOST_REASON = 1024; // characters: a sentence or two, kept with a ban and told to everybody

export const admin: Part = {
  name: "admin",
  iq: {
    "get http://jabber.org/protocol/muc#admin query": show,
    "set http://jabber.org/protocol/muc#admin query": change,
  },
};

/** One item of a request. */
type Wish =
  | { readonly kind: "role"; readonly nick: string; readonly role: Role; readonly reason?: string }
  | ({ readonly kind: "affiliation" } & AffiliationChange);

/** Each item names a list, as a rule there is one; a list that is named again is told once. */
function show(turn: Turn, query: Element): Answer {
  const lists = new Set(query.getChildren("item", NS.mucAdmin).map(listIn));
  const items: Element[] = [];
  for (const list of lists) {
    const found = list ? itemsOf(turn, list) : new StanzaError("bad-request");
    if (found instanceof StanzaError) return found;
    for (const item of found) items.push(item);
  }
  return lists.size === 0 ? new StanzaError("bad-request") : [xml("query", { xmlns: NS.mucAdmin }, ...items)];
}

/** No affiliation has the name of a role but "none", of which there is no list. */
type List = Affiliation | Role;

function listIn({ attrs }: Element): List | undefined {
  const affiliation = AFFILIATIONS.find((one) => one === attrs["affiliation"] && one !== "none");
  return affiliation ?? ROLES.find((one) => one === attrs["role"] && one !== "none");
}

function itemsOf(turn: Turn, list: List): readonly Element[] | StanzaError {
  const me = turn.standingOf(turn.from);
  const affiliation = AFFILIATIONS.find((one) => one === list);
  const role = ROLES.find((one) => one === list);
  if (affiliation && isReadable(turn.state, me, affiliation)) return affiliates(turn, affiliation);
  if (role && mayReadRole(me, role)) return holders(turn, role);
  return new StanzaError("forbidden");
}

/** "IQ" 6: bare JIDs, with the nicks of those who are in or have registered. */
function affiliates({ state }: Turn, list: Affiliation): readonly Element[] {
  const nicks = new Map([...state.occupants.values()].map(({ account, nick }) => [account.toString(), nick]));
  return [...state.affiliations].flatMap(([jid, { affiliation, reason, nick }]) => {
    if (affiliation !== list) return [];
    const why = reason === undefined ? [] : [xml("reason", {}, reason)];
    return [xml("item", { affiliation, jid, nick: nicks.get(jid) ?? nick }, ...why)];
  });
}

/** "IQ" 5: with all that is known of them; who may read this is a moderator. */
function holders(turn: Turn, role: Role): readonly Element[] {
  const occupants = [...turn.state.occupants.values()].filter((occupant) => occupant.role === role);
  return occupants.map(({ nick, account, seats: [seat] }) =>
    xml("item", { nick, role, affiliation: turn.affiliationOf(account), jid: seat.jid.toString() }),
  );
}

function change(turn: Turn, query: Element): Answer | void {
  const { affiliation, role } = turn.standingOf(turn.from);
  // Who has no privileges at all learns nothing by asking, such as which nicks there are.
  if (role !== "moderator" && !isAtLeast(affiliation, "admin")) return new StanzaError("forbidden");
  const wishes = attempt(() => wishesIn(turn, query));
  if (wishes instanceof StanzaError) return wishes;
  const roles = wishes.flatMap((wish) => (wish.kind === "role" ? [wish] : []));
  const changes = wishes.flatMap((wish) => (wish.kind === "affiliation" ? [wish] : []));
  const refused = deniedRoles(turn, roles) ?? (changes.length > 0 ? denial(turn, changes) : undefined);
  if (refused) return refused;
  turn.answer(); // "Kicking an Occupant": whoever did it is told before the others
  const by = actor(turn);
  for (const wish of roles) give(turn, wish, by);
  if (changes.length > 0) affiliate(turn, changes, by);
}

/** Throws StanzaError for what cannot be understood. */
function wishesIn(turn: Turn, query: Element): readonly Wish[] {
  const wishes = query.getChildren("item", NS.mucAdmin).map((item) => wishIn(turn, item));
  const targets = wishes.map((wish) => (wish.kind === "role" ? `/${wish.nick}` : wish.account.toString()));
  if (wishes.length === 0 || new Set(targets).size < targets.length) throw new StanzaError("bad-request");
  return wishes;
}

function wishIn(turn: Turn, item: Element): Wish {
  const { nick, jid, role, affiliation } = item.attrs as Readonly<Record<string, unknown>>;
  const reason = item.getChildText("reason", NS.mucAdmin) || undefined;
  if (reason !== undefined && reason.length > MOST_REASON)
    throw new StanzaError("not-acceptable", "modify", "the reason is too long");
  const more = reason === undefined ? {} : { reason };
  const knownRole = ROLES.find((one) => one === role);
  const knownAffiliation = AFFILIATIONS.find((one) => one === affiliation);
  if (role !== undefined && affiliation === undefined && knownRole && typeof nick === "string")
    return { kind: "role", nick: nickIn(turn, nick), role: knownRole, ...more };
  if (affiliation !== undefined && role === undefined && knownAffiliation && typeof jid === "string")
    return { kind: "affiliation", account: accountIn(jid), affiliation: knownAffiliation, ...more };
  throw new StanzaError("bad-request");
}

/** As nicks are compared. */
function nickIn({ jid }: Turn, nick: string): string {
  try {
    return jid.withResource(nick).resource;
  } catch (error) {
    if (error instanceof JidError) throw new StanzaError("item-not-found");
    throw error;
  }
}

function accountIn(jid: string): JID {
  try {
    return JID.parse(jid).bare;
  } catch (error) {
    if (error instanceof JidError) throw new StanzaError("jid-malformed");
    throw error;
  }
}

function deniedRoles(turn: Turn, wishes: readonly { readonly nick: string; readonly role: Role }[]) {
  const me = turn.standingOf(turn.from);
  for (const { nick, role } of wishes) {
    const occupant = turn.state.occupants.get(nick);
    if (!occupant) return new StanzaError("item-not-found");
    const denial = denyRole(me, turn.standingAs(occupant), role);
    if (denial) return new StanzaError(denial);
  }
  return undefined;
}

function give(turn: Turn, { nick, role, reason }: Wish & { readonly kind: "role" }, by: readonly Element[]): void {
  const occupant = turn.state.occupants.get(nick); // the room may have ended with another one
  if (!occupant || occupant.role === role) return;
  const about = reason === undefined ? by : [...by, xml("reason", {}, reason)];
  if (role === "none") remove(turn, occupant, { codes: [KICKED], about });
  else assign(turn, occupant, role, { about });
}
