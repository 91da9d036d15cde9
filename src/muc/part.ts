// What a part of a room is: one concern with its settings, its fields in the form, its lines in disco and its rule. A part is data and pure
// functions; the list of them is in parts.ts.
import type { Answer, Child } from "../core/feature.js";
import type { StanzaError } from "../stanza/errors.js";
import type { Field } from "../stanza/forms.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Command } from "../xeps/0050-commands.api.js";
import type { Element } from "../xml/element.js";
import type { ConfigField, RoomConfig } from "./config.js";
import type { Affiliation, Role } from "./privileges.js";
import type { Occupant, RoomState, Seat } from "./state.js";
import type { Turn, TurnContext } from "./turn.js";

/** Somebody asks to enter a room that is there and unlocked. */
export interface Entering {
  readonly nick: string;
  /** The occupant JID they ask for. */
  readonly to: JID;
  readonly affiliation: Affiliation;
  readonly role: Role;
  /** What they bring is a token, and no password (XEP-0488). */
  readonly hasToken: boolean;
  /** The `<x/>` of XEP-0045. */
  readonly x: Element;
}

/** Somebody who may be in the room or not, and asks for what was said there. */
export interface Reader {
  readonly affiliation: Affiliation;
  readonly isInside: boolean;
}

/** A request to the room's own address: answers at once, later, when the turn is released, or not, having answered by itself. */
export type RoomIqHandler = (turn: Turn, payload: Element) => Answer | (() => Promise<Answer>) | void;

/** Somebody's affiliation has changed, whether they are in the room or not. */
export interface Affiliated {
  /** The bare JID of an account, or a whole domain. */
  readonly account: JID;
  readonly before: Affiliation;
  readonly after: Affiliation;
}

export interface Part {
  readonly name: string;
  /** Its fields in the form of the configuration, in order. */
  readonly fields?: readonly ConfigField[];
  /** Why a configuration cannot be; looked at when all fields are filled in. */
  readonly fault?: (config: RoomConfig) => StanzaError | undefined;
  /** Features of the room (disco#info). */
  readonly features?: (state: RoomState) => readonly string[];
  /** Fields of `muc#roominfo` in the room's disco#info; `isReader`: for somebody who may know what is said there. */
  readonly info?: (state: RoomState, context: TurnContext, isReader: boolean) => readonly Field[];
  /** Why somebody may not enter. */
  readonly enter?: (turn: Turn, entering: Entering) => StanzaError | undefined;
  /** Why somebody may not know what is said, as the archive and the subject tell it: what keeps them from entering (rulings 21). */
  readonly read?: (state: RoomState, reader: Reader) => StanzaError | undefined;
  /** The entry of the archive that the stanza is about: it is at hand in its turn, as `cited`. */
  readonly cites?: (stanza: Stanza) => number | undefined;
  /** What whoever enters is told before any presence. */
  readonly greet?: (turn: Turn, occupant: Occupant, seat: Seat) => void;
  /** Status codes that warn whoever enters. */
  readonly warn?: (state: RoomState) => readonly number[];
  /** What whoever has entered is told after their own presence, to that address. */
  readonly welcome?: (turn: Turn, occupant: Occupant, to: JID) => void;
  /** Takes a message to the room itself, from anybody, that is not for all: true if it was for this part, which has dealt with it. */
  readonly addressed?: (turn: Turn) => boolean;
  /** Why an occupant may not send this message to all. */
  readonly speak?: (turn: Turn, speaker: Occupant) => StanzaError | undefined;
  /** Why an occupant may not send this message to another one. */
  readonly whisper?: (turn: Turn, speaker: Occupant) => StanzaError | undefined;
  /** The message as the room passes it on; also in its archive. */
  readonly pass?: (turn: Turn, message: Stanza, speaker: Occupant) => Stanza;
  /** Takes part in what the message to all means, once it may be sent: the state and the writes that follow from it. */
  readonly heard?: (turn: Turn, message: Stanza, speaker: Occupant) => void;
  /** Takes part in what the change of an affiliation means, beside what occupants see of it. */
  readonly affiliated?: (turn: Turn, change: Affiliated) => void;
  /** Children that each presence of an occupant carries. */
  readonly mark?: (state: RoomState, occupant: Occupant) => readonly Child[];
  /** Ad-hoc commands of the room (XEP-0050). */
  readonly commands?: readonly Command<Turn>[];
  /** Requests to the room, keyed as those of a feature: "get urn:xmpp:ping ping". */
  readonly iq?: Readonly<Record<`${"get" | "set"} ${string}`, RoomIqHandler>>;
}
