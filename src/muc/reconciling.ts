// What a change of lists or settings means for those who are in the room: who may not be there any more goes, and whose affiliation or voice
// has changed is shown anew (XEP-0045 "Changing Affiliations", "Subsequent Room Configuration").
import type { Element } from "../xml/element.js";
import { kindOf } from "./kind.js";
import { remove } from "./leaving.js";
import { showAll } from "./occupants.js";
import { type Affiliation, mayEnter, type Role, roleAfter } from "./privileges.js";
import { type ListChange, type Occupant, type RoomState, withRole } from "./state.js";
import type { Turn } from "./turn.js";

const BANNED = 301;
const NO_MEMBER_NOW = 321;
const MEMBERS_ONLY_NOW = 322;

/** What an occupant's presence says of a change: by whom and why, and which of the lists it is, if it is told here. */
export interface Telling {
  readonly about: readonly Element[];
  readonly change?: ListChange | undefined;
}

export type Tell = (occupant: Occupant) => Telling;

/** The room was as `before`, and is as the turn has it. */
export function reconcile(turn: Turn, before: RoomState, tell: Tell): void {
  for (const { nick } of before.occupants.values()) {
    const occupant = turn.state.occupants.get(nick); // the room may have ended with another one
    if (occupant) reconcileOne(turn, before, occupant, tell);
  }
}

function reconcileOne(turn: Turn, before: RoomState, occupant: Occupant, tell: Tell): void {
  const { account } = occupant;
  const was = turn.affiliationOf(account, before);
  const is = turn.affiliationOf(account);
  const kind = kindOf(turn.state.config);
  if (!mayEnter(is, kind)) return remove(turn, occupant, { codes: [codeOf(was, is)], ...tell(occupant) });
  const role = was === is ? roleHere(turn, before, occupant) : roleAfter(occupant.role, was, is, kind);
  if (was === is && role === occupant.role) return;
  assign(turn, occupant, role, tell(occupant));
}

function codeOf(was: Affiliation, is: Affiliation): number {
  if (is === "outcast") return BANNED;
  return was === is ? MEMBERS_ONLY_NOW : NO_MEMBER_NOW;
}

/** In a room that is moderated no more everybody speaks ("Initial Role Based on Affiliation"). Who has voice when it becomes so keeps it. */
function roleHere({ state }: Turn, before: RoomState, { role }: Occupant): Role {
  const isFreed = kindOf(before.config).isModerated && !kindOf(state.config).isModerated;
  return isFreed && role === "visitor" ? "participant" : role;
}

/** The occupant has this role from here on, and everybody is told. */
export function assign(turn: Turn, occupant: Occupant, role: Role, telling: Telling): void {
  turn.change(withRole(turn.state, occupant, role));
  const [seat] = occupant.seats;
  const affiliation = turn.affiliationOf(occupant.account);
  showAll(turn, { occupant: { ...occupant, role }, seat, affiliation, ...telling });
}
