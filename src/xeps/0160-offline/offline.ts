// XEP-0160: messages to an account without a non-negative resource are kept as pending entries of its log (rulings 12) and sent to the
// first resource that becomes one (rulings 2). What is kept is in keep(), how much in quota.ts, who gets it in reading.ts.
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Feature } from "../../core/feature.js";
import type { Flow } from "../../core/flow.js";
import { mayseePresence } from "../../roster/api.js";
import { worthOf } from "../../stanza/content.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import { escapeAttribute } from "../../xml/escape.js";
import { NS } from "../../xml/namespaces.js";
import type { Entry } from "../../storage/writes.js";
import { Quota } from "./quota.js";
import { Reading } from "./reading.js";

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
    received: { message: { stamp: withoutOurDelay, store: (flow, account) => keep(quota, flow, account) } },
    sent: { presence: { after: (flow) => presenceSent(reading, flow) } },
  };
}

/** Presence to one address changes nothing about what the session may be sent. */
function presenceSent(reading: Reading, flow: Flow): void {
  if (flow.session && !flow.stanza.to) reading.presenceChanged(flow, flow.session);
}

/** XEP-0203 "Security Considerations": a delay in our own name can only come from us. */
function withoutOurDelay(flow: Flow, account: Account): void {
  const { domain } = account.jid;
  let forged = forgedDelay(flow.stanza, domain);
  for (; forged; forged = forgedDelay(flow.stanza, domain)) flow.replace(flow.stanza.without(forged));
}

function forgedDelay(stanza: Stanza, domain: string): Stanza["children"][number] | undefined {
  return stanza.children.find(
    (span) => span.name === "delay" && span.ns === NS.delay && isServer(stanza.elementOf(span).attrs["from"], domain),
  );
}

/** However it is written. */
function isServer(address: unknown, domain: string): boolean {
  const jid = typeof address === "string" ? JID.parseWire(escapeAttribute(address)) : undefined;
  return jid?.local === "" && jid.domain === domain;
}

/**
 * What is not worth keeping is refused by the core, as nothing keeps it. A stranger is not told so: it would show that nobody is
 * online (RFC 6121 §8.1, §11).
 */
function keep(quota: Quota, flow: Flow, account: Account): StanzaError | "stop" | undefined {
  const { stanza, verdict } = flow;
  if (flow.entry) return undefined;
  if (verdict?.kind === "resource" || verdict?.kind === "non-negative") return keepForNow(flow, account);
  if (verdict?.kind !== "store") return undefined;
  const worth = worthOf(stanza);
  if (worth === "none") return stanza.from && mayseePresence(account, stanza.from) ? undefined : "stop";
  const entry = entryOf(stanza, worth === "hidden");
  if (!quota.take(account, flow, entry.stanza.length)) return new StanzaError("service-unavailable");
  flow.entry = flow.append(account.jid.toString(), entry);
  return undefined;
}

/** Somebody is there to take it: it is written only should that not happen (engineering 3). */
function keepForNow(flow: Flow, account: Account): undefined {
  const { stanza } = flow;
  if (worthOf(stanza) === "none") return;
  flow.entry = flow.defer(account.jid.toString(), () => entryOf(stanza, true));
}

function entryOf(stanza: Stanza, hidden: boolean): Entry {
  const originId: unknown = stanza.child("origin-id", NS.stanzaIds)?.attrs["id"];
  return {
    with: stanza.from?.bare.toString() ?? "",
    stanza: stanza.toWire(NS.client),
    pending: true,
    hidden,
    ...(typeof originId === "string" ? { originId } : {}),
  };
}
