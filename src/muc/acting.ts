// Who does something in a room, as the others are told: by nick, as real addresses are nobody's business.
import { type Element, xml } from "../xml/element.js";
import type { Turn } from "./turn.js";

/** The `<actor/>` of an item; nothing for somebody who is not in the room. */
export function actor({ state, occupant, from }: Turn): readonly Element[] {
  const present = occupant ?? [...state.occupants.values()].find(({ account }) => account.equals(from.bare));
  return present ? [xml("actor", { nick: present.nick })] : [];
}
