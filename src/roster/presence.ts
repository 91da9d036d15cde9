// RFC 6121 §4: who is told when a resource comes, changes and goes, probes, directed presence; and the way subscription stanzas take.
// What a session is to everybody else (`presence`, `priority`) is set here, at decision time.
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Feature } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import { stanzaIn, textOf } from "../core/record.js";
import type { Session } from "../core/session.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { PresenceType } from "../stanza/types.js";
import type { Json } from "../storage/writes.js";
import { NS } from "../xml/namespaces.js";
import { Directed, directedTo } from "./directed.js";
import { rosterOf } from "./items.js";
import { Absences } from "./last.js";
import { answerProbe, ColdProbes, probe } from "./probes.js";
import { cancelSubscriptions, Subscribing } from "./subscribing.js";
import { isAsked, isSeenByContact, isSubscriptionType, seesContact, type SubscriptionType } from "./subscription.js";

export type PresencePorts = Pick<
  Context,
  "accounts" | "clock" | "committer" | "config" | "isHosted" | "log" | "start" | "storage"
>;

export function presenceFeature(ports: PresencePorts): Feature {
  const presence = new Presence(ports);
  return {
    name: "presence",
    specs: [],
    sent: { presence: { store: (flow, account) => presence.sent(flow, account) } },
    received: { presence: { store: (flow, account) => presence.received(flow, account) } },
    session: {
      save: (session) => presence.save(session),
      restore: (session, saved) => presence.restore(session, saved),
      catchUp: (flow, session) => presence.catchUp(flow, session),
    },
    removed: (flow, account) => presence.removed(flow, account),
  };
}

type Refusal = "stop" | StanzaError | undefined;

class Presence {
  readonly #ports: PresencePorts;
  readonly #subscribing: Subscribing;
  readonly #directed: Directed;
  readonly #absences: Absences;
  readonly #coldProbes: ColdProbes;

  constructor(ports: PresencePorts) {
    this.#ports = ports;
    this.#subscribing = new Subscribing(ports);
    this.#directed = new Directed(ports.config.limits.directed_presence);
    this.#absences = new Absences(ports);
    this.#coldProbes = new ColdProbes(ports);
  }

  /** A session of the account sends presence. */
  sent(flow: Flow, account: Account): Refusal {
    const { session, stanza } = flow;
    const { type, to } = stanza;
    if (!session) return "stop";
    if (isSubscriptionType(type)) return this.#subscribing.send(flow, account, type);
    switch (type as Exclude<PresenceType, SubscriptionType> | undefined) {
      case undefined:
        return to ? this.#directed.available(session, to) : this.#available(flow, account, session);
      case "unavailable":
        return to ? this.#directed.unavailable(session, to) : this.#unavailable(flow, account, session);
      case "probe":
        return to && this.#mayProbe(account, to) ? undefined : "stop";
      case "error":
        return to ? undefined : "stop";
    }
  }

  /** Presence arrives for the account. */
  received(flow: Flow, account: Account): Refusal {
    const { type, from } = flow.stanza;
    if (isSubscriptionType(type)) this.#subscribing.receive(flow, account, type);
    else if (type === "probe") answerProbe(flow, account, this.#absences, this.#directed);
    else if (type !== undefined && from) return this.#ended(flow, account, from);
    return undefined;
  }

  /** Rulings 18: its contacts are unsubscribed, and see it go. */
  removed(flow: Flow, account: Account): void {
    for (const item of rosterOf(account).all()) cancelSubscriptions(flow, account, item);
  }

  save(session: Session): Json | undefined {
    const directed = directedTo(session).map(String);
    if (!session.presence && directed.length === 0) return undefined;
    return { ...(session.presence && { stanza: textOf(session.presence) }), directed };
  }

  restore(session: Session, saved: Json | undefined): void {
    const { stanza, directed } = (saved ?? {}) as { readonly stanza?: Json; readonly directed?: Json };
    if (typeof stanza === "string") session.presence = stanzaIn(stanza);
    if (session.presence) session.priority = priorityOf(session.presence) ?? 0;
    if (Array.isArray(directed))
      this.#directed.restore(
        session,
        directed.map((to) => JID.parse(String(to))),
      );
  }

  /** What the session was told of others may be no longer so. */
  catchUp(flow: Flow, session: Session): undefined {
    if (session.isAvailable) this.#welcome(flow, session.account, session);
  }

  /** §4.2.2, §4.4.2. */
  #available(flow: Flow, account: Account, session: Session): Refusal {
    const priority = priorityOf(flow.stanza);
    if (priority === undefined)
      return new StanzaError("bad-request", "modify", "a priority is a number from -128 to 127");
    const isInitial = session.presence === undefined;
    session.presence = flow.stanza;
    session.priority = priority;
    this.#broadcast(flow, account, session);
    if (!isInitial) return undefined;
    this.#absences.cameBack(account.jid);
    this.#welcome(flow, account, session);
    return undefined;
  }

  /** §4.5.2, and §4.6.3 for those who were told directly. */
  #unavailable(flow: Flow, account: Account, session: Session): Refusal {
    const wasAvailable = session.presence !== undefined;
    session.presence = undefined;
    session.priority = 0;
    if (wasAvailable) this.#broadcast(flow, account, session);
    for (const to of this.#directed.forget(session))
      if (!wasAvailable || !isToldAnyway(account, to)) flow.route(flow.stanza.readdress(session.jid, to));
    return undefined;
  }

  /** To the contacts that see the account, and to its own resources, the sender included. */
  #broadcast(flow: Flow, account: Account, session: Session): void {
    const { stanza } = flow;
    flow.deliver(account, stanza.readdress(session.jid, account.jid), (one) => one.isAvailable || one === session);
    for (const { jid, state } of rosterOf(account).all())
      if (isSeenByContact(state) && !this.#isCold(jid)) flow.route(stanza.readdress(session.jid, jid));
  }

  /** What a resource is told when it becomes available: its siblings, its contacts (§4.2.2), and who waits for an answer (§3.1.3). */
  #welcome(flow: Flow, account: Account, session: Session): void {
    for (const other of account.sessions.values())
      if (other !== session && other.isAvailable && other.presence)
        flow.push(session, other.presence.readdress(other.jid, session.jid));
    const cold: JID[] = [];
    for (const { jid, state, request } of rosterOf(account).all()) {
      if (isAsked(state) && request !== "") flow.push(session, stanzaIn(request));
      if (!seesContact(state)) continue;
      if (this.#isCold(jid)) cold.push(jid);
      else flow.route(probe(session.jid, jid));
    }
    flow.atRelease(() => this.#coldProbes.add(session, cold));
  }

  /** Only what the account may see anyway, so that an answer tells nothing about other accounts. */
  #mayProbe(account: Account, to: JID): boolean {
    return to.bare.equals(account.jid) || seesContact(rosterOf(account).standing(to).state);
  }

  /** Unavailable presence or an error has come from somewhere: as a rule nothing directed there needs to be taken back. */
  #ended(flow: Flow, account: Account, from: JID): Refusal {
    const { to, type } = flow.stanza;
    const session = to && account.sessions.get(to.resource);
    if (session && !isPassing(flow.stanza)) this.#directed.unavailable(session, from);
    if (type !== "error" || !to?.isBare || !from.isBare) return undefined;
    flow.deliver(account, flow.stanza, (one) => one.isAvailable || one === flow.session);
    this.#subscribing.failed(flow, account, from);
    return "stop";
  }

  /** An account here that has no session, so that nobody is there to be told. */
  #isCold(contact: JID): boolean {
    return contact.local !== "" && this.#ports.isHosted(contact) && !this.#ports.accounts.isInUse(contact);
  }
}

/** The broadcast reaches this address too. */
function isToldAnyway(account: Account, to: JID): boolean {
  return to.bare.equals(account.jid) || isSeenByContact(rosterOf(account).standing(to).state);
}

const PRIORITY = /^\s*[+-]?\d{1,3}\s*$/;

/** §4.7.2.3: 0 when there is none; undefined when it is no priority. */
function priorityOf(stanza: Stanza): number | undefined {
  const text = stanza.child("priority", NS.client)?.text();
  if (text === undefined) return 0;
  const priority = PRIORITY.test(text) ? Number(text) : NaN;
  return priority >= -128 && priority <= 127 ? priority : undefined;
}

/** This presence was not taken, but what was sent before may still hold, as it does in a room (RFC 6120 §8.3.2: "wait", "modify"). */
function isPassing(stanza: Stanza): boolean {
  const type: unknown = stanza.type === "error" ? stanza.child("error", NS.client)?.attrs["type"] : undefined;
  return type === "wait" || type === "modify";
}
