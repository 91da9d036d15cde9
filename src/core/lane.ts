// One session's stanzas take effect in arrival order: they are decided one after the other, committed together, released and counted in order.
import type { Outcome } from "../storage/writes.js";
import type { Clock, Timer } from "./clock.js";
import type { Committer } from "./committer.js";
import { Flow, type Origin } from "./flow.js";
import type { Release } from "./release.js";
import { presence } from "../stanza/build.js";
import type { Stanza } from "../stanza/stanza.js";

export interface LaneLimits {
  /** Stanzas decided or waiting but not yet released (`limits.inflight_stanzas`). */
  readonly stanzas: number;
  /** Their bytes (`limits.inflight_bytes`). */
  readonly bytes: number;
}

/** Decides a flow, at once (undefined) or when what it needs has been loaded. Never throws or rejects. */
export interface Decider {
  decide(flow: Flow): Promise<void> | undefined;
}

/** What a lane needs of the core. */
export interface LanePorts {
  readonly pipeline: Decider;
  readonly committer: Committer;
  readonly release: Release;
  readonly limits: LaneLimits;
  readonly clock: Clock;
  /** How long a stanza that nobody has yet may go uncounted before it is written (`limits.ack_wait`), in ms. */
  readonly ackWaitMs: number;
}

/** Told when the lane has too much in flight, and when it is below half again. */
export interface Pressure {
  pause(): void;
  resume(): void;
}

interface Passenger {
  readonly flow: Flow;
  /** The peer sent it, and is told how many of these were handled. */
  counts: boolean;
  readonly bytes: number;
  /** What it waits for: its commit, its parts in other lanes. */
  waits: number;
}

interface Unproven {
  readonly flow: Flow;
  /** When its time is up, in ms since 1970. */
  readonly due: number;
}

const MAX_UNPROVEN = 1024; // stanzas that are not counted yet; for more nobody is waited for

export class Lane {
  #handled = 0;
  #accepted = 0;
  #isManaged = false;
  #whenCounted: (() => void) | undefined;
  /** Released, in order, but not counted: whether anybody has what they carry, or the store, is not known yet (engineering 3). */
  readonly #unproven: Unproven[] = [];
  #patience: Timer | undefined;
  #whenIdle: (() => void)[] = [];
  #whenAnswered: (() => void)[] = [];
  readonly #ports: LanePorts;
  readonly #origin: Origin;
  readonly #pressure: Pressure | undefined;
  /** In order: released from the front once settled. */
  readonly #inFlight: Passenger[] = [];
  /** Arrived while an earlier one waits for a cold account. */
  #waiting: Passenger[] = [];
  #deciding = false;
  /** Waits for a cold account. */
  #now: Passenger | undefined;
  #bytes = 0;
  /** Answers that are being worked on after their requests were released. */
  #answers = 0;
  #paused = false;
  #awaitsRelief = false;
  /** A stanza was not counted: none after it may be. */
  #broken = false;

  /** `pressure`: none for flows of the server's own, which nobody can be kept from sending. */
  constructor(ports: LanePorts, origin: Origin, pressure: Pressure | undefined) {
    this.#ports = ports;
    this.#origin = origin;
    this.#pressure = pressure;
  }

  /** Stanzas of the peer whose effects are durable and released; XEP-0198's `h`. */
  get handled(): number {
    return this.#handled;
  }

  /** Stanzas the peer has sent, as far as they are to be counted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** A log position up to which everything that is for a session of this server has been released to it. */
  get position(): number {
    return this.#ports.committer.position;
  }

  /** The peer is not to be read: it has too much in flight. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** From here on the peer is told how many stanzas were handled: those that come now (XEP-0198 "Acks"). */
  count(): void {
    this.#isManaged = true;
    for (const passenger of [...this.#inFlight, ...this.#waiting]) passenger.counts = false;
    if (this.#now) this.#now.counts = false;
    this.continueAt(0);
  }

  /** As many have been handled, by another process. */
  continueAt(handled: number): void {
    this.#handled = this.#accepted = handled >>> 0;
    this.#isManaged = true;
  }

  /** Calls back each time that more is handled. */
  whenCounted(callback: () => void): void {
    this.#whenCounted = callback;
  }

  /** Resolves when all that has come is released, and counted if it will ever be. Nobody is waited for longer than the store takes. */
  idle(): Promise<void> {
    for (const { flow } of this.#unproven) this.#ports.release.keep(flow);
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Resolves when no request is left that is being answered. */
  answered(): Promise<void> {
    if (this.#answers === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenAnswered.push(resolve));
  }

  /** The peer knows what was not counted, and sends it again. */
  mend(): void {
    this.#broken = false;
    this.#accepted = this.#handled;
  }

  /** Stanzas accepted and not yet released, and answers not yet given. */
  get depth(): number {
    return this.#inFlight.length + this.#waiting.length + this.#answers;
  }

  /** A stanza the session sent: through the sender's phases first. */
  accept(stanza: Stanza): void {
    if (!this.#broken) this.#board(new Flow(stanza, this.#origin, "sent"), true);
  }

  /** A stanza that could not be read: `act` answers it in its turn, and it is handled. */
  acceptUnreadable(act: () => void): void {
    if (this.#broken) return;
    const flow = new Flow(UNREADABLE, this.#origin, "sent");
    flow.at = flow.hops.length;
    flow.atRelease(act);
    this.#board(flow, true);
  }

  /** A flow the server itself starts in this lane's order. */
  run(flow: Flow): void {
    this.#board(flow, false);
  }

  /** An answer to a stanza that has been released is being worked on, until `answerEnds`. */
  answerBegins(): void {
    this.#answers++;
    this.#checkPressure();
  }

  answerEnds(): void {
    this.#answers--;
    if (this.#answers === 0) for (const resolve of this.#whenAnswered.splice(0)) resolve();
    this.#checkPressure();
  }

  #board(flow: Flow, counts: boolean): void {
    const passenger: Passenger = { flow, counts, bytes: flow.root.size, waits: 0 };
    this.#bytes += passenger.bytes;
    if (counts) this.#accepted = (this.#accepted + 1) >>> 0;
    if (this.#deciding || this.#waiting.length > 0) this.#waiting.push(passenger);
    else {
      this.#decide(passenger);
      this.#decideWaiting();
    }
    this.#checkPressure();
  }

  /** What the decision itself brings into this lane waits for its turn. */
  #decide(passenger: Passenger): void {
    this.#deciding = true;
    this.#now = passenger;
    const parked = this.#ports.pipeline.decide(passenger.flow);
    if (!parked) return this.#decidedNow(passenger);
    void parked.then(() => {
      this.#decidedNow(passenger);
      this.#decideWaiting();
      this.#checkPressure();
    });
  }

  #decidedNow(passenger: Passenger): void {
    this.#deciding = false;
    this.#now = undefined;
    this.#decided(passenger);
  }

  #decideWaiting(): void {
    while (!this.#deciding) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#decide(next);
    }
  }

  #decided(passenger: Passenger): void {
    const { flow } = passenger;
    const commits = !flow.failure && (flow.writes.length > 0 || flow.touched.size > 0);
    if (flow.failure) this.#ports.release.letGo(flow);
    if (!commits && flow.isWhole && this.#inFlight.length === 0) return this.#leave(passenger);
    this.#inFlight.push(passenger);
    if (!flow.isWhole) this.#awaitParts(passenger);
    if (commits) this.#commit(passenger);
  }

  #awaitParts(passenger: Passenger): void {
    passenger.waits++;
    passenger.flow.whenWhole(() => this.#settled(passenger));
  }

  #commit(passenger: Passenger): void {
    const { flow } = passenger;
    passenger.waits++;
    this.#ports.release.hold(flow);
    this.#ports.committer.enqueue({
      writes: flow.writes,
      touched: flow.touched,
      done: (outcome) => this.#committed(passenger, outcome),
    });
  }

  #committed(passenger: Passenger, outcome: Outcome): void {
    this.#ports.release.committed(passenger.flow, outcome);
    this.#settled(passenger);
  }

  #settled(passenger: Passenger): void {
    passenger.waits--;
    while (this.#inFlight[0]?.waits === 0) {
      const first = this.#inFlight.shift();
      if (first) this.#leave(first);
    }
  }

  #leave(passenger: Passenger): void {
    this.#bytes -= passenger.bytes;
    if (!this.#ports.release.act(passenger.flow)) this.#break();
    else if (passenger.counts && !this.#broken) this.#released(passenger.flow);
    this.#checkPressure();
    this.#checkIdle();
  }

  /** Counts it, unless something before it, or it itself, rests with a session that has not got it yet. */
  #released(flow: Flow): void {
    if (!this.#isManaged) this.#handled = (this.#handled + 1) >>> 0;
    else if (this.#unproven.length === 0 && isProven(flow)) this.#counted();
    else this.#awaitProof(flow);
  }

  #awaitProof(flow: Flow): void {
    const { clock, ackWaitMs, release } = this.#ports;
    this.#unproven.push({ flow, due: clock.now() + ackWaitMs });
    for (const entry of flow.deferred ?? []) entry.whenSettled(() => this.#proven());
    if (this.#unproven.length > MAX_UNPROVEN && this.#unproven[0]) release.keep(this.#unproven[0].flow);
    this.#patience ??= clock.after(ackWaitMs, () => this.#outOfPatience());
  }

  #proven(): void {
    while (this.#unproven[0] && isProven(this.#unproven[0].flow)) {
      this.#unproven.shift();
      this.#counted();
    }
    if (this.#unproven.length > 0) return;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#checkIdle();
  }

  #counted(): void {
    this.#handled = (this.#handled + 1) >>> 0;
    this.#whenCounted?.();
  }

  /** Should the store not take them, the next round tries again. */
  #outOfPatience(): void {
    const { clock, ackWaitMs, release } = this.#ports;
    const now = clock.now();
    this.#patience = undefined;
    for (const { flow, due } of [...this.#unproven]) if (due <= now) release.keep(flow);
    const next = this.#unproven.find(({ due }) => due > now)?.due ?? now + ackWaitMs;
    if (this.#unproven.length > 0) this.#patience = clock.after(next - now, () => this.#outOfPatience());
  }

  get #isIdle(): boolean {
    return !this.#deciding && this.#inFlight.length === 0 && this.#waiting.length === 0 && this.#unproven.length === 0;
  }

  #checkIdle(): void {
    if (this.#whenIdle.length > 0 && this.#isIdle) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** The peer will send again all that is not counted: what has not been decided yet is left to that. */
  #break(): void {
    this.#broken = true;
    this.#waiting = this.#waiting.filter(({ counts, bytes }) => {
      if (counts) this.#bytes -= bytes;
      return !counts;
    });
  }

  #checkPressure(): void {
    if (!this.#pressure) return;
    const { committer, limits } = this.#ports;
    if (committer.isFull) this.#awaitRelief();
    const over = this.depth > limits.stanzas || this.#bytes > limits.bytes || this.#awaitsRelief;
    if (over && !this.#paused) {
      this.#paused = true;
      this.#pressure.pause();
    } else if (this.#paused && !over && this.depth <= limits.stanzas / 2 && this.#bytes <= limits.bytes / 2) {
      this.#paused = false;
      this.#pressure.resume();
    }
  }

  /** The store has more to do than the limit of the whole server allows. */
  #awaitRelief(): void {
    if (this.#awaitsRelief) return;
    this.#awaitsRelief = true;
    this.#ports.committer.whenRelieved(() => {
      this.#awaitsRelief = false;
      this.#checkPressure();
    });
  }
}

/** Stands for a stanza that could not be read. */
const UNREADABLE = presence({});

function isProven({ deferred }: Flow): boolean {
  return deferred === undefined || deferred.every((entry) => entry.isSettled);
}
