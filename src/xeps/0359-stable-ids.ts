// XEP-0359 "Business Rules": only we say which id a message has in the archive of an account. Whatever claims to be such an id is taken
// out of what the account receives and sends; ours is added at release, where the entry's id is known (`stampFor`). Origin ids stay.
import type { Feature } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import type { JID } from "../stanza/jid.js";
import { NS } from "../xml/namespaces.js";
import { withoutStanzaIds } from "./0359-stable-ids.api.js";

export const stableIds: Feature = {
  name: "stable-ids",
  specs: [{ xep: 359, version: "0.7.0", status: "complete", since: "0.1.0" }],
  disco: { server: [NS.stanzaIds], account: [NS.stanzaIds] },
  sent: { message: { stamp: (flow, account) => withoutForged(flow, account.jid) } },
  received: { message: { stamp: (flow, account) => withoutForged(flow, account.jid) } },
};

function withoutForged(flow: Flow, owner: JID): void {
  const clean = withoutStanzaIds(flow.stanza, owner);
  if (clean !== flow.stanza) flow.replace(clean);
}
