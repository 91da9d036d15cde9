// Moderated rooms (muc#roomconfig_moderatedroom): who has no affiliation enters without voice, and without voice nobody speaks to all.
import { StanzaError } from "../../stanza/errors.js";
import { flag, flagField } from "../config.js";
import type { Part } from "../part.js";

export const isModerated = flag("moderated", false);

export const moderation: Part = {
  name: "moderation",
  fields: [flagField(isModerated, "muc#roomconfig_moderatedroom", "Visitors may not speak")],
  features: ({ config }) => [isModerated.of(config) ? "muc_moderated" : "muc_unmoderated"],
  speak: (_, { role }) => (role === "visitor" ? new StanzaError("forbidden") : undefined),
};
