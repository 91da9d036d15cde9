// XEP-0045 "Discussion History" and "Managing Discussion History": which of the recent messages somebody gets who enters, and as what.
import { timeOf } from "../core/ids.js";
import { delay } from "../stanza/delay.js";
import { timeOfText } from "../stanza/datetime.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { stanzaId } from "../xeps/0359-stable-ids.api.js";
import type { Limits } from "../core/limits.js";
import type { Past } from "./state.js";

/** What was asked for; all of it holds. */
export interface HistoryRequest {
  readonly maxStanzas: number;
  /** Characters of the stanzas as they are sent. */
  readonly maxChars: number;
  /** Not from before this time, in ms since 1970. */
  readonly since: number;
}

/** No wish at all. */
export const ALL: HistoryRequest = { maxStanzas: Infinity, maxChars: Infinity, since: 0 };

const WHOLE_NUMBER = /^\d{1,15}$/;

/** How much of its past a room remembers. */
export interface HistoryBounds {
  readonly stanzas: number;
  readonly bytes: number;
}

/** As many of the latest as there may be: so that nobody makes everybody who enters take more than they can. */
export function latest(history: readonly Past[], most: HistoryBounds): readonly Past[] {
  const oldest = history.length - most.stanzas;
  let bytes = 0;
  const tooMuch = history.findLastIndex(({ message }, at) => {
    bytes += message.size;
    return at < oldest || bytes > most.bytes;
  });
  return history.slice(tooMuch + 1);
}

/** How much is remembered of any room. */
export function historyBounds(limits: Pick<Limits, "room_history" | "room_history_bytes">): HistoryBounds {
  return { stanzas: limits.room_history, bytes: limits.room_history_bytes };
}

/** A message that is remembered for those who enter later: it says something. */
export function isHistoric(message: Stanza): boolean {
  return message.has("body", NS.client);
}

/** The wishes in a `<history/>`; what is malformed is no wish. `most`: stanzas, if nothing is said. */
export function historyRequestOf(x: Element, most: number, now: number): HistoryRequest {
  const attrs = x.getChild("history", NS.muc)?.attrs ?? {};
  const seconds = numberIn(attrs["seconds"]);
  const since: unknown = attrs["since"];
  return {
    maxStanzas: Math.min(numberIn(attrs["maxstanzas"]) ?? most, most),
    maxChars: numberIn(attrs["maxchars"]) ?? Infinity,
    since: Math.max(
      seconds === undefined ? 0 : now - seconds * 1000,
      (typeof since === "string" && timeOfText(since)) || 0,
    ),
  };
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "string" && WHOLE_NUMBER.test(value) ? Number(value) : undefined;
}

/** The latest messages that meet the request, oldest first, as they are sent to `to`. Whole stanzas only. */
export function historyFor(history: readonly Past[], room: JID, to: JID, request: HistoryRequest): readonly Stanza[] {
  const chosen: Stanza[] = [];
  let chars = 0;
  for (const past of history.toReversed()) {
    if (chosen.length >= request.maxStanzas || timeIn(past) < request.since) break;
    const stanza = delayed(past, room).readdress(past.message.from, to);
    chars += stanza.toWire().length;
    if (chars > request.maxChars) break;
    chosen.push(stanza);
  }
  return chosen.reverse();
}

/** The ids of entries are given at the commit: what is sent rests on it, what is decided does not. */
function timeIn({ entry, at }: Past): number {
  return entry && entry.id > 0 ? timeOf(entry.id) : at;
}

/** With its id in the room's archive, if it is there. The id is known once the turn is durable. */
export function withEntryId(message: Stanza, room: JID, entry: Past["entry"]): Stanza {
  return entry ? message.plus(stanzaId(room, entry.id)) : message;
}

const delayedOnes = new WeakMap<Past, Stanza>();

/** Made once for all who enter. */
function delayed(past: Past, room: JID): Stanza {
  const known = delayedOnes.get(past);
  if (known) return known;
  const made = withEntryId(past.message, room, past.entry).plus(delay(room, timeIn(past)));
  delayedOnes.set(past, made);
  return made;
}
