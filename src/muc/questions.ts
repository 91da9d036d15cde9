// XEP-0045 "Querying a Room Occupant", "IQ": occupants may ask each other things, and neither learns the other's JID. XEP-0410: who asks for
// themselves is answered by the room. What has been passed on waits in a table (unanswered.ts) until its answer comes back.
import { randomText } from "../core/random.js";
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { NS } from "../xml/namespaces.js";
import type { Part } from "./part.js";
import type { Occupant } from "./state.js";
import type { Turn } from "./turn.js";

const SELF_PING = "http://jabber.org/protocol/muc#self-ping-optimization";

export const questions: Part = {
  name: "questions",
  features: () => [SELF_PING],
};

/** A request to an occupant. */
export function ask(turn: Turn, to: JID): void {
  const { stanza, state, occupant } = turn;
  const isPing = stanza.has("ping", NS.ping);
  if (!occupant) return turn.refuse(isPing || state.exists ? outsider(stanza) : new StanzaError("item-not-found"));
  if (isPing && to.equals(occupant.jid)) return turn.answer();
  const asked = state.occupants.get(to.resource);
  if (!asked) return turn.refuse(new StanzaError("item-not-found"));
  passOn(turn, stanza, occupant, asked);
}

/** Who is not in the room learns nothing of who is. */
function outsider(request: Stanza): StanzaError {
  const [payload] = request.children;
  const isDisco = payload?.ns === NS.discoInfo || payload?.ns === NS.discoItems;
  return isDisco
    ? new StanzaError("bad-request")
    : new StanzaError("not-acceptable", "cancel", "You are not in the room.");
}

function passOn(turn: Turn, request: Stanza, asker: Occupant, asked: Occupant): void {
  const { context, room, from } = turn;
  if (room.unanswered.countOf(from.bare) >= context.config.limits.occupant_requests)
    return turn.refuse(new StanzaError("resource-constraint", "wait", "too many requests without an answer"));
  const to = answererOf(asked, request);
  const id = randomText(context.random);
  room.unanswered.open(id, { request, to }, context);
  turn.flow.whenOver((failure) => failure && room.unanswered.close(id));
  turn.send(request.withId(id).readdress(asker.jid, to));
}

/** The client whose presence is shown; for the vCard the account, which has it. */
function answererOf({ account, seats }: Occupant, request: Stanza): JID {
  const [shown] = seats;
  return request.type === "get" && request.has("vCard", NS.vcardTemp) ? account : shown.jid;
}

/** An answer from an occupant goes to the client that asked, under the id it gave; what nobody has asked for ends here. */
export function answered(turn: Turn): void {
  const { room, stanza, from } = turn;
  const { id = "" } = stanza;
  const request = room.unanswered.answeredBy(from, id);
  if (!request) return;
  room.unanswered.close(id);
  turn.send(stanza.withId(request.id).readdress(request.to, request.from));
}
