// An account that is no more has no affiliations (rulings 18) and no hats: what a room does about it. Where it was the last owner, its admins
// inherit the room; where there are none, members and occupants stay in a room that only the server's administrators own; else it ends.
import { JID } from "../stanza/jid.js";
import { affiliate, type AffiliationChange } from "./affiliating.js";
import { erased, putAffiliate, putWearer } from "./documents.js";
import { destroy } from "./leaving.js";
import { listed, NO_ROOM, type RoomState, withoutEntry } from "./state.js";
import type { Turn } from "./turn.js";

/** The turn's sender is the account. */
export function depart(turn: Turn): void {
  const account = turn.from.bare;
  if (turn.room.hasRemains) return turn.change(NO_ROOM, erased(turn.jid)); // nobody would ever configure it
  turn.change(
    { ...turn.state, wearers: withoutEntry(turn.state.wearers, account.toString()) },
    putWearer(turn.jid, account.toString(), []),
  );
  const isListed = turn.state.affiliations.has(account.toString());
  if (!isListed) return turn.change(turn.state, putAffiliate(turn.jid, account, { affiliation: "none" }));
  affiliate(turn, [{ account, affiliation: "none" }, ...inheritance(turn.state, account)], []);
  if (turn.state.exists && isForsaken(turn.state, account)) destroy(turn, { reason: "The last owner is no more." });
}

function inheritance(state: RoomState, account: JID): readonly AffiliationChange[] {
  const owners = listed(state, "owner");
  if (owners.some((owner) => owner !== account.toString()) || owners.length === 0) return [];
  return listed(state, "admin").map((admin) => ({ account: JID.parse(admin), affiliation: "owner" }));
}

function isForsaken(state: RoomState, account: JID): boolean {
  const isInhabited = [...state.occupants.values()].some((occupant) => !occupant.account.equals(account));
  return !isInhabited && (["owner", "member"] as const).every((list) => listed(state, list).length === 0);
}
