// Who may know what is said in a room: whoever may enter it when they ask (rulings 21). The parts say what keeps somebody out.
import { StanzaError } from "../stanza/errors.js";
import type { Reader } from "./part.js";
import { isInUse, occupantWith, type RoomState } from "./state.js";
import type { Turn } from "./turn.js";

/** Why the sender may not, in this state of the room. */
export function unread(turn: Turn, state: RoomState = turn.state): StanzaError | undefined {
  if (!isInUse(state)) return new StanzaError("item-not-found");
  const { from, parts } = turn;
  const reader: Reader = {
    affiliation: turn.affiliationOf(from, state),
    isInside: occupantWith(state, from) !== undefined,
  };
  for (const part of parts) {
    const error = part.read?.(state, reader);
    if (error) return error;
  }
  return undefined;
}
