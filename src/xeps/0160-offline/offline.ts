// XEP-0160: messages to an account without a non-negative resource are kept as pending entries of its log (rulings 12) and sent to the
// first resource that becomes one (rulings 2). What is kept is the archive's to say (0313-mam/keeping.ts): they are one log; here is what
// happens where nothing or no more is kept. How much that is stands in quota.ts, who gets it in reading.ts.
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Feature } from "../../core/feature.js";
import type { Flow } from "../../core/flow.js";
import { mayseePresence } from "../../roster/api.js";
import { worthOf } from "../../stanza/content.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import { rawAttributeIn } from "../../xml/attribute.js";
import { NS } from "../../xml/namespaces.js";
import { settlesNothing } from "./api.js";
import { Quota } from "./quota.js";
import { Reading } from "./reading.js";
import { replay } from "./replaying.js";

export function offline(context: Context): Feature {
  const quota = new Quota(context);
  const reading = new Reading(context, quota);
  return {
    name: "offline",
    specs: [
      { xep: 160, version: "1.0.1", status: "complete", since: "0.1.0" },
      { xep: 203, version: "2.0", status: "complete", since: "0.1.0" },
      { xep: 334, version: "1.0.0", status: "partial", since: "0.1.0", note: "store, no-store, no-permanent-store" },
    ],
    disco: { server: ["msgoffline"] },
    received: {
      message: { stamp: withoutOurDelay, store: (flow, account) => mayWait(quota, flow, account) },
      presence: { stamp: withoutOurDelay },
    },
    sent: { presence: { after: (flow) => presenceSent(reading, flow) } },
    session: {
      restore: (session) => reading.restored(session),
      catchUp: (_, session, missed) => replay(context, session, missed),
    },
  };
}

/** Presence to one address changes nothing about what the session may be sent. */
function presenceSent(reading: Reading, flow: Flow): void {
  if (flow.session && !flow.stanza.to) reading.presenceChanged(flow, flow.session);
}

/** XEP-0203 "Security Considerations": a delay in our own name can only come from us. */
function withoutOurDelay(flow: Flow, account: Account): void {
  const { domain } = account.jid;
  const { stanza } = flow;
  const forged = stanza.children.filter((span) => span.ns === NS.delay && isOurs(stanza, span, domain));
  if (forged.length > 0) flow.replace(stanza.without(...forged));
}

/** However the address is written. */
function isOurs(stanza: Stanza, span: Stanza["children"][number], domain: string): boolean {
  const from = span.name === "delay" ? rawAttributeIn(stanza.raw(span), "from") : undefined;
  const jid = from === undefined ? undefined : JID.parseWire(from);
  return jid?.local === "" && jid.domain === domain;
}

/**
 * What is not worth keeping is refused by the core, as nothing keeps it. A stranger is not told so: it would show that nobody is
 * online (RFC 6121 §8.1, §11).
 */
function mayWait(quota: Quota, flow: Flow, account: Account): StanzaError | "stop" | undefined {
  const { stanza } = flow;
  if (flow.entry) return undefined;
  if (settlesNothing(flow, account)) return waitsBeside(quota, flow, account);
  if (flow.verdict?.kind !== "store") return undefined;
  if (worthOf(stanza) === "none") return stanza.from && mayseePresence(account, stanza.from) ? undefined : "stop";
  switch (quota.take(account, flow, stanza.toWire(NS.client).length)) {
    case "taken":
      return undefined;
    case "full":
      return new StanzaError("service-unavailable");
    case "full of this sender":
      return new StanzaError("resource-constraint", "wait", "too many messages wait to be read");
  }
}

/**
 * A resource that settles nothing (rulings 2) gets what is addressed to it, and a copy waits for one that does. Without room for that it
 * gets it all the same (RFC 6121 §8.5.3.1), so that nobody fills the account past it.
 */
function waitsBeside(quota: Quota, flow: Flow, account: Account): undefined {
  const { stanza } = flow;
  if (worthOf(stanza) === "none") return;
  flow.isLiveOnly = quota.take(account, flow, stanza.toWire(NS.client).length) !== "taken";
}
