// RFC 6121 §2.1: a roster as its owner's clients see it, and the pushes that tell them of changes.
import type { Flow } from "../core/flow.js";
import { Slot } from "../core/slot.js";
import type { Session } from "../core/session.js";
import { iq } from "../stanza/build.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";
import type { Item } from "./items.js";
import { isAsking, isSeenByContact, seesContact, type State } from "./subscription.js";

/**
 * Sessions that have asked for the roster: they get pushes and news of subscriptions (RFC 6121 §2.2 "interested resource"). With the
 * version that the client is known to have: that of its request, or of the last push it has answered.
 */
const known = new Slot<number | undefined>(() => undefined);

export function isInterested(session: Session): boolean {
  return known.get(session) !== undefined;
}

export function setInterested(session: Session, version: number): void {
  known.set(session, version);
}

export function knownVersion(session: Session): number | undefined {
  return known.get(session);
}

const PUSHED = /^(?:push|sync)-(\d{1,16})$/;

/** On what a session sends: a push is answered in its turn, so all before it have arrived, too. */
export function notePushAnswer({ session, stanza }: Flow): void {
  const before = session && known.get(session);
  if (!session || before === undefined || stanza.type !== "result") return;
  const version = Number(PUSHED.exec(stanza.id ?? "")?.[1] ?? 0);
  if (version > before) known.set(session, version);
}

/** What a client is told of a state; waiting requests of the contact are not shown. */
export type Subscription = "none" | "to" | "from" | "both";

export function subscriptionIn(state: State): Subscription {
  if (seesContact(state)) return isSeenByContact(state) ? "both" : "to";
  return isSeenByContact(state) ? "from" : "none";
}

export function itemElement(item: Item): Element {
  const attributes = {
    jid: item.jid.toString(),
    subscription: subscriptionIn(item.state),
    ...(item.name !== "" && { name: item.name }),
    ...(isAsking(item.state) && { ask: "subscribe" }),
    ...(item.approved && { approved: "true" }),
  };
  return xml("item", attributes, ...item.groups.map((group) => xml("group", {}, group)));
}

export function removedElement(contact: JID): Element {
  return xml("item", { jid: contact.toString(), subscription: "remove" });
}

/** The query of a push, written once for all sessions. */
export function pushQuery(item: Element, ver: number): Wire {
  return elementToWire(xml("query", { xmlns: NS.roster, ver: String(ver) }, item));
}

/** RFC 6121 §2.1.6: without a `from`, so it can only come from the session's own server. */
export function pushTo(session: Session, query: Wire, id: string): Stanza {
  return iq({ type: "set", id, to: session.jid }, query);
}

/** What the user sees of the item is not what it was. */
export function looksDifferent(before: Item | undefined, after: Item): boolean {
  if (!before?.listed || !after.listed) return (before?.listed ?? false) !== after.listed;
  return (
    before.name !== after.name ||
    before.approved !== after.approved ||
    isAsking(before.state) !== isAsking(after.state) ||
    subscriptionIn(before.state) !== subscriptionIn(after.state) ||
    before.groups.join("\n") !== after.groups.join("\n")
  );
}
