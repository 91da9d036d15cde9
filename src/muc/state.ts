// A room as one immutable value, and its pure transitions. A room has two of them: what has been decided, and what everybody has been told.
import type { Append } from "../core/flow.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { RoomConfig } from "./config.js";
import { type HistoryBounds, latest } from "./history.js";
import { type Affiliation, isAtLeast, type Role } from "./privileges.js";

/** One client of an occupant. */
export interface Seat {
  readonly jid: JID;
  /** What it has sent last, without what only the room may say. */
  readonly presence: Stanza;
  /** It has asked to be told how far the lists are (XEP-0463). */
  readonly follows?: true;
}

/** Whoever is in the room under a nick: one account, with one client or more. */
export interface Occupant {
  readonly nick: string;
  /** The occupant JID. */
  readonly jid: JID;
  /** The bare JID of the account. */
  readonly account: JID;
  readonly role: Role;
  /** The one whose presence is shown first. Never empty. */
  readonly seats: readonly [Seat, ...Seat[]];
}

/** An entry of the lists of owners, admins, members and outcasts. */
export interface Affiliate {
  readonly affiliation: Affiliation;
  readonly reason?: string;
  /** The nick that is theirs ("Registering with a Room"). */
  readonly nick?: string;
}

/** An invitation for whoever knows its text (XEP-0488). */
export interface Token {
  readonly text: string;
  /** The bare JID of who has issued it. */
  readonly creator: string;
  /** In ms since 1970. */
  readonly until: number;
  /** How often it can still be used; as often as one likes, if nothing is said. */
  readonly uses?: number;
}

/** A change of somebody's affiliation, for those who have missed it. */
export interface ListChange {
  /** A bare JID, or a domain. */
  readonly account: string;
  readonly before: Affiliation;
  readonly after: Affiliation;
  readonly version: number;
  /** The versions of the lists before it. */
  readonly from: ReadonlyMap<Affiliation, number>;
}

export interface Subject {
  /** The message that set it, from the occupant who did. */
  readonly message: Stanza;
  /** When, in ms since 1970. */
  readonly at: number;
}

/** A message of the room's recent past, for those who enter. */
export interface Past {
  readonly message: Stanza;
  /** Bare JID of the account that said it; unknown of what was kept without it. */
  readonly author: JID | undefined;
  /** Its entry in the archive, if it has one. */
  readonly entry: Pick<Append, "id"> | undefined;
  /** When it was sent, in ms since 1970. */
  readonly at: number;
}

/** A mark that occupants carry beside role and affiliation (XEP-0317). */
export interface Hat {
  readonly title: string;
  /** Its colour as an angle. */
  readonly hue?: string;
}

export interface RoomState {
  readonly exists: boolean;
  /** Made, but not yet configured: nobody else may enter ("Locked Room"). */
  readonly isLocked: boolean;
  readonly config: RoomConfig;
  /** By bare JID. */
  readonly affiliations: ReadonlyMap<string, Affiliate>;
  /** The version of each list: that of its latest change. */
  readonly versions: ReadonlyMap<Affiliation, number>;
  /** The latest of them, oldest first. Known while the room is in memory. */
  readonly changes: readonly ListChange[];
  readonly subject: Subject | undefined;
  /** The hashes of the pictures in its vCard; none: it has no avatar. */
  readonly avatar: readonly string[];
  /** By their URIs. */
  readonly hats: ReadonlyMap<string, Hat>;
  /** The URIs of the hats that accounts have, by bare JID. */
  readonly wearers: ReadonlyMap<string, readonly string[]>;
  /** By text. */
  readonly tokens: ReadonlyMap<string, Token>;
  /** By nick. */
  readonly occupants: ReadonlyMap<string, Occupant>;
  /** The nicks of those who are in, by their full JIDs. */
  readonly nicks: ReadonlyMap<string, string>;
  /** The latest messages, oldest first. */
  readonly history: readonly Past[];
  /** In a slow room: when accounts have last spoken, in ms since 1970, by bare JID. */
  readonly spoken: ReadonlyMap<string, number>;
}

const NOBODY: ReadonlyMap<string, never> = new Map<string, never>();

export const NO_ROOM: RoomState = {
  exists: false,
  isLocked: false,
  config: NOBODY,
  affiliations: NOBODY,
  versions: new Map(),
  changes: [],
  subject: undefined,
  avatar: [],
  hats: NOBODY,
  wearers: NOBODY,
  tokens: NOBODY,
  occupants: NOBODY,
  nicks: NOBODY,
  history: [],
  spoken: NOBODY,
};

export function affiliationOf(state: RoomState, account: JID): Affiliation {
  const own = state.affiliations.get(account.toString());
  return (own ?? state.affiliations.get(account.domain))?.affiliation ?? "none";
}

/** A member, admin or owner: they may enter. */
export function isOnLists(state: RoomState, account: JID): boolean {
  return state.exists && isAtLeast(affiliationOf(state, account), "member");
}

/** The bare JIDs on a list. */
export function listed({ affiliations }: RoomState, list: Affiliation): readonly string[] {
  return [...affiliations].filter(([, { affiliation }]) => affiliation === list).map(([jid]) => jid);
}

export function isInUse({ exists, isLocked }: RoomState): boolean {
  return exists && !isLocked;
}

/** Who is in the room with this full JID. */
export function occupantWith(state: RoomState, jid: JID): Occupant | undefined {
  const nick = state.nicks.get(jid.toString());
  return nick === undefined ? undefined : state.occupants.get(nick);
}

/** Some client of the account is in the room. */
export function isPresent({ occupants }: RoomState, account: JID): boolean {
  for (const occupant of occupants.values()) if (occupant.account.equals(account)) return true;
  return false;
}

/** The client of the occupant with this full JID. */
export function seatWith(occupant: Occupant | undefined, jid: JID): Seat | undefined {
  return occupant?.seats.find((seat) => seat.jid.equals(jid));
}

/** The client comes in first, whether it was there or not. */
export function seated(state: RoomState, occupant: Omit<Occupant, "seats">, seat: Seat): RoomState {
  const others = state.occupants.get(occupant.nick)?.seats.filter(({ jid }) => !jid.equals(seat.jid)) ?? [];
  return {
    ...state,
    occupants: withEntry(state.occupants, occupant.nick, { ...occupant, seats: [seat, ...others] }),
    nicks: withEntry(state.nicks, seat.jid.toString(), occupant.nick),
  };
}

/** The client is in the room no more; nor is the occupant, if that was the last one. */
export function unseated(state: RoomState, { nick }: Occupant, jid: JID): RoomState {
  const occupant = state.occupants.get(nick);
  const [first, ...others] = occupant?.seats.filter((seat) => !seat.jid.equals(jid)) ?? [];
  return {
    ...state,
    occupants:
      occupant && first
        ? withEntry(state.occupants, nick, { ...occupant, seats: [first, ...others] })
        : withoutEntry(state.occupants, nick),
    nicks: withoutEntry(state.nicks, jid.toString()),
  };
}

export function withAffiliate(state: RoomState, account: JID, affiliate: Affiliate): RoomState {
  const { affiliations } = state;
  const key = account.toString();
  return {
    ...state,
    affiliations:
      affiliate.affiliation === "none" ? withoutEntry(affiliations, key) : withEntry(affiliations, key, affiliate),
  };
}

/** Several at once: the list is copied once only. */
export function withAffiliates(
  state: RoomState,
  all: readonly { readonly account: JID; readonly affiliate: Affiliate }[],
): RoomState {
  const affiliations = new Map(state.affiliations);
  for (const { account, affiliate } of all)
    if (affiliate.affiliation === "none") affiliations.delete(account.toString());
    else affiliations.set(account.toString(), affiliate);
  return { ...state, affiliations };
}

/** The occupant has another role; with all clients. */
export function withRole(state: RoomState, occupant: Occupant, role: Role): RoomState {
  return { ...state, occupants: withEntry(state.occupants, occupant.nick, { ...occupant, role }) };
}

/** Without it, if nobody can use it any more. */
export function withToken(state: RoomState, token: Token): RoomState {
  const { tokens } = state;
  return {
    ...state,
    tokens: token.uses === 0 ? withoutEntry(tokens, token.text) : withEntry(tokens, token.text, token),
  };
}

/** With one more message, and no more than so many in all. */
export function remembering(state: RoomState, past: Past, most: HistoryBounds): RoomState {
  return { ...state, history: latest([...state.history, past], most) };
}

/** Without the messages that are meant. */
export function forgetting(state: RoomState, isMeant: (past: Past) => boolean): RoomState {
  return { ...state, history: state.history.filter((past) => !isMeant(past)) };
}

export function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> {
  return new Map(map).set(key, value);
}

export function withoutEntry<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
