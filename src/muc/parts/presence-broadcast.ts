// XEP-0045 "Presence Broadcast": of which roles the presence is told to the others (muc#roomconfig_presencebroadcast). Everybody is told
// their own.
import { unacceptable } from "../../stanza/forms.js";
import { type RoomConfig, Setting } from "../config.js";
import type { Part } from "../part.js";
import type { Role } from "../privileges.js";

const FIELD = "muc#roomconfig_presencebroadcast";
const ALL = ["moderator", "participant", "visitor"] as const;

/** The roles, joined by spaces. */
const broadcast = new Setting<string>("presenceBroadcast", ALL.join(" "), (value) => typeof value === "string");

export function isBroadcast(config: RoomConfig, role: Role): boolean {
  return broadcast.of(config).split(" ").includes(role);
}

export const presenceBroadcast: Part = {
  name: "presence-broadcast",
  fields: [
    {
      field: (config) => ({
        var: FIELD,
        type: "list-multi",
        label: "Roles of which the presence is shown to all",
        values: ALL.filter((role) => isBroadcast(config, role)),
        options: ALL.map((value) => ({ value })),
      }),
      fill: (config, form) => {
        if (!form.names.includes(FIELD)) return config;
        const chosen = form.all(FIELD);
        const unknown = chosen.find((role) => !(ALL as readonly string[]).includes(role));
        if (unknown !== undefined) throw unacceptable(FIELD, "has values that were not offered");
        return broadcast.set(config, ALL.filter((role) => chosen.includes(role)).join(" "));
      },
    },
  ],
};
