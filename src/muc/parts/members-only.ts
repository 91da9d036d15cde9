// XEP-0045 "Members-Only Rooms" and "Banned Users": the affiliation that lets somebody in.
import { StanzaError } from "../../stanza/errors.js";
import { flag, flagField } from "../config.js";
import type { Part } from "../part.js";
import { mayEnter } from "../privileges.js";

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
};
