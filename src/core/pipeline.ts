// Decides a flow: the sender's phases, the address, the recipient's phases, the delivery table. Synchronous, but for cold accounts.
import { StanzaError } from "../stanza/errors.js";
import { resultOf } from "../stanza/build.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Element } from "../xml/element.js";
import type { Account } from "./account.js";
import { LoadFault, type Accounts } from "./accounts.js";
import { answerLater } from "./answering.js";
import { isOutdated } from "./committer.js";
import {
  iqVerdict,
  messageVerdict,
  presenceVerdict,
  type MessageType,
  type Recipient,
  type Verdict,
} from "./delivery.js";
import type { Answer, Feature, IqHandler, Step } from "./feature.js";
import { Flow, type Hop } from "./flow.js";
import type { Decider } from "./lane.js";
import type { Log } from "./log.js";
import type { Order } from "./order.js";
import { holdFor } from "./owner.js";
import { AFTER_VERDICT, BEFORE_VERDICT, PHASES, type Phase } from "./phases.js";
import type { Remote, Router } from "./router.js";
import type { Session } from "./session.js";

export interface PipelinePorts {
  readonly accounts: Accounts;
  readonly router: Router;
  readonly remote: Remote;
  readonly features: readonly Feature[];
  readonly log: Log;
  readonly order: Order;
  /** Starts a flow of the server's own. */
  readonly start: (flow: Flow) => void;
}

type Kind = Stanza["kind"];
type Compiled = Readonly<Record<Kind, readonly Step[]>>;

export class Pipeline {
  readonly #ports: PipelinePorts;
  readonly #sent: Compiled;
  readonly #before: Compiled;
  readonly #after: Compiled;
  readonly #serverIq: ReadonlyMap<string, IqHandler>;
  readonly #accountIq: ReadonlyMap<string, IqHandler>;

  constructor(ports: PipelinePorts) {
    this.#ports = ports;
    this.#sent = compile(ports.features, "sent", PHASES);
    this.#before = compile(ports.features, "received", BEFORE_VERDICT);
    this.#after = compile(ports.features, "received", AFTER_VERDICT);
    this.#serverIq = handlers(ports.features, "server");
    this.#accountIq = handlers(ports.features, "account");
  }

  /** Decides the flow, at once (undefined) or when the cold accounts it needs have been loaded. Never throws or rejects. */
  decide(flow: Flow): Promise<void> | undefined {
    while (flow.at < flow.hops.length) {
      const hop = flow.hops[flow.at];
      if (!hop || flow.failure) return undefined;
      const cold = this.#coldAccount(flow, hop);
      if (cold) return this.#park(flow, hop, cold);
      flow.at++;
      this.#hop(flow, hop);
    }
    return undefined;
  }

  /** Somebody else decides the stanza that a flow begins with, at once or later; what that routes is decided here. */
  behind(first: (flow: Flow) => Promise<void> | undefined): Decider {
    return { decide: (flow) => this.#decideBehind(first, flow) };
  }

  #decideBehind(first: (flow: Flow) => Promise<void> | undefined, flow: Flow): Promise<void> | undefined {
    flow.at = flow.hops.length;
    try {
      const parked = first(flow);
      return parked ? this.#decideLater(parked, flow) : this.decide(flow);
    } catch (error) {
      this.#abandon(flow, error);
      return undefined;
    }
  }

  async #decideLater(parked: Promise<void>, flow: Flow): Promise<void> {
    try {
      await parked;
    } catch (error) {
      this.#abandon(flow, error);
    }
    await this.decide(flow);
  }

  #abandon(flow: Flow, error: unknown): void {
    this.#ports.log.error({ ev: "core.handler_failed", kind: flow.stanza.kind, err: error });
    flow.abandon(new StanzaError("internal-server-error", "cancel"), "bug");
  }

  async #park(flow: Flow, hop: Hop, cold: JID): Promise<void> {
    holdFor(flow); // what it has changed so far is in memory only
    const loaded = await this.#load(flow, hop, cold);
    if (isOutdated(flow)) flow.abandon(new StanzaError("resource-constraint", "wait"), "store");
    const rest = this.decide(flow); // up to the next cold account
    holdFor(flow);
    if (loaded) this.#ports.accounts.release(loaded);
    await rest;
  }

  /** The account, held so that it is there for the hop however small the cache is. If it cannot be loaded, the hop is refused. */
  async #load(flow: Flow, hop: Hop, cold: JID): Promise<Account | undefined> {
    try {
      return this.#ports.accounts.hold(await this.#ports.accounts.load(cold));
    } catch (error) {
      if (!(error instanceof LoadFault)) throw error;
      this.#ports.log.warn({ ev: "core.load_failed", err: error });
      flow.at++;
      flow.stanza = hop.stanza;
      flow.refuse(new StanzaError("resource-constraint", "wait"));
      return undefined;
    }
  }

  /** The account that must be loaded before the hop can be decided. */
  #coldAccount(flow: Flow, { stanza, side }: Hop): JID | undefined {
    if (side === "sent") return flow.session?.account.isStale ? flow.session.jid.bare : undefined;
    const { to } = stanza;
    if (!to || this.#ports.router.resolve(to).kind !== "account" || this.#ports.accounts.peek(to.bare))
      return undefined;
    return needsAccount(stanza) || this.#ports.accounts.isInUse(to.bare) ? to.bare : undefined;
  }

  #hop(flow: Flow, hop: Hop): void {
    flow.stanza = hop.stanza;
    flow.verdict = undefined;
    flow.entry = undefined;
    flow.isLiveOnly = false;
    try {
      if (hop.side === "sent") this.#send(flow);
      else this.#receive(flow);
    } catch (error) {
      this.#abandon(flow, error);
    }
  }

  #send(flow: Flow): void {
    const session = flow.session;
    // The account is being removed: nothing more may be written for it.
    if (session?.open && !session.account.exists) return flow.refuse(new StanzaError("not-authorized"));
    if (!session || !this.#run(this.#sent, flow, session.account)) return;
    const stanza = addressed(flow.stanza, session);
    const hop: Hop = { stanza, side: "received" };
    if (this.#coldAccount(flow, hop)) flow.hops.splice(flow.at, 0, hop);
    else {
      flow.stanza = stanza;
      this.#receive(flow);
    }
  }

  #receive(flow: Flow): void {
    const { to } = flow.stanza;
    if (!to) return;
    const target = this.#ports.router.resolve(to);
    switch (target.kind) {
      case "server":
        return this.#toDomain(flow, to, this.#serverIq);
      case "service":
        if (to.local !== "") return target.service.decide(flow);
        if (flow.stanza.kind === "presence") return target.service.presence?.(flow);
        return this.#toDomain(flow, to, target.iq);
      case "remote":
        return this.#ports.remote.decide(flow);
      case "account": {
        const account = this.#ports.accounts.peek(to.bare);
        if (account) this.#toAccount(flow, account, to);
        return;
      }
      default:
        target satisfies never;
    }
  }

  /** Stanzas to the domain of the server or of a service: IQs are its to answer; of the rest it has no use (RFC 6121 §8.4, RFC 6120 §10.4). */
  #toDomain(flow: Flow, to: JID, table: ReadonlyMap<string, IqHandler>): void {
    const { stanza } = flow;
    if (stanza.kind === "presence") return;
    if (stanza.kind === "message" || to.resource !== "") return flow.refuse(new StanzaError("service-unavailable"));
    this.#answer(flow, table, undefined);
  }

  #toAccount(flow: Flow, account: Account, to: JID): void {
    if (!this.#run(this.#before, flow, account)) return;
    flow.verdict = verdict(flow.stanza, to, account);
    if (flow.stanza.kind === "iq" && flow.verdict.kind === "handle")
      return this.#answer(flow, this.#accountIq, account);
    if (flow.verdict.kind === "refuse") return flow.refuse(new StanzaError(flow.verdict.condition));
    if (flow.verdict.kind === "drop" || !this.#run(this.#after, flow, account)) return;
    this.#deliver(flow, account, to, flow.verdict);
  }

  #deliver(flow: Flow, account: Account, to: JID, verdict: Verdict): void {
    const { stanza, entry } = flow;
    const again = mustArrive(stanza);
    if (entry) this.#ports.order.enter(flow, entry, account);
    switch (verdict.kind) {
      case "resource": {
        const session = account.sessions.get(to.resource);
        if (session) flow.effects.push({ kind: "session", session, stanza, entry, again });
        return;
      }
      case "non-negative":
        flow.effects.push({ kind: "account", account, stanza, pick: isNonNegative, entry, again });
        return;
      case "available":
        flow.effects.push({ kind: "account", account, stanza, pick: isAvailable });
        return;
      case "store":
        if (!entry) return flow.refuse(new StanzaError("service-unavailable"));
        flow.effects.push({ kind: "account", account, stanza, pick: isNonNegative, entry });
        return;
      case "handle":
      case "refuse":
      case "drop":
        return;
      default:
        verdict satisfies never;
    }
  }

  /** Runs the steps; false if one of them stopped or refused the stanza. */
  #run(steps: Compiled, flow: Flow, account: Account): boolean {
    for (const step of steps[flow.stanza.kind]) {
      const result = step(flow, account);
      if (result === undefined) continue;
      if (result !== "stop") flow.refuse(result);
      return false;
    }
    return true;
  }

  /** RFC 6120 §8.2.3: a get or set has exactly one child and is always answered; results and errors end here. */
  #answer(flow: Flow, table: ReadonlyMap<string, IqHandler>, account: Account | undefined): void {
    const { stanza } = flow;
    if (stanza.type !== "get" && stanza.type !== "set") return;
    const child = stanza.children[0];
    if (!child || stanza.children.length !== 1) return flow.refuse(new StanzaError("bad-request"));
    const handler = table.get(`${stanza.type} ${child.ns} ${child.name}`);
    const payload = handler && stanza.child(child.name, child.ns);
    if (!handler || !payload || !stanza.from) return flow.refuse(new StanzaError("service-unavailable"));
    this.#handle(flow, handler, payload, stanza.from, account);
  }

  #handle(flow: Flow, handler: IqHandler, payload: Element, from: JID, account: Account | undefined): void {
    const { stanza } = flow;
    const own = account !== undefined && from.bare.equals(account.jid);
    const answer = handler({ flow, stanza, payload, from, account, own });
    if (answer === undefined) return;
    if (typeof answer !== "function") return this.#reply(flow, stanza, answer);
    answerLater(flow, stanza, answer, { log: this.#ports.log, send: (late) => this.#sendLate(flow, stanza, late) });
  }

  #reply(flow: Flow, request: Stanza, answer: Answer): void {
    if (answer instanceof StanzaError) flow.refuse(answer);
    else flow.reply(resultOf(request, ...answer));
  }

  /** The lane has gone on: the answer is a flow of its own. */
  #sendLate({ session }: Flow, request: Stanza, answer: Stanza): void {
    if (session && request.from?.equals(session.jid)) session.send(answer);
    else this.#ports.start(new Flow(answer, { kind: "server" }, "received"));
  }
}

/** RFC 6120 §10.3: without a `to`, a message or IQ is for the sender's own account. Presence without one never gets here. */
function addressed(stanza: Stanza, session: Session): Stanza {
  return stanza.to || stanza.kind === "presence"
    ? stanza
    : stanza.readdress(stanza.from ?? session.jid, session.jid.bare);
}

/** False for what an account without a session has no use for, so that it need not be loaded. */
function needsAccount({ kind, type }: Stanza): boolean {
  switch (kind) {
    case "message":
      return type !== "error";
    case "iq":
      return type === "get" || type === "set";
    case "presence":
      return type !== undefined && type !== "unavailable" && type !== "error";
  }
}

/** What is looked after again if nobody takes it at release: messages that are stored then, requests that are always answered. */
function mustArrive({ kind, type }: Stanza): boolean {
  switch (kind) {
    case "message":
      return type === undefined || type === "normal" || type === "chat";
    case "iq":
      return type === "get" || type === "set";
    case "presence":
      return false;
  }
}

function isNonNegative(session: Session): boolean {
  return session.isNonNegative;
}

function isAvailable(session: Session): boolean {
  return session.isAvailable;
}

function verdict(stanza: Stanza, to: JID, account: Account): Verdict {
  const recipient: Recipient = {
    exists: account.exists,
    full: to.resource !== "",
    resourceBound: to.resource !== "" && account.sessions.has(to.resource),
    nonNegative: account.hasNonNegative(),
  };
  switch (stanza.kind) {
    case "message":
      return messageVerdict((stanza.type ?? "normal") as MessageType, recipient);
    case "presence":
      return presenceVerdict(stanza.type, recipient);
    case "iq":
      return iqVerdict(stanza.type, recipient);
  }
}

function compile(features: readonly Feature[], side: "sent" | "received", phases: readonly Phase[]): Compiled {
  const steps = (kind: Kind): Step[] =>
    phases.flatMap((phase) => features.flatMap((feature) => feature[side]?.[kind]?.[phase] ?? []));
  return { message: steps("message"), presence: steps("presence"), iq: steps("iq") };
}

function handlers(features: readonly Feature[], target: "server" | "account"): ReadonlyMap<string, IqHandler> {
  const table = new Map<string, IqHandler>();
  for (const feature of features) {
    for (const [key, handler] of Object.entries(feature.iq?.[target] ?? {})) {
      if (table.has(key)) throw new Error(`two features answer "${key}" for the ${target}`);
      table.set(key, handler);
    }
  }
  return table;
}
