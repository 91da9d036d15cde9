// Acts out what a flow decided, once it is durable: picks the sessions, sends, answers, or turns a failed commit into an error.
import { errorOf } from "../stanza/build.js";
import { StanzaError, StreamError } from "../stanza/errors.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Outcome } from "../storage/writes.js";
import type { Accounts } from "./accounts.js";
import type { Append, Effect, Flow } from "./flow.js";
import type { Log } from "./log.js";
import type { Session } from "./session.js";

export interface ReleasePorts {
  readonly accounts: Accounts;
  readonly log: Log;
  /** A copy of a log entry left the process on its way to a device that may have it: the entry needs no further delivery. */
  readonly delivered: (entry: Append) => void;
}

export class Release {
  readonly #ports: ReleasePorts;

  constructor(ports: ReleasePorts) {
    this.#ports = ports;
  }

  /** Keeps the accounts a flow changed in memory until `committed`, or `letGo` if there is nothing to commit. */
  hold(flow: Flow): void {
    this.#ports.accounts.holdFor(flow);
  }

  letGo(flow: Flow): void {
    this.#ports.accounts.releaseFor(flow);
  }

  committed(flow: Flow, outcome: Outcome): void {
    this.letGo(flow);
    switch (outcome) {
      case "done":
        return;
      case "conflict":
        flow.failure = flow.conflict ?? new StanzaError("conflict");
        return;
      case "refused":
      case "unknown":
        flow.failure = new StanzaError("resource-constraint", "wait");
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Does what the flow decided. False if its stanza does not count as handled (rulings: a refused commit that may not be answered). */
  act(flow: Flow): boolean {
    const { failure } = flow;
    const counts = failure ? this.#fail(flow, failure) : true;
    if (!failure) for (const effect of flow.effects) this.#safely(() => this.#do(effect));
    for (const run of flow.over) this.#safely(() => run(failure));
    return counts;
  }

  /** One effect that fails is our mistake, and no reason to keep the others back. */
  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ports.log.error({ ev: "core.release_failed", err: error });
    }
  }

  #fail(flow: Flow, failure: StanzaError): boolean {
    const session = flow.session;
    const answer = errorOf(flow.root, failure);
    const mayAnswer = answer && (flow.root.kind !== "presence" || isSubscription(flow.root));
    if (mayAnswer) session?.send(answer);
    else session?.sink.close(new StreamError("internal-server-error"));
    return mayAnswer === true;
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "session":
        return this.#toSession(effect.session, effect.stanza, effect.entry, effect.missed);
      case "account":
        return this.#toAccount(effect);
      case "run":
        return effect.run();
      default:
        effect satisfies never;
    }
  }

  #toSession(session: Session, stanza: Stanza, entry?: Append, missed?: () => void): void {
    if (!session.open) return missed?.();
    session.send(stanza);
    if (entry) this.#watch(session, entry);
  }

  #toAccount({ account, stanza, pick, entry, missed }: Extract<Effect, { kind: "account" }>): void {
    let sent = false;
    for (const session of account.sessions.values()) {
      if (!session.open || !pick(session) || (entry && entry.id <= session.readUpTo)) continue;
      session.send(typeof stanza === "function" ? stanza(session) : stanza);
      if (entry) this.#watch(session, entry);
      sent = true;
    }
    if (!sent) missed?.();
  }

  /** The entry is delivered once one non-negative session has drained it (rulings 2). */
  #watch(session: Session, entry: Append): void {
    if (!entry.entry.pending || !session.isNonNegative) return;
    session.sink.drained((sent) => {
      if (sent) this.#ports.delivered(entry);
    });
  }
}

function isSubscription({ type }: Stanza): boolean {
  return type === "subscribe" || type === "subscribed" || type === "unsubscribe" || type === "unsubscribed";
}
