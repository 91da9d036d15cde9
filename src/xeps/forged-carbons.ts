// Rulings 22: what looks like a carbon copy (XEP-0280) can only come from the account's own bare JID, which is to say from this server,
// and that never passes through here. Clients that do not look at the sender have shown forged ones as their user's own words.
import type { Feature } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import { StanzaError } from "../stanza/errors.js";
import { NS } from "../xml/namespaces.js";

export const forgedCarbons: Feature = {
  name: "forged-carbons",
  specs: [],
  sent: { message: { guard: refuseForged } },
  received: { message: { guard: refuseForged } },
};

/** Refused on the sender's side already, so that no archive has it. */
function refuseForged({ stanza }: Flow): StanzaError | undefined {
  const isForged = stanza.children.some(
    ({ name, ns }) => ns === NS.carbons && (name === "received" || name === "sent"),
  );
  return isForged ? new StanzaError("policy-violation") : undefined;
}
