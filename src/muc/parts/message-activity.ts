// XEP-0502 "MUC Activity Indicator": about how many messages an hour there are in a room that everybody may find and enter (rulings 25). The
// room's recent messages are the sample, so that nothing more is kept or counted for it.
import type { RoomConfig } from "../config.js";
import type { Part } from "../part.js";
import type { Past, RoomState } from "../state.js";
import { isPublic } from "./listing.js";
import { isLogged } from "./logging.js";
import { isMembersOnly } from "./members-only.js";
import { isProtected } from "./password.js";
import { isPersistent } from "./persistence.js";

const FIELD = "{urn:xmpp:muc-activity}message-activity";
const CORRECTION = "urn:xmpp:message-correct:0";
const HOUR_MS = 3_600_000;
const SPAN_MS = 24 * HOUR_MS;
const LEAST_SPAN_MS = 60_000; // a burst says nothing about an hour

export const messageActivity: Part = {
  name: "message-activity",
  info: (state, { clock, config }) => {
    if (!isForAll(state.config) || !isKnown(state)) return [];
    const rate = perHour(state.history, clock.now(), config.limits.room_history);
    return [{ var: FIELD, type: "text-single", label: "Messages per hour", values: [rate.toFixed(2)] }];
  },
};

function isForAll(config: RoomConfig): boolean {
  return isPersistent.of(config) && isPublic.of(config) && !isMembersOnly.of(config) && !isProtected.of(config);
}

/** What is logged is read again with the room. */
function isKnown({ config, history }: RoomState): boolean {
  return isLogged.of(config) || history.length > 0;
}

/** Of the last day, or of the time that the remembered messages go back if there are too many for a day. */
function perHour(history: readonly Past[], now: number, most: number): number {
  const [oldest] = history;
  const dayAgo = now - SPAN_MS;
  const since = oldest && history.length >= most ? Math.max(oldest.at, dayAgo) : dayAgo;
  const counted = history.filter(({ message, at }) => at >= since && !message.has("replace", CORRECTION));
  return counted.length / (Math.max(now - since, LEAST_SPAN_MS) / HOUR_MS);
}
