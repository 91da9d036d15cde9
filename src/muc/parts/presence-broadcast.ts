// XEP-0045 "Presence Broadcast": of which roles the presence is told to the others (muc#roomconfig_presencebroadcast). Everybody is told
// their own.
import { Choices, choicesField, type RoomConfig } from "../config.js";
import type { Part } from "../part.js";
import type { Role } from "../privileges.js";

const broadcast = new Choices<Role>("presenceBroadcast", ["moderator", "participant", "visitor"]);

export function isBroadcast(config: RoomConfig, role: Role): boolean {
  return broadcast.of(config).includes(role);
}

export const presenceBroadcast: Part = {
  name: "presence-broadcast",
  fields: [choicesField(broadcast, "muc#roomconfig_presencebroadcast", "Roles of which the presence is shown to all")],
};
