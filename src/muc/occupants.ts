// Presence of occupants as the room sends it: with role and affiliation, the real JID for those who may know it, and status codes
// (XEP-0045 "Presence Broadcast", "Non-Anonymous Rooms", "Semi-Anonymous Rooms").
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";
import { withoutOccupantIds } from "./parts/occupant-id.js";
import { isBroadcast } from "./parts/presence-broadcast.js";
import { news } from "./parts/versions.js";
import { whois } from "./parts/whois.js";
import type { Affiliation, Role } from "./privileges.js";
import type { ListChange, Occupant, RoomState, Seat } from "./state.js";
import type { Turn } from "./turn.js";

/** An occupant's presence, to be told to others. */
export interface Showing {
  readonly occupant: Occupant;
  /** The client whose presence it is. */
  readonly seat: Seat;
  readonly affiliation: Affiliation;
  /** What it is sent as; as the client sent it, if nothing else is said. */
  readonly presence?: Stanza;
  /** "none" for somebody who leaves. */
  readonly role?: Role;
  /** The nick they change to. */
  readonly newNick?: string;
  /** Further children of the item: who did it, and why. */
  readonly about?: readonly Element[];
  /** Status codes for everybody. */
  readonly codes?: readonly number[];
  /** Status codes for the client whose presence it is, beside 110. */
  readonly ownCodes?: readonly number[];
  /** Further children of `<x/>`. */
  readonly more?: readonly Element[];
  /** The same, for the client whose presence it is. */
  readonly ownMore?: readonly Element[];
  /** The change of the lists that is told by it. */
  readonly change?: ListChange | undefined;
}

/** To one client. */
export function show(turn: Turn, showing: Showing, viewer: Occupant, to: Seat): void {
  turn.send(new Shown(turn, showing).for(viewer, to));
}

/** To everybody who is in the room and may see it; to the occupant's own clients always, and last. */
export function showAll(turn: Turn, showing: Showing): void {
  const { state } = turn;
  const { nick, role } = showing.occupant;
  const shown = new Shown(turn, showing);
  if (isBroadcast(state.config, role))
    for (const viewer of state.occupants.values())
      if (viewer.nick !== nick) for (const seat of viewer.seats) turn.send(shown.for(viewer, seat));
  const self = state.occupants.get(nick);
  for (const seat of self?.seats ?? []) if (self) turn.send(shown.for(self, seat));
}

/** Everybody whose presence is shown, to a client. */
export function showOthers(turn: Turn, viewer: Occupant, to: Seat): void {
  const { state } = turn;
  for (const occupant of state.occupants.values())
    if (occupant.nick !== viewer.nick && isBroadcast(state.config, occupant.role))
      turn.send(asTheyAre(turn, occupant).for(viewer, to));
}

const known = new WeakMap<Occupant, Shown>();

/** As everybody is shown who enters; made once, as long as nothing of it changes. */
function asTheyAre(turn: Turn, occupant: Occupant): Shown {
  const before = known.get(occupant);
  const affiliation = turn.affiliationOf(occupant.account);
  if (before?.isStill(turn, affiliation)) return before;
  const [seat] = occupant.seats;
  const shown = new Shown(turn, { occupant, seat, affiliation });
  known.set(occupant, shown);
  return shown;
}

/** Of the client that is shown, of another one of the same occupant, of somebody else. */
type Whose = "seat" | "self" | "other";

/** "This presence refers to yourself." */
const SELF = 110;

/** The few forms a presence has: they share their content, each copy has a head of its own. */
class Shown {
  readonly #state: RoomState;
  readonly #showing: Showing;
  readonly #marks: Wire;
  /** Only where a change is told: others are kept, and a turn is large. */
  readonly #turn: Turn | undefined;
  readonly #forms = new Map<string, Stanza>();

  constructor(turn: Turn, showing: Showing) {
    this.#state = turn.state;
    this.#showing = showing;
    this.#turn = showing.change && turn;
    this.#marks = marksOf(turn, showing.occupant);
  }

  /** It would be the same if it were made now. */
  isStill(turn: Turn, affiliation: Affiliation): boolean {
    const { state } = turn;
    if (this.#state !== state && whois.of(this.#state.config) !== whois.of(state.config)) return false;
    return this.#showing.affiliation === affiliation && this.#marks === marksOf(turn, this.#showing.occupant);
  }

  for(viewer: Occupant, to: Seat): Stanza {
    const { occupant, seat } = this.#showing;
    const isSelf = viewer.nick === occupant.nick;
    const whose = !isSelf ? "other" : to.jid.equals(seat.jid) ? "seat" : "self";
    const withJid = isSelf || seesJids(this.#state, viewer);
    return this.#form(whose, withJid, this.#news(viewer, to)).readdress(occupant.jid, to.jid);
  }

  #news(viewer: Occupant, to: Seat): readonly Element[] {
    const { change } = this.#showing;
    return this.#turn && change ? news(this.#turn, change, viewer, to) : [];
  }

  #form(whose: Whose, withJid: boolean, told: readonly Element[]): Stanza {
    const key = `${whose} ${withJid} ${told.join("")}`;
    const known = this.#forms.get(key);
    if (known) return known;
    const { presence = this.#showing.seat.presence } = this.#showing;
    const said = whose === "seat" ? presence : presence.withId(undefined); // the id tells its sender which one is answered
    const made = said.plus((this.#marks + this.#x(whose, withJid, told)) as Wire);
    this.#forms.set(key, made);
    return made;
  }

  #x(whose: Whose, withJid: boolean, told: readonly Element[]): Wire {
    const { codes = [], ownCodes = [], more = [], ownMore = [] } = this.#showing;
    const extra = [...told, ...(whose === "seat" ? ownMore : [])];
    const all = [...codes, ...(whose === "other" ? [] : [SELF]), ...(whose === "seat" ? ownCodes : [])];
    const x = xml("x", { xmlns: NS.mucUser }, ...extra, this.#item(withJid), ...more);
    for (const code of all.sort()) x.append(xml("status", { code: String(code) }));
    return elementToWire(x, NS.client);
  }

  #item(withJid: boolean): Element {
    const { occupant, seat, affiliation, role = occupant.role, newNick, about = [] } = this.#showing;
    const jid = withJid ? seat.jid.toString() : undefined;
    return xml("item", { affiliation, role, jid, nick: newNick }, ...about);
  }
}

/** Whoever may know real JIDs: in a non-anonymous room everybody, else moderators. */
export function seesJids({ config }: RoomState, { role }: Pick<Occupant, "role">): boolean {
  return role === "moderator" || whois.of(config) === "anyone";
}

function marksOf({ parts, state }: Turn, occupant: Occupant): Wire {
  let marks = "";
  for (const { mark } of parts)
    for (const one of mark?.(state, occupant) ?? [])
      marks += typeof one === "string" ? one : elementToWire(one, NS.client);
  return marks as Wire;
}

/** What a client says of itself: without what only the room may say, and without its wishes to the room ("Presence" 6). */
export function ownWords(presence: Stanza): Stanza {
  const said = presence.children.filter(
    ({ name, ns }) => ns === NS.hats || (name === "x" && (ns === NS.mucUser || ns === NS.muc)),
  );
  return withoutOccupantIds(said.length === 0 ? presence : presence.without(...said));
}

/** The `<item/>` of somebody who is not in the room, with status codes, for an unavailable presence. */
export function absent(reason: string, codes: readonly number[]): Element {
  const item = xml("item", { affiliation: "none", role: "none" }, xml("reason", {}, reason));
  return xml("x", { xmlns: NS.mucUser }, item, ...codes.map((code) => xml("status", { code: String(code) })));
}
