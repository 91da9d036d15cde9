// Public and hidden rooms (muc#roomconfig_publicroom): whether the room is in the service's list.
import { flag, flagField } from "../config.js";
import type { Part } from "../part.js";

export const isPublic = flag("public", true);

export const listing: Part = {
  name: "listing",
  fields: [flagField(isPublic, "muc#roomconfig_publicroom", "In the public list of rooms")],
  features: ({ config }) => [isPublic.of(config) ? "muc_public" : "muc_hidden"],
};
