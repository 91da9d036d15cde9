// What a stanza causes. Steps and handlers only add to it (writes, changes of accounts, deliveries, answers); the core commits and acts.
import type { StanzaError } from "../stanza/errors.js";
import { errorOf } from "../stanza/build.js";
import type { Stanza } from "../stanza/stanza.js";

import type { Entry, Write } from "../storage/writes.js";
import type { Account } from "./account.js";
import { Deferred } from "./deferred.js";
import type { Verdict } from "./delivery.js";
import type { Owner } from "./owner.js";
import type { Session } from "./session.js";

/** Who caused it: a session of ours, another domain, or the server itself. */
export type Origin =
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "remote"; readonly domain: string }
  | { readonly kind: "server" };

/** A change of an account or a room: how memory changes now, and the writes that make it durable. */
export interface Change {
  readonly owner: Owner;
  readonly writes: readonly Write[];
  /** Applied to memory at once, so that later decisions see it. */
  effect(): void;
}

/** An append to a log, whose id is given when its unit enters the batch (strictly rising in commit order). */
export interface Append {
  readonly op: "append";
  readonly owner: string;
  id: number;
  readonly entry: Entry;
  /** What the owner's own copies of the stanza carry, once the id is known (XEP-0359). Applied at release. */
  readonly stamp?: Stamp | undefined;
}

/** Marks a stanza with the id of its log entry. */
export type Stamp = (stanza: Stanza, id: number) => Stanza;

/** Something to do once everything is durable. */
export type Effect =
  | {
      readonly kind: "session";
      readonly session: Session;
      readonly stanza: Stanza;
      readonly entry?: Append | undefined;
      /** If the session has gone by then, it is decided anew. */
      readonly again?: boolean;
    }
  | {
      readonly kind: "account";
      readonly account: Account;
      readonly stanza: Stanza | ((session: Session) => Stanza);
      readonly pick: (session: Session) => boolean;
      readonly entry?: Append | undefined;
      /** If no session takes it, it is decided anew. */
      readonly again?: boolean;
    }
  | { readonly kind: "run"; readonly run: () => void };

/** A stanza on its way through a flow. `sent`: from a session of ours, the sender's phases come first. */
export interface Hop {
  readonly stanza: Stanza;
  readonly side: "sent" | "received";
}

export class Flow {
  readonly origin: Origin;
  /** The stanza the flow began with; errors of the commit answer this one. */
  readonly root: Stanza;
  /** The stanza of the hop being decided. */
  stanza: Stanza;
  /** What the delivery table said about it; known from the phase `store` on. */
  verdict: Verdict | undefined;
  /** The log entry that keeps the current hop's stanza, if a step made one. */
  entry: Append | undefined;
  /** There is no room for the current hop's stanza to wait: whoever is addressed gets it, and no other device later. */
  isLiveOnly = false;
  /** The entry that keeps the stanza for its sender, if a step made one. */
  own: Append | undefined;
  readonly hops: Hop[];
  /** The next hop to decide. */
  at = 0;
  readonly writes: (Write | Append)[] = [];
  /** Entries that are written only if nobody has their stanzas in time. */
  deferred: Deferred[] | undefined;
  readonly effects: Effect[] = [];
  /** What it changed, with the generation at that time. */
  readonly touched = new Map<Owner, number>();
  /** Those of them that are kept in memory for it until its commit. */
  readonly held = new Set<Owner>();
  readonly over: ((failure: StanzaError | undefined) => void)[] = [];
  /** Set when nothing of what was decided may happen. */
  failure: StanzaError | undefined;
  /** Why it failed: a step threw, the store did not take it, or nobody can say whether the store has it. */
  cause: "bug" | "store" | "unknown" | undefined;
  /** Set on a flow that another one waits for: that one answers if it fails. */
  isPart = false;
  /** Set where even presence is answered with the error: it wants something of somebody (XEP-0045 "Entering a Room"). */
  isRequest = false;
  #parts = 0;
  #whenWhole: (() => void) | undefined;
  /** Answer when a conditional write (ifAbsent, ifVersion) did not hold; `conflict` unless a step says otherwise. */
  conflict: StanzaError | undefined;

  constructor(root: Stanza, origin: Origin, side: Hop["side"]) {
    this.root = root;
    this.stanza = root;
    this.origin = origin;
    this.hops = [{ stanza: root, side }];
  }

  /** The session that sent the flow's first stanza, if it was one of ours. */
  get session(): Session | undefined {
    return this.origin.kind === "session" ? this.origin.session : undefined;
  }

  /** A durable write that changes nothing held in memory. */
  write(write: Write): void {
    this.writes.push(write);
  }

  /** Appends the entry to the owner's log; the returned append knows its id once its batch is under way. */
  append(owner: string, entry: Entry, stamp?: Stamp): Append {
    const append: Append = { op: "append", owner, id: 0, entry, stamp };
    const at = this.own ? this.writes.lastIndexOf(this.own) : -1;
    this.writes.splice(at < 0 ? this.writes.length : at, 0, append);
    return append;
  }

  /**
   * Appends the sender's own entry, in place of one made before. It stays behind all others: a stanza sent again is recognised by it, so
   * it must not be there without what was written for the recipient (rulings 11; not every store writes a unit all at once).
   */
  appendOwn(owner: string, entry: Entry): void {
    this.#disown();
    this.own = this.append(owner, entry);
  }

  #disown(): void {
    if (!this.own) return;
    this.writes.splice(this.writes.lastIndexOf(this.own), 1);
    this.own = undefined;
  }

  /**
   * An entry that is written only if needed (engineering 3): not while its stanza is on its way to a session that is there. `make` is
   * called when it must be written, and returns a hidden, pending entry; `also`: what is written behind it then, in the same unit.
   */
  defer(owner: string, make: () => Entry, stamp?: Stamp, also?: () => readonly Append[]): Deferred {
    const append = new Deferred(owner, make, stamp, also);
    (this.deferred ??= []).push(append);
    return append;
  }

  /** Changes an account or a room: in memory at once, in the store with this flow. */
  apply(change: Change): void {
    if (!this.touched.has(change.owner)) this.touched.set(change.owner, change.owner.generation);
    this.writes.push(...change.writes);
    change.effect();
  }

  /** Sends to those sessions of an account that `pick` accepts; they are picked at release. */
  deliver(
    account: Account,
    stanza: Stanza | ((session: Session) => Stanza),
    pick: (session: Session) => boolean,
  ): void {
    this.effects.push({ kind: "account", account, stanza, pick });
  }

  /** Sends to one session, if it is still open at release. */
  push(session: Session, stanza: Stanza): void {
    this.effects.push({ kind: "session", session, stanza });
  }

  /** Sends a further stanza on its way to its `to`, through the recipient's phases, within this flow. */
  route(stanza: Stanza): void {
    this.hops.push({ stanza, side: "received" });
  }

  /** Answers the current stanza: to the session it came from, else to its sender's address. */
  reply(answer: Stanza): void {
    const session = this.session;
    if (session && this.stanza.from?.equals(session.jid)) this.push(session, answer);
    else this.route(answer);
  }

  /** Refuses the current stanza; stanzas that may not be answered are dropped. */
  refuse(error: StanzaError): void {
    // What is refused for now, or as wrong in itself, was never sent. What cannot be delivered stays in the sender's log (rulings 19).
    if (error.type === "wait" || error.type === "modify") this.#disown();
    const answer = errorOf(this.stanza, error);
    if (answer) this.reply(answer);
  }

  fail(failure: StanzaError, cause: "bug" | "store" | "unknown"): void {
    this.failure = failure;
    this.cause = cause;
  }

  /** Fails before the commit: what memory holds of it is not in the store. */
  abandon(failure: StanzaError, cause: "bug" | "store"): void {
    this.fail(failure, cause);
    this.writes.length = 0;
    this.deferred = undefined;
    for (const owner of this.touched.keys()) owner.invalidate();
  }

  /**
   * Has a flow of another lane do a part of it: this one is over, and what its peer sent is counted, only when that one is, and it fails
   * as that one does. To be called before that one starts.
   */
  await(part: Flow): void {
    this.#parts++;
    part.isPart = true;
    part.whenOver((failure) => {
      this.#parts--;
      if (failure && !this.failure) this.fail(failure, part.cause ?? "bug");
      if (this.isWhole) this.#whenWhole?.();
    });
  }

  /** None of its parts is under way. */
  get isWhole(): boolean {
    return this.#parts === 0;
  }

  /** Calls back when the parts that are under way now are over. */
  whenWhole(callback: () => void): void {
    this.#whenWhole = callback;
  }

  /** Replaces the current stanza for the steps that follow and for delivery. */
  replace(stanza: Stanza): void {
    this.stanza = stanza;
  }

  /** Runs once the flow has been released or has failed, whichever comes: for what must be let go in any case. */
  whenOver(run: (failure: StanzaError | undefined) => void): void {
    this.over.push(run);
  }

  /** Runs once the flow is durable and released, in order with its deliveries. */
  atRelease(run: () => void): void {
    this.effects.push({ kind: "run", run });
  }
}
