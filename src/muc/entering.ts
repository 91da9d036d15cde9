// XEP-0045 "Entering a Room", "Creating a Room", "Changing Nickname", "Changing Availability Status": available presence sent to a nick.
import { StanzaError } from "../stanza/errors.js";
import { presence } from "../stanza/build.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { erased, putAffiliate, putRoom } from "./documents.js";
import { kindOf } from "./kind.js";
import { overcrowded } from "./membership.js";
import { isTaken } from "./nicks.js";
import { absent, ownWords, show, showAll, showOthers } from "./occupants.js";
import { full } from "./parts/max-users.js";
import { withSecret } from "./parts/occupant-id.js";
import { redeem, tokenIn } from "./parts/tokens.js";
import { advanced, asksToFollow, current } from "./parts/versions.js";
import { initialRole, type Role } from "./privileges.js";
import { NO_ROOM, type Occupant, seated, seatWith, type Seat, type Token, unseated, withAffiliate } from "./state.js";
import type { Turn } from "./turn.js";

const TOO_FAST = new StanzaError("resource-constraint", "wait", "too much presence");
const TOO_LARGE = new StanzaError("policy-violation", "modify", "the presence is too large");
const ROOM_CREATED = 201;
const NICK_CHANGED = 303;

/** Somebody sends presence to the address of an occupant, or of the room. */
export function available(turn: Turn): void {
  const { stanza, occupant } = turn;
  const { to } = stanza;
  const x = stanza.child("x", NS.muc);
  if (!to) return;
  if (!turn.mayGoOn("presences", "room_presences_per_minute")) return turn.refuse(TOO_FAST);
  if (stanza.size > turn.context.config.limits.room_presence_bytes) return turn.refuse(TOO_LARGE);
  if (to.isBare) return turn.refuse(new StanzaError("jid-malformed", "modify", "a nick is missing"));
  if (!occupant && !x) return turn.send(stray(stanza));
  if (Buffer.byteLength(to.resource) > turn.context.config.limits.nick_bytes)
    return turn.refuse(new StanzaError("not-acceptable", "modify", "the nick is too long"));
  if (occupant && !to.equals(occupant.jid)) return changeNick(turn, occupant, to);
  if (x) return enter(turn, to, x);
  if (occupant) showAll(turn, { ...seat(turn, to, occupant.role), affiliation: turn.affiliation });
}

/** Rulings 20: who takes themselves for an occupant is told that they are none ("Groupchat 1.0 Protocol"). */
function stray({ to, from }: Stanza): Stanza {
  return presence({ from: to, to: from, type: "unavailable" }, absent("You are not in the room.", [110, 307, 333]));
}

/** Also for a client that is in and joins again: it has lost track, and is told everything anew ("Presence" 3). */
function enter(turn: Turn, to: JID, x: Element): void {
  const isCreating = !turn.state.exists;
  const token = turn.occupant ? undefined : tokenIn(turn, x);
  const refused = isCreating ? create(turn) : turn.occupant ? undefined : denied(turn, to, x, token);
  if (refused) return turn.refuse(refused);
  if (token) redeem(turn, token);
  keepSecret(turn);
  const role = turn.state.occupants.get(to.resource)?.role ?? roleFor(turn);
  introduce(turn, seat(turn, to, role), isCreating ? [ROOM_CREATED] : []);
}

interface Seated {
  readonly occupant: Occupant;
  readonly seat: Seat;
}

/** The client is in under this nick, with the presence it has just sent. */
function seat(turn: Turn, to: JID, role: Role, mine: Seat = seatOf(turn)): Seated {
  const { from } = turn;
  const occupant = { nick: to.resource, jid: to, account: from.bare, role };
  turn.change(seated(turn.state, occupant, mine));
  return { occupant: turn.occupant ?? { ...occupant, seats: [mine] }, seat: mine };
}

/** The client with what it says now, and with what it has asked for when it entered. */
function seatOf({ from, stanza, occupant }: Turn): Seat {
  const x = stanza.child("x", NS.muc);
  const follows = x ? asksToFollow(x) : seatWith(occupant, from)?.follows;
  return { jid: from, presence: ownWords(stanza), ...(follows && { follows }) };
}

/** The role they would have who are not in. */
export function roleFor({ affiliation, state: { config } }: Turn): Role {
  return initialRole(affiliation, kindOf(config));
}

/** Why somebody may not enter a room that is there. */
function denied(turn: Turn, to: JID, x: Element, token: Token | undefined): StanzaError | undefined {
  if (turn.state.isLocked) return new StanzaError("item-not-found");
  const affiliation = token ? "member" : turn.affiliation;
  const role = initialRole(affiliation, kindOf(turn.state.config));
  const wish = { nick: to.resource, to, affiliation, role, hasToken: token !== undefined, x };
  for (const part of turn.parts) {
    const error = part.enter?.(turn, wish);
    if (error) return error;
  }
  return takenBySomebodyElse(turn, to) ?? (token && overcrowded(turn, [turn.from.bare]));
}

/** "Nickname Conflict": one account may be in with several clients under one nick. */
function takenBySomebodyElse({ state, from }: Turn, to: JID): StanzaError | undefined {
  return isTaken(state, to.resource, from.bare) ? new StanzaError("conflict") : undefined;
}

/** Whoever enters a room that there is not makes it and owns it; until it is configured it is locked. */
function create(turn: Turn): StanzaError | undefined {
  const { context, from, jid } = turn;
  const { muc, limits } = context.config;
  const isStaff = turn.isStaff(from);
  if (!isStaff && (muc.create !== "users" || !context.isHosted(from))) return new StanzaError("not-allowed");
  if (!isStaff && turn.ownedRooms >= limits.rooms_per_account)
    return new StanzaError("resource-constraint", "wait", "too many rooms of one owner");
  const owner = { affiliation: "owner" } as const;
  const config = withSecret(NO_ROOM.config, context.random);
  const listed = withAffiliate({ ...NO_ROOM, exists: true, isLocked: true, config }, from.bare, owner);
  const first = { account: from.bare.toString(), before: "none", after: "owner" } as const;
  // Nothing has been told of this room yet: what was before is another one's.
  const made = { ...advanced(listed, [first], context.clock.now()).state, changes: [] };
  const remains = turn.room.hasRemains ? [erased(jid)] : [];
  turn.change(made, ...remains, putRoom(jid, made), putAffiliate(jid, from.bare, owner));
  return undefined;
}

/** Who is in a room has an id that is made with its secret (XEP-0421). */
function keepSecret(turn: Turn): void {
  const { state, context, jid } = turn;
  const config = withSecret(state.config, context.random);
  if (config === state.config) return;
  const next = { ...state, config };
  turn.change(next, putRoom(jid, next));
}

/** "Order of Events": the others' presence, the own one, then what parts have to tell. */
function introduce(turn: Turn, { occupant, seat }: Seated, codes: readonly number[]): void {
  const warnings = turn.parts.flatMap((part) => part.warn?.(turn.state) ?? []);
  for (const part of turn.parts) part.greet?.(turn, occupant, seat);
  showOthers(turn, occupant, seat);
  const own = { ownCodes: [...codes, ...warnings], ownMore: current(turn, occupant, seat) };
  showAll(turn, { occupant, seat, affiliation: turn.affiliation, ...own });
  for (const part of turn.parts) part.welcome?.(turn, occupant, seat.jid);
}

/** Gone under the old nick (303, with the new one), and there under that. Only this client changes; others of the account stay. */
function changeNick(turn: Turn, occupant: Occupant, to: JID): void {
  const { from, affiliation } = turn;
  const isOneMore = occupant.seats.length > 1; // the others stay under the old nick
  const refused = takenBySomebodyElse(turn, to) ?? (isOneMore ? full(turn, to.resource, affiliation) : undefined);
  if (refused) return turn.refuse(refused);
  const mine = seatOf(turn);
  const gone = presence({ type: "unavailable" });
  const leaving = { occupant, seat: mine, affiliation, presence: gone, newNick: to.resource, codes: [NICK_CHANGED] };
  if (isOneMore) show(turn, leaving, occupant, mine);
  else showAll(turn, leaving);
  turn.change(unseated(turn.state, occupant, from));
  showAll(turn, { ...seat(turn, to, occupant.role, mine), affiliation });
}
