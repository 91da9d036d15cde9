// What a part of a room is: one concern with its settings, its fields in the form, its lines in disco and its rule. A part is data and pure
// functions; the list of them is in parts.ts.
import type { Answer, Child } from "../core/feature.js";
import type { StanzaError } from "../stanza/errors.js";
import type { Field } from "../stanza/forms.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Element } from "../xml/element.js";
import type { ConfigField, RoomConfig } from "./config.js";
import type { Affiliation, Role } from "./privileges.js";
import type { Occupant, RoomState } from "./state.js";
import type { Turn } from "./turn.js";

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

/** A request to the room's own address: answers at once, refuses, or has answered by itself. */
export type RoomIqHandler = (turn: Turn, payload: Element) => Answer | void;

export interface Part {
  readonly name: string;
  /** Its fields in the form of the configuration, in order. */
  readonly fields?: readonly ConfigField[];
  /** Why a configuration cannot be; looked at when all fields are filled in. */
  readonly fault?: (config: RoomConfig) => StanzaError | undefined;
  /** Features of the room (disco#info). */
  readonly features?: (state: RoomState) => readonly string[];
  /** Fields of `muc#roominfo` in the room's disco#info. */
  readonly info?: (state: RoomState) => readonly Field[];
  /** Why somebody may not enter. */
  readonly enter?: (turn: Turn, entering: Entering) => StanzaError | undefined;
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
  /** Children that each presence of an occupant carries. */
  readonly mark?: (state: RoomState, occupant: Occupant) => readonly Child[];
  /** Requests to the room, keyed as those of a feature: "get urn:xmpp:ping ping". */
  readonly iq?: Readonly<Record<`${"get" | "set"} ${string}`, RoomIqHandler>>;
}
