// XEP-0045 "Getting the Member List", "Modifying the Member List": which members may read who is a member (muc#roomconfig_getmemberlist), in a
// room where everybody is known anyway.
import { Choices, choicesField } from "../config.js";
import type { Part } from "../part.js";
import { type Affiliation, initialRole, mayReadList, type Role, type Standing } from "../privileges.js";
import { kindOf } from "../kind.js";
import type { RoomState } from "../state.js";
import { whois } from "./whois.js";

const readers = new Choices<Role>("memberListReaders", ["moderator", "participant", "visitor"]);

export const memberList: Part = {
  name: "member-list",
  fields: [
    choicesField(readers, "muc#roomconfig_getmemberlist", "Members with these roles may read the list of members"),
  ],
};

/** `reader.role` is "none" for somebody who is not in the room. */
export function isReadable({ config }: RoomState, reader: Standing, list: Affiliation): boolean {
  const { affiliation } = reader;
  const role = reader.role === "none" ? initialRole(affiliation, kindOf(config)) : reader.role;
  const openness = { isNonAnonymous: whois.of(config) === "anyone", readers: readers.of(config) };
  return mayReadList({ affiliation, role }, list, openness);
}
