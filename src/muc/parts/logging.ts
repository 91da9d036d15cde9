// XEP-0045 "Room Logging" (muc#roomconfig_enablelogging; clients say muc#roomconfig_enablearchiving for the room's own archive): what is said in a logged room is in its archive, without exception (rulings 21).
import { worthInRoom } from "../../stanza/content.js";
import { NS } from "../../xml/namespaces.js";
import { withAuthor } from "../archived.js";
import { flag, flagField } from "../config.js";
import { historyBounds, isHistoric } from "../history.js";
import type { Part } from "../part.js";
import { type Occupant, remembering } from "../state.js";
import type { Turn } from "../turn.js";
import type { Append } from "../../core/flow.js";
import type { Stanza } from "../../stanza/stanza.js";

export const isLogged = flag("logged", true);

export const logging: Part = {
  name: "logging",
  fields: [
    flagField(
      isLogged,
      "muc#roomconfig_enablelogging",
      "Logged (the same as archiving, which counts if both are there)",
    ),
    // COMPAT: Conversations wants no logs but an archive: the last name counts
    flagField(isLogged, "muc#roomconfig_enablearchiving", "Messages are kept in the room's archive"),
  ],
  warn: ({ config }) => (isLogged.of(config) ? [170] : []),
};

/**
 * Keeps the message, if the room is logged and it is worth keeping, and remembers it for those who enter. `speaker`: undefined for the room
 * itself.
 */
export function keep(turn: Turn, message: Stanza, speaker: Occupant | undefined): Append | undefined {
  const { state, context } = turn;
  const entry = isLogged.of(state.config) && worthInRoom(message) ? archived(turn, message, speaker) : undefined;
  if (isHistoric(message)) {
    const past = { message, author: speaker?.account, entry, at: context.clock.now() };
    turn.change(remembering(state, past, historyBounds(context.config.limits)));
  }
  return entry;
}

/** Of a person, so that those who may know can be told who it was. */
function archived(turn: Turn, message: Stanza, speaker: Occupant | undefined): Append {
  const { from, affiliation, jid } = turn;
  const kept = speaker ? withAuthor(message, { jid: from, affiliation, role: speaker.role }) : message;
  const place = { with: jid.toString(), ...(speaker && { resource: speaker.nick }) };
  return turn.archive({ ...place, stanza: kept.toWire(NS.client), pending: false, hidden: false });
}
