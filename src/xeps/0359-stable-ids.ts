// XEP-0359 "Business Rules": only we say which id a message has in the archive of an account. Whatever claims to be such an id is taken
// out of what the account receives and sends; ours is added at release, where the entry's id is known (`stampFor`). Origin ids stay.
import type { Feature } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { rawAttributeIn } from "../xml/attribute.js";
import { NS } from "../xml/namespaces.js";

export const stableIds: Feature = {
  name: "stable-ids",
  specs: [{ xep: 359, version: "0.7.0", status: "complete", since: "0.2.0" }],
  disco: { server: [NS.stanzaIds], account: [NS.stanzaIds] },
  sent: { message: { stamp: (flow, account) => withoutForged(flow, account.jid) } },
  received: { message: { stamp: (flow, account) => withoutForged(flow, account.jid) } },
};

/** Rules 2 and 4: all of them, however `by` is written. */
function withoutForged(flow: Flow, owner: JID): void {
  const { stanza } = flow;
  const forged = stanza.children.filter((span) => span.ns === NS.stanzaIds && isBy(stanza, span, owner));
  if (forged.length > 0) flow.replace(stanza.without(...forged));
}

/** Also with a resource, which never assigns ids: a client may compare less strictly than it should. */
function isBy(stanza: Stanza, span: Stanza["children"][number], owner: JID): boolean {
  if (span.name !== "stanza-id") return false;
  const by = rawAttributeIn(stanza.raw(span), "by");
  return by !== undefined && JID.parseWire(by)?.bare.equals(owner) === true;
}
