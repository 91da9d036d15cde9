// Rulings 3 and 8: whoever is in a room with a session that outlives the process is back in it at the next start, under the same nick and
// with the same role. Before the server stops, all others are told that they are out for that reason (332).
import type { Context } from "../core/context.js";
import type { Missed, SessionState } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import { stanzaIn, textOf } from "../core/record.js";
import type { Session } from "../core/session.js";
import { Slot } from "../core/slot.js";
import { presence } from "../stanza/build.js";
import { JID } from "../stanza/jid.js";
import type { Doc, Json } from "../storage/writes.js";
import { directedTo } from "../roster/api.js";
import { ALL, historyFor } from "./history.js";
import { kindOf } from "./kind.js";
import { evacuate } from "./leaving.js";
import { isTaken } from "./nicks.js";
import { absent, show, showOthers } from "./occupants.js";
import { mayEnter, ROLES, type Role } from "./privileges.js";
import type { Rooms } from "./rooms.js";
import { isInUse, occupantWith, seated, seatWith } from "./state.js";
import type { Turn } from "./turn.js";

/** The service stops. */
const SHUTDOWN = 332;

/** A session's place in a room. */
interface Place {
  /** The occupant JID. */
  readonly to: JID;
  readonly role: Role;
  /** What the client had sent last, as text. */
  readonly presence: string;
}

/** On its way back, or there already, until the client has come back to its session. */
interface Return {
  readonly place: Place;
  readonly over: Promise<unknown>;
  isOver: boolean;
}

/** Of the archive's ids: what the client may not have had. */
interface Span {
  readonly after: number;
  readonly upTo: number;
}

export class Returning implements SessionState {
  readonly #context: Context;
  readonly #rooms: () => Rooms;
  readonly #returns = new Slot<readonly Return[]>(() => []);

  constructor(context: Context, rooms: () => Rooms) {
    this.#context = context;
    this.#rooms = rooms;
  }

  readonly save = (session: Session): Json | undefined => {
    const there = directedTo(session).flatMap((to) => this.#placeOf(session, to) ?? []);
    const returning = this.#returns.get(session).flatMap(({ place, isOver }) => (isOver ? [] : [place]));
    const all = [...there, ...returning].map(({ to, ...rest }) => ({ to: to.toString(), ...rest }));
    return all.length === 0 ? undefined : all;
  };

  readonly restore = (session: Session, saved: Json | undefined): void => {
    if (Array.isArray(saved))
      this.#returns.set(
        session,
        saved.map((each) => this.#return(session, placeIn(each as Doc))),
      );
  };

  /** After a crash: who is in the room now, and what was said while the client may not have heard it. */
  readonly catchUp = (_: Flow, session: Session, { after }: Missed): Promise<void> | undefined => {
    const returns = this.#returns.get(session);
    this.#returns.set(session, []);
    if (returns.length === 0) return undefined;
    const missed = { after, upTo: session.readUpTo }; // what came since then waits for the client by itself
    return Promise.all(returns.map((each) => this.#tellAgain(session.jid, each, missed))).then(() => undefined);
  };

  /** Before the server stops. Rooms stay as they are, also those that would end with their last occupant. */
  readonly closing = async (): Promise<void> => {
    const rooms = this.#rooms();
    const all = [...rooms.occupied()].map((room) => rooms.act({ room, from: room }, (turn) => this.#empty(turn)));
    await Promise.all(all);
  };

  #placeOf(session: Session, to: JID): Place | undefined {
    const state = this.#rooms().peek(to.bare)?.released;
    const occupant = state && occupantWith(state, session.jid);
    const seat = seatWith(occupant, session.jid);
    if (!seat || !occupant?.jid.equals(to)) return undefined;
    return { to, role: occupant.role, presence: textOf(seat.presence) };
  }

  #return(session: Session, place: Place): Return {
    const over = this.#rooms().act({ room: place.to.bare, from: session.jid }, (turn) => comeBack(turn, place));
    const returning: Return = { place, over, isOver: false };
    void over.then(() => (returning.isOver = true));
    return returning;
  }

  async #tellAgain(from: JID, { place, over }: Return, missed: Span): Promise<void> {
    await over;
    await this.#rooms().act({ room: place.to.bare, from }, (turn) => tellAgain(turn, missed));
  }

  #empty(turn: Turn): void {
    const lost = [...turn.state.occupants.values()].filter(
      ({ seats }) => !seats.some(({ jid }) => this.#survives(jid)),
    );
    evacuate(turn, lost, { codes: [SHUTDOWN] });
  }

  #survives(jid: JID): boolean {
    const session = this.#context.accounts.peek(jid.bare)?.sessions.get(jid.resource);
    return session?.management?.isResumable === true;
  }
}

function placeIn({ to, role, presence: said }: Doc): Place {
  if (typeof to !== "string" || typeof said !== "string")
    throw new TypeError("a stored place in a room without an address");
  return { to: JID.parse(to), role: ROLES.find((one) => one === role) ?? "visitor", presence: said };
}

/**
 * What the session has is some seconds old after a crash: they may have lost their place since. Nobody is told: the others have not seen them
 * go, or are told when they come back.
 */
function comeBack(turn: Turn, { to, role, presence: said }: Place): void {
  const { state, from } = turn;
  const holder = state.occupants.get(to.resource);
  const isOut = !isInUse(state) || !mayEnter(turn.affiliation, kindOf(state.config));
  if (isOut || isTaken(state, to.resource, from.bare))
    return turn.send(
      presence({ from: to, to: from, type: "unavailable" }, absent("The service was restarted.", [110, SHUTDOWN])),
    );
  const occupant = { nick: to.resource, jid: to, account: from.bare, role: holder?.role ?? role };
  turn.change(seated(state, occupant, { jid: from, presence: stanzaIn(said) }));
}

function tellAgain(turn: Turn, { after, upTo }: Span): void {
  const { occupant, from, state, jid } = turn;
  const seat = seatWith(occupant, from);
  if (!occupant || !seat) return;
  showOthers(turn, occupant, seat);
  show(turn, { occupant, seat, affiliation: turn.affiliation }, occupant, seat);
  const missed = state.history.filter(({ entry }) => entry && entry.id > after && entry.id <= upTo);
  turn.send(() => historyFor(missed, jid, from, ALL));
  for (const part of turn.parts) part.welcome?.(turn, occupant, from);
}
