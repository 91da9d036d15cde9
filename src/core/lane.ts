// One session's stanzas take effect in arrival order: they are decided one after the other, committed together, released and counted in order.
import type { Outcome } from "../storage/writes.js";
import type { Committer } from "./committer.js";
import { Flow, type Origin } from "./flow.js";
import type { Pipeline } from "./pipeline.js";
import type { Release } from "./release.js";
import type { Stanza } from "../stanza/stanza.js";

export interface LaneLimits {
  /** Stanzas decided or waiting but not yet released (`limits.inflight_stanzas`). */
  readonly stanzas: number;
  /** Their bytes (`limits.inflight_bytes`). */
  readonly bytes: number;
}

/** What a lane needs of the core. */
export interface LanePorts {
  readonly pipeline: Pipeline;
  readonly committer: Committer;
  readonly release: Release;
  readonly limits: LaneLimits;
}

/** Told when the lane has too much in flight, and when it is below half again. */
export interface Pressure {
  pause(): void;
  resume(): void;
}

interface Passenger {
  readonly flow: Flow;
  /** The peer sent it, and is told how many of these were handled. */
  readonly counts: boolean;
  readonly bytes: number;
  settled: boolean;
}

export class Lane {
  /** Stanzas of the peer whose effects are durable and released; XEP-0198's `h`. */
  handled = 0;
  readonly #ports: LanePorts;
  readonly #origin: Origin;
  readonly #pressure: Pressure | undefined;
  /** In order: released from the front once settled. */
  readonly #inFlight: Passenger[] = [];
  /** Arrived while an earlier one waits for a cold account. */
  #waiting: Passenger[] = [];
  #deciding = false;
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

  /** Stanzas accepted and not yet released, and answers not yet given. */
  get depth(): number {
    return this.#inFlight.length + this.#waiting.length + this.#answers;
  }

  /** A stanza the session sent: through the sender's phases first. */
  accept(stanza: Stanza): void {
    if (!this.#broken) this.#board(new Flow(stanza, this.#origin, "sent"), true);
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
    this.#checkPressure();
  }

  #board(flow: Flow, counts: boolean): void {
    const passenger: Passenger = { flow, counts, bytes: flow.root.size, settled: false };
    this.#bytes += passenger.bytes;
    if (this.#deciding || this.#waiting.length > 0) this.#waiting.push(passenger);
    else this.#decide(passenger);
    this.#checkPressure();
  }

  #decide(passenger: Passenger): void {
    const parked = this.#ports.pipeline.decide(passenger.flow);
    if (!parked) return this.#decided(passenger);
    this.#deciding = true;
    void parked.then(() => {
      this.#deciding = false;
      this.#decided(passenger);
      this.#decideWaiting();
      this.#checkPressure();
    });
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
    if (flow.failure) this.#ports.release.letGo(flow);
    if (flow.failure || (flow.writes.length === 0 && flow.touched.size === 0)) {
      passenger.settled = true;
      if (this.#inFlight.length === 0) return this.#leave(passenger);
      this.#inFlight.push(passenger);
      return;
    }
    this.#inFlight.push(passenger);
    this.#ports.release.hold(flow);
    this.#ports.committer.enqueue({
      writes: flow.writes,
      touched: flow.touched,
      done: (outcome) => this.#committed(passenger, outcome),
    });
  }

  #committed(passenger: Passenger, outcome: Outcome): void {
    passenger.settled = true;
    this.#ports.release.committed(passenger.flow, outcome);
    while (this.#inFlight[0]?.settled) {
      const first = this.#inFlight.shift();
      if (first) this.#leave(first);
    }
  }

  #leave(passenger: Passenger): void {
    this.#bytes -= passenger.bytes;
    if (!this.#ports.release.act(passenger.flow)) this.#break();
    else if (passenger.counts && !this.#broken) this.handled = (this.handled + 1) >>> 0;
    this.#checkPressure();
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
