// Acts out what a flow decided, once it is durable: picks the sessions, sends, answers, or turns a failed commit into an error.
import { errorOf } from "../stanza/build.js";
import { StanzaError, StreamError } from "../stanza/errors.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Outcome } from "../storage/writes.js";
import type { Account } from "./account.js";
import type { Receipt } from "./copies.js";
import { Custody } from "./custody.js";
import type { Keeper } from "./deferred.js";
import { type Effect, Flow } from "./flow.js";
import type { Log } from "./log.js";
import type { Order } from "./order.js";
import { holdFor, releaseFor } from "./owner.js";
import type { Session } from "./session.js";

export interface ReleasePorts {
  readonly log: Log;
  readonly keeper: Keeper;
  readonly order: Order;
  /** Starts a flow of the server's own. */
  readonly start: (flow: Flow) => void;
}

export class Release {
  readonly #ports: ReleasePorts;
  readonly #custody: Custody;

  constructor(ports: ReleasePorts) {
    this.#ports = ports;
    this.#custody = new Custody(ports);
  }

  /** For a copy of a log entry that another process sent. */
  takeOver(...copy: Parameters<Custody["takeOver"]>): Receipt {
    return this.#custody.takeOver(...copy);
  }

  /** Writes the flow's deferred entries of which nobody has the stanza yet. */
  keep(flow: Flow): void {
    for (const entry of flow.deferred ?? []) void entry.keep(this.#ports.keeper);
  }

  /** Keeps what a flow changed in memory until `committed`, or `letGo` if there is nothing to commit. */
  hold(flow: Flow): void {
    holdFor(flow);
  }

  letGo(flow: Flow): void {
    releaseFor(flow);
  }

  committed(flow: Flow, outcome: Outcome): void {
    this.letGo(flow);
    switch (outcome) {
      case "done":
        return;
      case "conflict":
        return flow.fail(flow.conflict ?? new StanzaError("conflict"), "store");
      case "refused":
        return flow.fail(new StanzaError("resource-constraint", "wait"), "store");
      case "unknown":
        return flow.fail(new StanzaError("resource-constraint", "wait"), "unknown");
      default:
        outcome satisfies never;
    }
  }

  /** Does what the flow decided. False if its stanza does not count as handled, and the stream has been closed for it. */
  act(flow: Flow): boolean {
    const { failure } = flow;
    const counts = failure ? this.#fail(flow, failure) : true;
    if (!failure) for (const effect of flow.effects) this.#doSafely(effect);
    for (const run of flow.over) this.#safely(() => run(failure));
    return counts;
  }

  /** One effect that fails is our mistake, and no reason to keep the others back. */
  #doSafely(effect: Effect): void {
    try {
      this.#do(effect);
    } catch (error) {
      this.#ports.log.error({ ev: "core.release_failed", err: error });
    }
  }

  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ports.log.error({ ev: "core.release_failed", err: error });
    }
  }

  /**
   * Rulings 7, engineering 4: what was not stored is answered with the error. What may not be answered, or may have been stored all
   * the same, is not counted, and the stream ends, so that the client sends it again. Where a step throws, that would never end.
   */
  #fail(flow: Flow, failure: StanzaError): boolean {
    if (flow.isPart) return true; // who waits for it answers
    const answer = flow.cause === "unknown" ? undefined : answerTo(flow, failure);
    if (answer) this.#tellSender(flow, answer);
    else if (flow.cause !== "bug")
      this.#safely(() => flow.session?.sink.close(new StreamError("internal-server-error")));
    return answer !== undefined || flow.cause === "bug";
  }

  #tellSender({ session, root }: Flow, answer: Stanza): void {
    if (session)
      this.#safely(() => session.overtake(answer)); // what comes after it, an answer to a ping say, would seem to confirm it
    else if (root.from) this.#ports.start(new Flow(answer, { kind: "server" }, "received"));
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "session":
        return this.#inTurn(effect.session.account, effect.stanza, () => this.#toSession(effect));
      case "account":
        return this.#inTurn(effect.account, effect.stanza, () => this.#toAccount(effect));
      case "run":
        return effect.run();
      default:
        effect satisfies never;
    }
  }

  /** Messages wait for those of their sender that were sent before. */
  #inTurn(account: Account, stanza: Stanza | ((session: Session) => Stanza), act: () => void): void {
    if (typeof stanza === "function" || stanza.kind !== "message") return act();
    this.#custody.inTurn(account, stanza, () => this.#safely(act));
  }

  #toSession({ session, stanza, entry, again = false }: Extract<Effect, { kind: "session" }>): void {
    if (session.open) this.#custody.give(session, stanza, entry, again);
    else if (entry) this.#custody.lost({ entry, stanza, session });
    else if (again) this.#custody.unclaimed(session.account, stanza, entry, again);
  }

  #toAccount({ account, stanza, pick, entry, again = false }: Extract<Effect, { kind: "account" }>): void {
    let first: Session | undefined;
    let several = false;
    const of = typeof stanza === "function" ? stanza : (): Stanza => stanza;
    for (const session of account.sessions.values()) {
      if (!session.open || !pick(session) || (entry && entry.id !== 0 && entry.id <= session.readUpTo)) continue;
      if (first) this.#custody.give(session, of(session), entry, false);
      several = first !== undefined;
      first ??= session;
    }
    if (first) this.#custody.give(first, of(first), entry, again && !several);
    else if (typeof stanza !== "function") this.#custody.unclaimed(account, stanza, entry, again);
  }
}

function answerTo({ root, isRequest }: Flow, failure: StanzaError): Stanza | undefined {
  return root.kind === "presence" && !isRequest && !isSubscription(root) ? undefined : errorOf(root, failure);
}

function isSubscription({ type }: Stanza): boolean {
  return type === "subscribe" || type === "subscribed" || type === "unsubscribe" || type === "unsubscribed";
}
