// XEP-0045 "Exiting a Room", "Ghost Users", "Destroying a Room": how occupants go, by themselves or not, and what becomes of an empty room.
import { presence } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import { JID, JidError } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { erased } from "./documents.js";
import { ownWords, show, showAll } from "./occupants.js";
import { isPersistent } from "./parts/persistence.js";
import { type ListChange, NO_ROOM, type Occupant, type Seat, seatWith, unseated } from "./state.js";
import type { Turn } from "./turn.js";

/** Removed for a technical reason. */
const LOST = 333;

/** How somebody goes, as the others see it. */
export interface Farewell {
  /** What they say themselves. */
  readonly words?: Stanza;
  readonly codes?: readonly number[];
  /** Further children of the item: who did it, and why. */
  readonly about?: readonly Element[];
  /** The change of the lists by which they go. */
  readonly change?: ListChange | undefined;
}

/** Presence of type unavailable; who is not in is not heard ("Presence" 5). */
export function unavailable(turn: Turn): void {
  const { occupant, stanza, from } = turn;
  if (occupant) unseat(turn, occupant, from, { words: stanza });
}

/** The client of an occupant has turned out to be gone. */
export function lost(turn: Turn, occupant: Occupant): void {
  unseat(turn, occupant, turn.from, { codes: [LOST] });
}

/** One client goes; the occupant with it, if that was the last one. */
function unseat(turn: Turn, occupant: Occupant, jid: JID, farewell: Farewell): void {
  const seat = seatWith(occupant, jid);
  if (!seat) return;
  const rest = occupant.seats.filter((one) => one !== seat);
  if (rest.length === 0) return remove(turn, occupant, farewell);
  show(turn, goodbye(turn, occupant, seat, farewell), occupant, seat);
  const [shownFirst] = occupant.seats;
  turn.change(unseated(turn.state, occupant, jid));
  const [next] = rest;
  if (next && shownFirst === seat)
    showAll(turn, { occupant, seat: next, affiliation: turn.affiliationOf(occupant.account) });
}

/** The occupant goes with all clients; an empty temporary room goes with them. */
export function remove(turn: Turn, occupant: Occupant, farewell: Farewell): void {
  evacuate(turn, [occupant], farewell);
  if (turn.state.isLocked || (turn.state.occupants.size === 0 && !isPersistent.of(turn.state.config))) end(turn);
}

/** All these go at once; each is told of themselves, and those who stay of each. The room is not ended by that. */
export function evacuate(turn: Turn, occupants: readonly Occupant[], farewell: Farewell): void {
  for (const occupant of occupants)
    for (const seat of occupant.seats) show(turn, goodbye(turn, occupant, seat, farewell), occupant, seat);
  for (const occupant of occupants)
    for (const seat of occupant.seats) turn.change(unseated(turn.state, occupant, seat.jid));
  for (const occupant of occupants) showAll(turn, goodbye(turn, occupant, occupant.seats[0], farewell));
}

function goodbye(turn: Turn, occupant: Occupant, seat: Seat, { words, codes = [], about = [], change }: Farewell) {
  const said = words ? ownWords(words) : presence({ type: "unavailable" });
  const affiliation = turn.affiliationOf(occupant.account);
  return { occupant, seat, affiliation, presence: said, role: "none", codes, about, change } as const;
}

/** Why a room ends, and where its people may go. */
export interface Venue {
  readonly jid?: string;
  readonly reason?: string;
  readonly password?: string;
}

/** What an owner's request to destroy the room says. Throws StanzaError for a venue that is no address. */
export function venueIn(request: Element | undefined): Venue {
  const jid: unknown = request?.attrs["jid"];
  if (typeof jid === "string" && jid !== "" && !isAddress(jid)) throw new StanzaError("jid-malformed");
  const reason = request?.getChildText("reason", NS.mucOwner);
  const password = request?.getChildText("password", NS.mucOwner);
  return {
    ...(typeof jid === "string" && jid !== "" && { jid }),
    ...(reason && { reason }),
    ...(password && { password }),
  };
}

function isAddress(text: string): boolean {
  try {
    return JID.parse(text).isBare;
  } catch (error) {
    if (error instanceof JidError) return false;
    throw error;
  }
}

/** "Destroying a Room": one presence to each, with the reason and where to go. */
export function destroy(turn: Turn, { jid, reason, password }: Venue): void {
  const { state } = turn;
  const children = Object.entries({ reason, password }).flatMap(([name, value]) =>
    value ? [xml(name, {}, value)] : [],
  );
  const destroyed = xml("destroy", { jid }, ...children);
  const gone = presence({ type: "unavailable" });
  for (const occupant of state.occupants.values())
    for (const seat of occupant.seats) {
      const item = { occupant, seat, affiliation: "none", presence: gone, role: "none", more: [destroyed] } as const;
      show(turn, item, occupant, seat);
    }
  end(turn);
}

function end(turn: Turn): void {
  turn.change(NO_ROOM, erased(turn.jid));
}
