// XEP-0313 "MUC Archives": what was said in a logged room, for whoever may enter it when they ask (rulings 21). With the sender's real JID for
// those who may know it.
import type { Answer } from "../../core/feature.js";
import { StanzaError } from "../../stanza/errors.js";
import type { Element } from "../../xml/element.js";
import { ARCHIVE_FEATURES, type OpenArchive } from "../../xeps/0313-mam/api.js";
import { withoutAuthor } from "../archived.js";
import { roleFor } from "../entering.js";
import { seesJids } from "../occupants.js";
import type { Part } from "../part.js";
import { unread } from "../reading.js";
import type { RoomState } from "../state.js";
import type { Turn } from "../turn.js";
import { isLogged } from "./logging.js";

type Later = () => Promise<Answer>;

export const archive: Part = {
  name: "archive",
  features: ({ config }) => (isLogged.of(config) ? ARCHIVE_FEATURES : []),
  iq: {
    "set urn:xmpp:mam:2 query": query,
    "get urn:xmpp:mam:2 query": (turn) => denial(turn, turn.state) ?? turn.context.archives.form(openTo(turn).kind),
    "get urn:xmpp:mam:2 metadata": (turn) => denial(turn, turn.state) ?? turn.context.archives.metadata(openTo(turn)),
  },
};

function query(turn: Turn, payload: Element): StanzaError | Later {
  const { session } = turn.flow;
  if (!session) return new StanzaError("service-unavailable"); // results are sent at the pace of a session's socket
  return denial(turn, turn.state) ?? turn.context.archives.query(openTo(turn), session, payload);
}

/** As the sender may see it now. Who is kept out while a page is read sees nothing of it: it may have what was said after that. */
function openTo(turn: Turn): OpenArchive {
  const { jid, context } = turn;
  return {
    kind: { owner: jid, of: "room" },
    present: mayKnowJids(turn) ? (stored) => stored : withoutAuthor,
    denial: async () => denial(turn, await context.stateOf(jid)),
  };
}

/** Why the sender may not read what was said in the room in this state. */
function denial(turn: Turn, state: RoomState): StanzaError | undefined {
  const refused = unread(turn, state);
  // What was kept before is not to be seen either while nothing is kept; clients get what there is when they enter.
  return refused ?? (isLogged.of(state.config) ? undefined : new StanzaError("service-unavailable"));
}

/** As an occupant; who is not in as the one they would be. */
function mayKnowJids(turn: Turn): boolean {
  return seesJids(turn.state, { role: turn.occupant?.role ?? roleFor(turn) });
}
