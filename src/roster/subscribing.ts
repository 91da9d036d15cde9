// RFC 6121 §3: subscription stanzas that a user sends and gets. The tables of subscription.ts decide; here their outcome becomes changes
// of the roster, pushes, answers and the presence that a new or former subscriber must be told.
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Flow } from "../core/flow.js";
import type { Limits } from "../core/limits.js";
import { presence } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { fromWire } from "../xml/wire.js";
import { NS } from "../xml/namespaces.js";
import { RosterChanges } from "./changes.js";
import { type Item, type Roster, rosterOf } from "./items.js";
import { isInterested } from "./push.js";
import {
  inbound,
  isAsked,
  isAsking,
  isSeenByContact,
  outbound,
  seesContact,
  type SubscriptionType,
  unanswered,
} from "./subscription.js";

/** A request is kept with what the client added to it; one larger than this, a hundred times the usual, without. */
const MAX_REQUEST_BYTES = 16 * 1024;

export class Subscribing {
  readonly #changes: RosterChanges;
  readonly #limits: Limits;

  constructor({ clock, config }: Pick<Context, "clock" | "config">) {
    this.#changes = new RosterChanges(clock);
    this.#limits = config.limits;
  }

  /** The user sends it: RFC 6121 §3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2. */
  send(flow: Flow, account: Account, type: SubscriptionType): "stop" | StanzaError | undefined {
    const contact = flow.stanza.to?.bare;
    if (!contact) return new StanzaError("bad-request", "modify", "a subscription is to somebody");
    if (contact.equals(account.jid)) return "stop"; // everybody sees their own presence
    const roster = rosterOf(account);
    const before = roster.standing(contact);
    const outcome = outbound(type, before);
    const changed = outcome.state !== before.state || outcome.approved !== before.approved;
    const listed = changed && (type === "subscribe" || type === "subscribed");
    if (listed && isFull(roster, contact, this.#limits)) return tooManyContacts();
    if (changed) this.#changes.stand(flow, account, contact, outcome, { listed });
    if (!outcome.passes) return "stop";
    flow.replace(flow.stanza.readdress(account.jid, contact));
    if (isLetOut(before, outcome)) return endSubscription(flow, account, contact);
    if (isLetIn(before, outcome)) tellPresence(flow, account, contact);
    return undefined;
  }

  /** It arrives for the user: §3.1.3, §3.1.6, §3.2.3, §3.3.3, §3.4.3. Nobody learns whether the account exists (rulings 26). */
  receive(flow: Flow, account: Account, type: SubscriptionType): void {
    const contact = flow.stanza.from?.bare;
    if (!contact || !account.exists || contact.equals(account.jid)) return;
    const roster = rosterOf(account);
    const before = roster.standing(contact);
    const outcome = inbound(type, before);
    if (isAsked(outcome.state) && !isAsked(before.state) && roster.requests >= this.#limits.pending_subscriptions)
      return;
    const stanza = flow.stanza.readdress(contact, account.jid);
    if (outcome.passes)
      flow.deliver(account, stanza, type === "subscribe" ? (session) => session.isAvailable : isInterested);
    if (outcome.state !== before.state)
      this.#changes.stand(flow, account, contact, outcome, type === "subscribe" ? asked(stanza, outcome.reply) : {});
    if (outcome.reply) flow.route(presence({ from: account.jid, to: contact, type: outcome.reply }));
    if (outcome.reply || isLetIn(before, outcome)) tellPresence(flow, account, contact);
    if (isLetOut(before, outcome)) tellUnavailable(flow, account, contact);
  }

  /** The user's request cannot reach the contact's server: it is no longer waited for. */
  failed(flow: Flow, account: Account, contact: JID): void {
    const before = rosterOf(account).standing(contact);
    const state = unanswered(before.state);
    if (state !== before.state) this.#changes.stand(flow, account, contact, { ...before, state });
  }
}

/** RFC 6121 §2.5.2: tells a contact that left the roster. The presence ends before the subscription does (§3.2.2). */
export function cancelSubscriptions(flow: Flow, account: Account, { jid, state }: Item): void {
  if (seesContact(state) || isAsking(state)) flow.route(presence({ from: account.jid, to: jid, type: "unsubscribe" }));
  if (isSeenByContact(state)) tellUnavailable(flow, account, jid);
  if (isSeenByContact(state) || isAsked(state))
    flow.route(presence({ from: account.jid, to: jid, type: "unsubscribed" }));
}

/** An approved request in advance brings the contact into the roster; any other is kept as it came. */
function asked(stanza: Stanza, reply: "subscribed" | undefined): { listed: boolean } | { request: string } {
  if (reply) return { listed: true };
  const whole = stanza.toWire(NS.client);
  const { from, to } = stanza;
  if (whole.length <= MAX_REQUEST_BYTES || !from || !to) return { request: fromWire(whole) };
  return { request: fromWire(presence({ from, to, type: "subscribe" }).toWire(NS.client)) };
}

/** §3.1.5: the contact may see the current presence from now on. */
function isLetIn(before: Pick<Item, "state">, after: Pick<Item, "state">): boolean {
  return !isSeenByContact(before.state) && isSeenByContact(after.state);
}

/** §3.2.2, §3.3.3: the contact may see it no more, and is told that it ended. */
function isLetOut(before: Pick<Item, "state">, after: Pick<Item, "state">): boolean {
  return isSeenByContact(before.state) && !isSeenByContact(after.state);
}

/** §3.2.2: the unavailable presence goes ahead of the `unsubscribed`, while the contact is still subscribed. */
function endSubscription(flow: Flow, account: Account, contact: JID): "stop" {
  tellUnavailable(flow, account, contact);
  flow.route(flow.stanza);
  return "stop";
}

function tellPresence(flow: Flow, account: Account, contact: JID): void {
  for (const session of account.sessions.values())
    if (session.isAvailable && session.presence) flow.route(session.presence.readdress(session.jid, contact));
}

function tellUnavailable(flow: Flow, account: Account, contact: JID): void {
  for (const session of account.sessions.values())
    if (session.isAvailable) flow.route(presence({ from: session.jid, to: contact, type: "unavailable" }));
}

function isFull(roster: Roster, contact: JID, limits: Limits): boolean {
  return !roster.get(contact)?.listed && roster.size >= limits.roster_items;
}

function tooManyContacts(): StanzaError {
  return new StanzaError("policy-violation", "modify", "too many contacts");
}
