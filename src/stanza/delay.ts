// XEP-0203 "Delayed Delivery": when a stanza was first sent, as a XEP-0082 DateTime in UTC.
import { escapeAttribute, escapeText } from "../xml/escape.js";
import { NS } from "../xml/namespaces.js";
import { type Wire, w } from "../xml/wire.js";
import type { JID } from "./jid.js";

/** XEP-0082 DateTime with milliseconds of a time in milliseconds since 1970, e.g. `2002-09-10T23:08:25.000Z`. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** `<delay/>` by the entity that held the stanza back; `ms` since 1970. */
export function delay(from: JID, ms: number, reason?: string): Wire {
  const start = w`<delay xmlns='${escapeAttribute(NS.delay)}' from='${from.wire}' stamp='${timestamp(ms) as Wire}'`;
  return reason === undefined ? w`${start}/>` : w`${start}>${escapeText(reason)}</delay>`;
}
