// What kind of room decides about roles and entering, read from its configuration.
import type { RoomConfig } from "./config.js";
import { isMembersOnly } from "./parts/members-only.js";
import { isModerated } from "./parts/moderation.js";
import type { RoomKind } from "./privileges.js";

export function kindOf(config: RoomConfig): RoomKind {
  return { isModerated: isModerated.of(config), isMembersOnly: isMembersOnly.of(config) };
}
