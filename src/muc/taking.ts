// What a room does with a stanza, by its kind: the table of contents of a room.
import { StanzaError } from "../stanza/errors.js";
import { available } from "./entering.js";
import { unavailable } from "./leaving.js";
import { failed, message } from "./messages.js";
import { answered, ask } from "./questions.js";
import type { Turn } from "./turn.js";

export function take(turn: Turn): void {
  switch (turn.stanza.kind) {
    case "message":
      return message(turn);
    case "presence":
      return presence(turn);
    case "iq":
      return iq(turn);
  }
}

/** Only available and unavailable presence means anything to a room ("Presence" 1 and 2). */
function presence(turn: Turn): void {
  const { type } = turn.stanza;
  if (type === undefined) return available(turn);
  if (type === "unavailable") return unavailable(turn);
  if (type === "error") failed(turn);
}

/** Requests to the room are for its parts, those to an occupant for the occupant; what a room that there is not is asked has no answer. */
function iq(turn: Turn): void {
  const { stanza, state } = turn;
  const { type, to } = stanza;
  const isRequest = type === "get" || type === "set";
  if (to?.isBare === false) return isRequest ? ask(turn, to) : answered(turn);
  if (!isRequest) return;
  if (!state.exists) return turn.refuse(new StanzaError("item-not-found"));
  const [child] = stanza.children;
  const handler = child && turn.context.requests.get(`${type} ${child.ns} ${child.name}`);
  const payload = child && stanza.child(child.name, child.ns);
  if (!handler || !payload) return turn.refuse(new StanzaError("service-unavailable"));
  const answer = handler(turn, payload);
  if (answer instanceof StanzaError) turn.refuse(answer);
  else if (typeof answer === "function") turn.answerLater(answer);
  else if (answer) turn.answer(...answer);
}
