// Persistent and temporary rooms (muc#roomconfig_persistentroom): whether the room stays when the last one has left.
import { flag, flagField } from "../config.js";
import type { Part } from "../part.js";

export const isPersistent = flag("persistent", false);

export const persistence: Part = {
  name: "persistence",
  fields: [flagField(isPersistent, "muc#roomconfig_persistentroom", "Stays when nobody is in it")],
  features: ({ config }) => [isPersistent.of(config) ? "muc_persistent" : "muc_temporary"],
};
