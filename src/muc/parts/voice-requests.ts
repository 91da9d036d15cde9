// XEP-0045 "Requesting Voice", "Approving Voice Requests": a visitor asks the room for voice by a form; the room asks its moderators by another,
// and gives voice when one of them approves.
import { attempt } from "../../stanza/attempt.js";
import { message } from "../../stanza/build.js";
import { StanzaError } from "../../stanza/errors.js";
import { form, Submission } from "../../stanza/forms.js";
import type { Stanza } from "../../stanza/stanza.js";
import { NS } from "../../xml/namespaces.js";
import { actor } from "../acting.js";
import type { Part } from "../part.js";
import { denyRole } from "../privileges.js";
import { assign } from "../reconciling.js";
import type { Occupant } from "../state.js";
import type { Turn } from "../turn.js";

const ROLE = "muc#role";
const WHO = "muc#jid";
const NICK = "muc#roomnick";
const ALLOW = "muc#request_allow";
const VOICE = "participant";

export const voiceRequests: Part = {
  name: "voice-requests",
  features: () => [NS.mucRequest],
  addressed: (turn) => {
    const { occupant, stanza } = turn;
    const filled = stanza.has("x", NS.dataForms) && attempt(() => Submission.of(stanza.element, NS.mucRequest));
    if (!occupant || !filled || filled instanceof StanzaError) return false;
    const refused = attempt(() =>
      filled.names.includes(ALLOW) ? approve(turn, filled) : request(turn, occupant, filled),
    );
    if (refused) turn.refuse(refused);
    return true;
  },
};

/** Whoever has voice already is not asked about. */
function request(turn: Turn, occupant: Occupant, filled: Submission): StanzaError | undefined {
  if (filled.text(ROLE) !== VOICE) return new StanzaError("bad-request");
  if (occupant.role !== "visitor") return undefined;
  const question = questionOf(turn, occupant);
  for (const { role, seats } of turn.state.occupants.values())
    if (role === "moderator") for (const seat of seats) turn.send(question.readdress(turn.jid, seat.jid));
  return undefined;
}

function questionOf({ jid, from }: Turn, { nick }: Occupant): Stanza {
  const fields = [
    { var: ROLE, type: "list-single", label: "Role asked for", values: [VOICE], options: [{ value: VOICE }] },
    { var: WHO, type: "jid-single", label: "Address", values: [from.toString()] },
    { var: NICK, type: "text-single", label: "Nick", values: [nick] },
    { var: ALLOW, type: "boolean", label: "Give voice to this person?", values: ["0"] },
  ] as const;
  return message({ from: jid }, form("form", NS.mucRequest, fields, { title: "Request for voice" }));
}

/** Of the one who has asked: another may have the nick by now. */
function approve(turn: Turn, filled: Submission): StanzaError | undefined {
  const asker = turn.state.occupants.get(filled.text(NICK) ?? "");
  const who = filled.jid(WHO);
  const me = turn.standingOf(turn.from);
  if (me.role !== "moderator") return new StanzaError("forbidden");
  if (!asker || (who && !asker.account.equals(who.bare))) return new StanzaError("item-not-found");
  const denial = denyRole(me, turn.standingAs(asker), VOICE);
  if (denial) return new StanzaError(denial);
  if (filled.boolean(ALLOW) && asker.role === "visitor") assign(turn, asker, VOICE, { about: actor(turn) });
  return undefined;
}
