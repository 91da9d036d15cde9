// XEP-0203: a message that comes to its client later than it could have says when it was taken in, or it would seem to be of now.
import { delay } from "../stanza/delay.js";
import { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { NS } from "../xml/namespaces.js";
import { timeOf } from "./ids.js";

/** A copy of the log entry `id` (0: of none) for an account of this domain, with the time of the entry if it has none of its own. */
export function late(stanza: Stanza, { id }: { readonly id: number }, domain: string): Stanza {
  if (stanza.kind !== "message" || id === 0 || stanza.has("delay", NS.delay)) return stanza;
  return stanza.plus(delay(JID.of("", domain), timeOf(id)));
}
