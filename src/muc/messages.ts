// XEP-0045 "Sending a Message to All Occupants", "Sending a Private Message", "Ghost Users": messages to the room and to its occupants, and
// the errors that come back.
import { message as errorMessage } from "../stanza/build.js";
import { STANZA_CONDITIONS, StanzaError, type StanzaCondition } from "../stanza/errors.js";
import type { Stanza } from "../stanza/stanza.js";
import { NS } from "../xml/namespaces.js";
import { rawAttributeIn } from "../xml/attribute.js";
import { JID } from "../stanza/jid.js";
import { w } from "../xml/wire.js";
import { escapeAttribute } from "../xml/escape.js";
import { withoutStanzaIds } from "../xeps/0359-stable-ids.api.js";
import { withEntryId } from "./history.js";
import { lost } from "./leaving.js";
import type { Part } from "./part.js";
import { keep } from "./parts/logging.js";
import { identified } from "./parts/occupant-id.js";
import { isInUse, type Occupant } from "./state.js";
import type { Turn } from "./turn.js";

const TOO_FAST = new StanzaError("resource-constraint", "wait", "too many messages");
const PRIVATE = w`<x xmlns='${escapeAttribute(NS.mucUser)}'/>`;

export function message(turn: Turn): void {
  const { stanza, state } = turn;
  if (stanza.type === "error") return failed(turn);
  if (!isInUse(state)) return turn.refuse(new StanzaError("item-not-found"));
  if (!turn.mayGoOn("messages", "room_messages_per_minute")) return turn.refuse(TOO_FAST);
  const isForOthers = stanza.type === "groupchat" || stanza.to?.isBare === false;
  if (!isForOthers && turn.parts.some((part) => part.addressed?.(turn))) return;
  if (!turn.occupant) return turn.refuse(new StanzaError("not-acceptable", "modify", "You are not in the room."));
  if (stanza.to?.isBare === false) return whisper(turn, turn.occupant, stanza.to.resource);
  if (stanza.type !== "groupchat") return turn.refuse(new StanzaError("bad-request"));
  return speak(turn, turn.occupant);
}

/** To all, in the room's one order; with the id of its entry, if it is kept. */
function speak(turn: Turn, speaker: Occupant): void {
  const refused = firstOf(turn, (part) => part.speak?.(turn, speaker));
  if (refused) return turn.refuse(refused);
  const said = passed(turn, speaker);
  tellAll(turn, said, speaker);
  for (const part of turn.parts) part.heard?.(turn, said, speaker);
}

/** Keeps a message to all, and sends it to everybody who is in. `speaker`: undefined for the room itself. */
export function tellAll(turn: Turn, said: Stanza, speaker?: Occupant): void {
  const entry = keep(turn, said, speaker);
  const { occupants } = turn.state;
  turn.send(() => copiesOf(withEntryId(said, turn.jid, entry), occupants.values()));
}

function copiesOf(said: Stanza, occupants: Iterable<Occupant>): readonly Stanza[] {
  const copies: Stanza[] = [];
  for (const { seats } of occupants) for (const { jid } of seats) copies.push(said.readdress(said.from, jid));
  return copies;
}

/** As it goes to everybody: from the occupant, without what only the room may say. */
function passed(turn: Turn, speaker: Occupant): Stanza {
  const { stanza, jid } = turn;
  const clean = withoutClaims(withoutStanzaIds(stanza, jid), turn).readdress(speaker.jid, undefined);
  return turn.parts.reduce((said, part) => part.pass?.(turn, said, speaker) ?? said, clean);
}

/** Status codes and the like, and delays in the room's name, are the room's to give; other delays an owner's (it brings what was said before). */
function withoutClaims(stanza: Stanza, { jid, affiliation }: Turn): Stanza {
  const claims = stanza.children.filter((span) => {
    if (span.ns === NS.mucUser) return span.name === "x";
    if (span.ns !== NS.delay) return false;
    const from = rawAttributeIn(stanza.raw(span), "from");
    return affiliation !== "owner" || from === undefined || JID.parseWire(from)?.bare.equals(jid) !== false;
  });
  return claims.length === 0 ? stanza : stanza.without(...claims);
}

/** To one occupant, at all clients; on its way there as any message is, and kept for its recipient as those are. */
function whisper(turn: Turn, speaker: Occupant, nick: string): void {
  const { stanza, state } = turn;
  if (stanza.type === "groupchat") return turn.refuse(new StanzaError("bad-request"));
  const target = state.occupants.get(nick);
  const refused = target ? firstOf(turn, (part) => part.whisper?.(turn, speaker)) : new StanzaError("item-not-found");
  if (refused) return turn.refuse(refused);
  const said = identified(state, withoutClaims(withoutStanzaIds(stanza, turn.jid), turn).plus(PRIVATE), speaker);
  for (const seat of target?.seats ?? []) turn.flow.route(said.readdress(speaker.jid, seat.jid));
}

function firstOf({ parts }: Turn, rule: (part: Part) => StanzaError | undefined): StanzaError | undefined {
  for (const part of parts) {
    const error = rule(part);
    if (error) return error;
  }
  return undefined;
}

/** "Delivery-related errors". */
const GONE: ReadonlySet<string> = new Set<StanzaCondition>([
  "gone",
  "item-not-found",
  "recipient-unavailable",
  "redirect",
  "remote-server-not-found",
  "remote-server-timeout",
]);

/** An error from an occupant: they are gone, or could not take what another occupant sent them. */
export function failed(turn: Turn): void {
  const { occupant, stanza, state, isBounce } = turn;
  if (!occupant) return;
  const condition = conditionIn(stanza);
  // What our own server says of a client that is not there (rulings 9); from a client it may mean anything.
  const isUnreachable = condition === "service-unavailable" && isBounce;
  if (isUnreachable || GONE.has(condition)) return lost(turn, occupant);
  const target = stanza.to?.isBare === false ? state.occupants.get(stanza.to.resource) : undefined;
  if (!target || stanza.kind !== "message" || (!isBounce && !turn.mayGoOn("errors", "room_messages_per_minute")))
    return;
  // Nobody speaks by errors who may not speak: what could not be taken is said, and nothing else that the client has put there.
  const error = new StanzaError(STANZA_CONDITIONS.find((one) => one === condition) ?? "undefined-condition");
  const words = errorMessage({ id: stanza.id, type: "error" }, error.toWire(), PRIVATE);
  for (const seat of target.seats) turn.send(words.readdress(occupant.jid, seat.jid));
}

function conditionIn(stanza: Stanza): string {
  const error = stanza.child("error", NS.client);
  const found = error
    ?.getChildElements()
    .find((child) => child.getNS() === NS.stanzaErrors && child.getName() !== "text");
  return found?.getName() ?? "";
}
