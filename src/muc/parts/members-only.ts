// XEP-0045 "Members-Only Rooms" and "Banned Users": the affiliation that lets somebody in, and the invitation to whoever has got it ("Modifying
// the Member List").
import { message } from "../../stanza/build.js";
import { StanzaError } from "../../stanza/errors.js";
import { xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { flag, flagField } from "../config.js";
import type { Affiliated, Part } from "../part.js";
import { mayEnter } from "../privileges.js";
import type { Turn } from "../turn.js";
import { passwordOf } from "./password.js";

export const isMembersOnly = flag("membersOnly", false);

export const membersOnly: Part = {
  name: "members-only",
  fields: [flagField(isMembersOnly, "muc#roomconfig_membersonly", "Only members may enter")],
  features: ({ config }) => [isMembersOnly.of(config) ? "muc_membersonly" : "muc_open"],
  enter: ({ state: { config } }, { affiliation }) => {
    if (affiliation === "outcast") return new StanzaError("forbidden");
    if (mayEnter(affiliation, { isMembersOnly: isMembersOnly.of(config) })) return undefined;
    return new StanzaError("registration-required");
  },
  read: ({ config }, { affiliation }) =>
    mayEnter(affiliation, { isMembersOnly: isMembersOnly.of(config) }) ? undefined : new StanzaError("forbidden"),
  affiliated: inviteMember,
};

/**
 * In the name of who made them a member, as an occupant; of the room, if that one is not in it. Nobody learns a real address by it. Of more people
 * than one may invite the rest are members all the same, but not told so ("SHOULD").
 */
function inviteMember(turn: Turn, { account, before, after }: Affiliated): void {
  const { config } = turn.state;
  if (!isMembersOnly.of(config) || after !== "member" || before !== "none" || account.local === "") return;
  if (!turn.stanza.has("query", NS.mucAdmin)) return; // they were invited, or came by themselves
  if (turn.standingOf(account).role !== "none" || !turn.mayInviteMore(1)) return;
  const invite = xml("invite", { from: (turn.occupant?.jid ?? turn.jid).toString() });
  const password = passwordOf(config);
  const secret = password === undefined ? [] : [xml("password", {}, password)];
  turn.send(message({ from: turn.jid, to: account }, xml("x", { xmlns: NS.mucUser }, invite, ...secret)));
}
