// XEP-0045 "Mediated Invitation", "Modifying the Member List": occupants invite others through the room (muc#roomconfig_allowinvites), and who is
// invited may decline through it. An invitation bears the inviter's bare JID: nobody is invited by somebody they cannot know, or block.
import { attempt } from "../../stanza/attempt.js";
import { message } from "../../stanza/build.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID, JidError } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { flag, flagField } from "../config.js";
import { enrol, overcrowded } from "../membership.js";
import type { Part } from "../part.js";
import { isAtLeast, mayInvite } from "../privileges.js";
import { isPresent } from "../state.js";
import type { Turn } from "../turn.js";
import { isMembersOnly } from "./members-only.js";
import { passwordOf } from "./password.js";

export const membersInvite = flag("membersInvite", false);

export const invitations: Part = {
  name: "invitations",
  fields: [flagField(membersInvite, "muc#roomconfig_allowinvites", "Members may invite others")],
  addressed: (turn) => {
    const x = turn.stanza.child("x", NS.mucUser);
    const invites = x?.getChildren("invite", NS.mucUser) ?? [];
    const [refusal] = x?.getChildren("decline", NS.mucUser) ?? [];
    if (invites.length === 0 && !refusal) return false;
    const refused = attempt(() => (refusal ? decline(turn, refusal) : invite(turn, invites)));
    if (refused) turn.refuse(refused);
    return true;
  },
};

/** All of them, or none. Throws StanzaError for an address that is none. */
function invite(turn: Turn, invites: readonly Element[]): StanzaError | undefined {
  const { occupant, state, affiliation } = turn;
  if (!occupant) return new StanzaError("not-acceptable", "modify", "You are not in the room.");
  const room = { isMembersOnly: isMembersOnly.of(state.config), membersInvite: membersInvite.of(state.config) };
  if (!mayInvite({ affiliation, role: occupant.role }, room)) return new StanzaError("forbidden");
  const invited = invites.map((one) => ({ to: addressIn(one), words: wordsOf(one) }));
  const strangers = invited.map(({ to }) => to.bare).filter((account) => turn.affiliationOf(account) === "none");
  const added = room.isMembersOnly ? strangers : [];
  const refused = overcrowded(turn, added) ?? tooMany(turn, invited.length);
  if (refused) return refused;
  for (const account of added) enrol(turn, account);
  for (const { to, words } of invited) turn.flow.route(invitation(turn, to, words));
  return undefined;
}

function tooMany(turn: Turn, count: number): StanzaError | undefined {
  return turn.mayInviteMore(count) ? undefined : new StanzaError("resource-constraint", "wait", "too many invitations");
}

function invitation({ jid, from, stanza, state }: Turn, to: JID, words: readonly Element[]): Stanza {
  const password = passwordOf(state.config);
  const secret = password === undefined ? [] : [xml("password", {}, password)];
  const invite = xml("invite", { from: from.bare.toString() }, ...words);
  return mediated({ jid, stanza }, to, invite, ...secret);
}

/** To somebody who belongs to the room: it carries no words to anybody else. Who declines learns nothing of who does, nor of the nicks. */
function decline(turn: Turn, refusal: Element): StanzaError | undefined {
  const { jid, from, stanza } = turn;
  const to = addressIn(refusal);
  const refused = tooMany(turn, 1);
  if (refused) return refused;
  const inviter = to.bare.equals(jid) ? turn.state.occupants.get(to.resource)?.account : to.bare;
  if (!inviter || !belongs(turn, inviter) || turn.affiliation === "outcast") return undefined;
  const declined = xml("decline", { from: from.bare.toString() }, ...wordsOf(refusal));
  turn.flow.route(mediated({ jid, stanza }, inviter, declined));
  return undefined;
}

function belongs(turn: Turn, account: JID): boolean {
  return isAtLeast(turn.affiliationOf(account), "member") || isPresent(turn.state, account);
}

function mediated({ jid, stanza }: Pick<Turn, "jid" | "stanza">, to: JID, ...children: readonly Element[]): Stanza {
  const { id, lang } = stanza;
  return message({ from: jid, to, id, lang }, xml("x", { xmlns: NS.mucUser }, ...children));
}

/** The reason, and the thread of the chat that goes on in the room; nothing else that somebody wrote goes out in the room's name. */
function wordsOf(one: Element): readonly Element[] {
  const reason = one.getChildText("reason", NS.mucUser);
  const continued = one.getChild("continue", NS.mucUser);
  const thread: unknown = continued?.attrs["thread"];
  return [
    ...(reason ? [xml("reason", {}, reason)] : []),
    ...(continued ? [xml("continue", typeof thread === "string" ? { thread } : {})] : []),
  ];
}

function addressIn(one: Element): JID {
  const to: unknown = one.attrs["to"];
  if (typeof to !== "string" || to === "") throw new StanzaError("bad-request", "modify", "it is for nobody");
  try {
    const address = JID.parse(to);
    if (address.local !== "") return address;
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
  }
  throw new StanzaError("jid-malformed");
}
