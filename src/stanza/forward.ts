// XEP-0297 "Stanza Forwarding": a stanza inside another one, with the time at which it was received.
import { escapeAttribute } from "../xml/escape.js";
import { NS } from "../xml/namespaces.js";
import { type Wire, w } from "../xml/wire.js";
import { timestamp } from "./delay.js";
import type { Stanza } from "./stanza.js";

const FORWARD = escapeAttribute(NS.forward);
const DELAY = escapeAttribute(NS.delay);

/** `<forwarded/>` with the stanza in jabber:client; `ms` since 1970 is when the forwarding entity received it. */
export function forwarded(stanza: Stanza, ms?: number): Wire {
  const delay = ms === undefined ? ("" as Wire) : w`<delay xmlns='${DELAY}' stamp='${timestamp(ms) as Wire}'/>`;
  return w`<forwarded xmlns='${FORWARD}'>${delay}${stanza.toWire(NS.client)}</forwarded>`;
}
