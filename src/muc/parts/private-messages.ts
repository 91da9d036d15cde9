// XEP-0045 "Sending a Private Message": who may (muc#roomconfig_allowpm).
import { StanzaError } from "../../stanza/errors.js";
import { choice, choiceField, shown } from "../config.js";
import type { Part } from "../part.js";
import { ROLES, type Role } from "../privileges.js";

const who = choice("privateMessages", "anyone", ["anyone", "participants", "moderators", "none"]);

const LEAST: Readonly<Record<Exclude<ReturnType<typeof who.of>, "none">, Role>> = {
  anyone: "visitor",
  participants: "participant",
  moderators: "moderator",
};

const field = choiceField(who, "muc#roomconfig_allowpm", "Who may send private messages", {
  anyone: "Anyone",
  participants: "Anyone with voice",
  moderators: "Moderators",
  none: "Nobody",
});

export const privateMessages: Part = {
  name: "private-messages",
  fields: [field],
  info: ({ config }) => [shown(field, config)], // COMPAT: Conversations looks here whether it may offer them
  whisper: ({ state: { config } }, { role }) => {
    const allowed = who.of(config);
    const mayDo = allowed !== "none" && ROLES.indexOf(role) >= ROLES.indexOf(LEAST[allowed]);
    return mayDo ? undefined : new StanzaError("forbidden");
  },
};
