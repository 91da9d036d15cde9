// XEP-0045 "Registering with a Room", "Discovering Reserved Room Nickname": whoever registers is a member, and their nick is nobody else's. Taking
// the registration back (XEP-0077) ends both. Requests are granted at once, or refused where an admin has to make the members: none waits for approval.
import type { Answer } from "../../core/feature.js";
import { attempt } from "../../stanza/attempt.js";
import { StanzaError } from "../../stanza/errors.js";
import { form, Submission, unacceptable } from "../../stanza/forms.js";
import { JidError } from "../../stanza/jid.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { kindOf } from "../kind.js";
import { enrol, overcrowded, withdraw } from "../membership.js";
import { isTaken, nickOf } from "../nicks.js";
import type { Part } from "../part.js";
import { mayRegister } from "../privileges.js";
import type { Turn } from "../turn.js";
import { isProtected } from "./password.js";

const NICK = "muc#register_roomnick";
const TOO_FAST = new StanzaError("resource-constraint", "wait", "too many changes of a registration");
const FIELD = { var: NICK, type: "text-single", label: "Nick", required: true } as const;

export const registration: Part = {
  name: "registration",
  features: () => [NS.mucRegister],
  iq: {
    "get jabber:iq:register query": show,
    "set jabber:iq:register query": change,
  },
};

function show(turn: Turn): Answer {
  const nick = nickOf(turn.state, turn.from.bare);
  if (nick !== undefined) return [xml("query", { xmlns: NS.register }, xml("registered"), xml("username", {}, nick))];
  return denied(turn) ?? [xml("query", { xmlns: NS.register }, form("form", NS.mucRegister, [FIELD]))];
}

/** Each may be told to everybody who is in, as presence is: so it is no more often than that. */
function change(turn: Turn, query: Element): Answer {
  if (!turn.mayGoOn("presences", "room_presences_per_minute")) return TOO_FAST;
  if (query.getChild("remove", NS.register)) return remove(turn);
  return attempt(() => register(turn, query));
}

/** A room that is locked may become one where only admins make members. */
function denied({ state, affiliation, occupant }: Turn): StanzaError | undefined {
  const { config } = state;
  if (state.isLocked && affiliation === "none") return new StanzaError("item-not-found");
  const kind = { ...kindOf(config), isProtected: isProtected.of(config) };
  return mayRegister({ affiliation, role: occupant?.role ?? "none" }, kind)
    ? undefined
    : new StanzaError("not-allowed");
}

function register(turn: Turn, query: Element): Answer {
  const account = turn.from.bare;
  const refused = denied(turn);
  if (refused) return refused;
  const nick = nickIn(turn, query);
  if (isTaken(turn.state, nick, account)) return new StanzaError("conflict");
  const crowded = overcrowded(turn, [account]);
  if (crowded) return crowded;
  enrol(turn, account, nick);
  return [];
}

/** In the form in which nicks are entered. Throws StanzaError for a form without one, or one that nobody could enter under. */
function nickIn({ jid, context }: Turn, query: Element): string {
  const nick = Submission.of(query, NS.mucRegister)?.text(NICK);
  if (nick === undefined) throw new StanzaError("bad-request", "modify", "a nick is missing");
  try {
    const { resource } = jid.withResource(nick);
    if (Buffer.byteLength(resource) <= context.config.limits.nick_bytes) return resource;
    throw unacceptable(NICK, "is too long");
  } catch (error) {
    if (error instanceof JidError) throw unacceptable(NICK, "is no nick");
    throw error;
  }
}

/** Of those who have registered, or are members without a nick. */
function remove(turn: Turn): Answer {
  const account = turn.from.bare;
  const known = turn.state.affiliations.get(account.toString());
  if (known?.affiliation !== "member" && known?.nick === undefined) return new StanzaError("registration-required");
  withdraw(turn, account);
  return [];
}
