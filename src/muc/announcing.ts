// XEP-0045 "Notification of Configuration Changes": those who are in the room are told that something about it has changed.
import { message } from "../stanza/build.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import type { Turn } from "./turn.js";

/** Something that has no code of its own. */
export const CONFIGURATION_CHANGED = 104;

export function announce(turn: Turn, codes: readonly number[]): void {
  const x = xml("x", { xmlns: NS.mucUser }, ...codes.map((code) => xml("status", { code: String(code) })));
  const notice = message({ from: turn.jid, type: "groupchat" }, x);
  for (const { seats } of turn.state.occupants.values())
    for (const seat of seats) turn.send(notice.readdress(turn.jid, seat.jid));
}
