// Domains that are not hosted here, until there is federation (rulings 19): requests are refused, presence is dropped, nothing is stored.
import type { Flow } from "../core/flow.js";
import type { Remote } from "../core/router.js";
import { StanzaError } from "../stanza/errors.js";

export const unhosted: Remote = { decide: refuse };

/** What may not be answered is dropped by `refuse`; of presence only a request for a subscription wants an answer. */
function refuse(flow: Flow): void {
  const { kind, type } = flow.stanza;
  if (kind === "presence" && type !== "subscribe") return;
  flow.refuse(new StanzaError("remote-server-not-found"));
}
