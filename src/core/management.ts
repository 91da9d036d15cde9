// One session's acknowledgements (XEP-0198): what was sent is kept until the client has it, and the client is told how much of what it
// sent is handled, which is never more than what is durable. How that is written on the wire is the feature's business.
import type { StreamError } from "../stanza/errors.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Wire } from "../xml/wire.js";
import type { Clock, Timer } from "./clock.js";
import { type Copy, type CopyLimits, UnacknowledgedCopies } from "./copies.js";
import { late } from "./late.js";
import type { Missed } from "./feature.js";
import type { Log } from "./log.js";
import type { Records } from "./records.js";
import type { Session } from "./session.js";

/** How acknowledgements are written. */
export interface Spelling {
  /** Asks the client how much it has handled. */
  readonly request: Wire;
  /** Tells the client how much is handled. */
  answer(handled: number): Wire;
  /** The session goes on here. */
  resumed(token: string, handled: number): Wire;
  /** The client says that it has handled more than it was sent. */
  tooHigh(h: number, sent: number): StreamError;
}

export interface ManagementPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Longest wait before a request is answered with what is durable so far (`limits.ack_wait`), in ms. */
  readonly ackWaitMs: number;
  readonly queue: CopyLimits;
  readonly records: Pick<Records, "record" | "changed" | "forget">;
}

/** What a client that comes back may name. */
export interface Resumption {
  readonly token: string;
  /** How long the session waits without a stream, in ms. */
  readonly waitMs: number;
}

/** Of a session that began in another process, until its client comes back. */
export interface Inherited {
  /** Both counts are exact; else they are at least what the client was told, and what it has told. */
  readonly isExact: boolean;
  /** What may have been sent, or should have been, beside the copies that are held; undefined: nothing. */
  readonly missed: Missed | undefined;
}

const ASK_EVERY = 16; // stanzas: a fraction of what a client can be sent in a round trip
const MAX_REQUESTS = 64; // of one client that wait for their answers; more are answered at once

/** Of a session that was, in another process. */
export interface Numbers {
  readonly sent: number;
  readonly acknowledged: number;
  readonly handled: number;
}

export class Management {
  /** How the session was to be resumed; undefined: it ends with its stream. */
  readonly resumption: Resumption | undefined;
  readonly copies: UnacknowledgedCopies;
  readonly #session: Session;
  readonly #ports: ManagementPorts;
  readonly #spelling: Spelling;
  #isResumable: boolean;
  inherited: Inherited | undefined;
  #isWaiting = false; // for a stream
  #waitsUntil: number | undefined;
  #unasked = 0; // stanzas sent since the client was asked
  #asked = false; // and has not answered
  #isCurious = false; // something has been sent since that somebody waits for
  #willAsk = false;
  #wasClamped = false;
  /** How much the client had sent at each of its requests. */
  readonly #requests: number[] = [];
  #patience: Timer | undefined;
  /** Answered with less than had been sent: told as soon as it is handled. */
  #owed: number | undefined;
  #durable = 0;
  #recording = false;

  constructor(session: Session, ports: ManagementPorts, spelling: Spelling, resumption: Resumption | undefined) {
    this.#session = session;
    this.#ports = ports;
    this.#spelling = spelling;
    this.resumption = resumption;
    this.#isResumable = resumption !== undefined;
    this.copies = new UnacknowledgedCopies(ports.queue);
    session.lane.whenCounted(() => {
      ports.records.changed(session);
      this.#answer();
    });
  }

  /** The session has no stream. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** When it will have waited long enough, in ms since 1970; undefined while it has a stream. */
  get waitsUntil(): number | undefined {
    return this.#isWaiting ? this.#waitsUntil : undefined;
  }

  /** The session outlives its stream. */
  get isResumable(): boolean {
    return this.#isResumable;
  }

  /** The session ends with its stream, or now if it has none. */
  giveUpResumption(): void {
    if (this.#isResumable) this.#ports.records.forget(this.#session);
    this.#isResumable = false;
  }

  // --- what is sent

  send(copy: Copy): void {
    const dropped = this.copies.add(copy);
    this.#unasked++;
    if (this.#isWaiting) copy.receipt?.parked();
    else this.#pass(copy.stanza);
    if (dropped.length > 0) this.#overflowed(dropped);
  }

  #pass(stanza: Stanza): void {
    if (wantsAnswer(stanza)) this.#askSoon();
    this.#session.sink.send(stanza);
    if (this.#unasked >= ASK_EVERY) this.#ask();
  }

  /** Beyond its limits the session can no longer be resumed; what was sent waits in the log until it is acknowledged. */
  #overflowed(dropped: readonly Copy[]): void {
    for (const { receipt } of dropped) receipt?.parked();
    if (this.#isResumable) this.#ports.log.info({ ev: "sm.queue_full", jid: this.#session.jid.toString() });
    this.giveUpResumption();
    if (this.#isWaiting) this.#session.sink.close();
  }

  /** At the end of this turn, unless the answer to an earlier question is awaited. */
  #askSoon(): void {
    this.#isCurious = true;
    if (this.#asked || this.#willAsk) return;
    this.#willAsk = true;
    this.#ports.clock.soon(() => {
      this.#willAsk = false;
      if (this.#isCurious) this.#ask();
    });
  }

  #ask(): void {
    if (this.#isWaiting || !this.#session.open) return;
    this.#unasked = 0;
    this.#isCurious = false;
    this.#asked = true;
    this.#session.sink.tell(this.#spelling.request);
  }

  /** The client has handled `h` stanzas. Returns why its stream must end, if that cannot be. */
  acknowledged(h: number): StreamError | undefined {
    const before = this.copies.acknowledged;
    const said = this.copies.acknowledge(h, this.#session.sentBefore, ({ receipt }) => receipt?.arrived());
    if (said === "too-high") return this.#spelling.tooHigh(h, this.copies.sent);
    if (said === "clamped" && !this.#wasClamped) {
      this.#wasClamped = true;
      this.#ports.log.info({ ev: "sm.clamped", jid: this.#session.jid.toString(), h, sent: this.copies.sent });
    }
    this.#asked = false;
    if (this.copies.outstanding === 0) this.#unasked = 0;
    this.#isCurious &&= this.copies.outstanding > 0;
    if (this.#isCurious && !this.#isWaiting) this.#askSoon();
    if (this.copies.acknowledged !== before) this.#ports.records.changed(this.#session);
    return undefined;
  }

  // --- what is received (rulings 4)

  /** The client asks how much is handled. */
  requested(): void {
    this.#requests.push(this.#session.lane.accepted);
    if (this.#requests.length > MAX_REQUESTS) return this.#answerAll();
    this.#patience ??= this.#ports.clock.after(this.#ports.ackWaitMs, () => this.#answerAll());
    this.#answer();
  }

  /** Answers the requests of which everything is handled and, where that must be, recorded. */
  #answer(): void {
    const wanted = this.#requests[0] ?? this.#owed;
    const { handled } = this.#session.lane;
    if (wanted === undefined || this.#isWaiting || isBefore(handled, wanted)) return;
    if (this.#durable !== handled && !this.#record(handled)) return;
    while (this.#requests[0] !== undefined && !isBefore(handled, this.#requests[0])) {
      this.#requests.shift();
      this.#tell();
    }
    if (this.#owed !== undefined && !isBefore(handled, this.#owed)) this.#tell();
    if (this.#requests.length > 0) return;
    this.#patience?.cancel();
    this.#patience = undefined;
  }

  /** With what is durable so far; what was asked for follows. */
  #answerAll(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    if (this.#isWaiting) return;
    const all = this.#requests.splice(0);
    for (let n = 0; n < all.length; n++) this.#tell();
    const last = all.at(-1);
    if (last !== undefined && isBefore(this.#durable, last)) this.#owed = last;
    this.#answer();
  }

  #tell(): void {
    this.#session.sink.tell(this.#spelling.answer(this.#durable));
    if (this.#owed !== undefined && !isBefore(this.#durable, this.#owed)) this.#owed = undefined;
  }

  /** False while it is being recorded; what is answered then goes on from there. */
  #record(handled: number): boolean {
    if (this.#recording) return false;
    const recording = this.#ports.records.record(this.#session);
    if (!recording) {
      this.#durable = handled;
      return true;
    }
    this.#recording = true;
    void recording.then((done) => {
      this.#recording = false;
      if (done) this.#answer();
    });
    return false;
  }

  /** So much is on record, and the client may be told. */
  recorded(handled: number): void {
    if (isBefore(this.#durable, handled)) this.#durable = handled;
  }

  // --- between streams

  /** Begins with the numbers of a session that was, in another process. */
  continueAt({ sent, acknowledged, handled }: Numbers, inherited?: Inherited): void {
    this.copies.continueAt(sent, acknowledged);
    this.#session.lane.continueAt(handled);
    this.#durable = handled;
    this.inherited = inherited;
  }

  /** The client is back and has handled `h`. "behind": what comes after that is no longer held. */
  returned(h: number): StreamError | "behind" | undefined {
    if (this.copies.isBehind(h)) return "behind";
    if (!this.inherited || this.inherited.isExact) return this.acknowledged(h);
    this.copies.rebase(h); // what it had beyond the record is its word alone
    return undefined;
  }

  /** Makes durable what the client will be told, and that it has come back. False if that cannot be. */
  async settle(): Promise<boolean> {
    const { handled } = this.#session.lane;
    if (!this.inherited && this.#durable === handled) return true;
    const { inherited } = this;
    this.inherited = undefined;
    const isDone = (await this.#ports.records.record(this.#session)) !== false;
    if (!isDone) this.inherited = inherited;
    return isDone;
  }

  /** The stream has gone, the session stays. */
  wait(until: number): void {
    this.#isWaiting = true;
    this.#waitsUntil = until;
    this.#ports.records.changed(this.#session);
    this.#stop();
    for (const { receipt } of [...this.copies]) receipt?.parked();
  }

  /** The session goes on with a stream: the client is told what is handled, and sent again what it has not acknowledged. */
  goOn(token: string): void {
    const { sink, lane, jid } = this.#session;
    this.#isWaiting = false;
    this.#ports.records.changed(this.#session);
    sink.tell(this.#spelling.resumed(token, lane.handled));
    for (const { stanza, receipt } of [...this.copies])
      sink.send(receipt ? late(stanza, receipt.entry, jid.domain) : stanza);
    this.#unasked = this.copies.outstanding;
    if (this.#unasked > 0) this.#askSoon();
  }

  /** The session has ended: what was not acknowledged. */
  leaveBehind(): readonly Copy[] {
    this.#isWaiting = true;
    this.#stop();
    return this.copies.clear();
  }

  #stop(): void {
    this.#patience?.cancel();
    this.#patience = this.#owed = undefined;
    this.#requests.length = 0;
    this.#asked = this.#isCurious = false;
    this.#unasked = 0;
  }
}

/** Somebody waits for it to arrive: the client is asked before the server goes quiet. Of the rest it is asked now and then. */
function wantsAnswer({ kind, type }: Stanza): boolean {
  return kind === "message" || (kind === "iq" && (type === "get" || type === "set"));
}

/** On the circle of 2^32 numbers. */
function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}
