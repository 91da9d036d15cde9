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
  readonly bytes: number;
  settled: boolean;
}

export class Lane {
  /** Stanzas whose effects are durable and released; XEP-0198's `h`. */
  handled = 0;
  readonly #ports: LanePorts;
  readonly #origin: Origin;
  readonly #pressure: Pressure;
  /** In order: released from the front once settled. */
  readonly #inFlight: Passenger[] = [];
  /** Arrived while an earlier one waits for a cold account. */
  readonly #waiting: Passenger[] = [];
  #deciding = false;
  #bytes = 0;
  #paused = false;

  constructor(ports: LanePorts, origin: Origin, pressure: Pressure) {
    this.#ports = ports;
    this.#origin = origin;
    this.#pressure = pressure;
  }

  /** Stanzas accepted and not yet released. */
  get depth(): number {
    return this.#inFlight.length + this.#waiting.length;
  }

  /** A stanza the session sent: through the sender's phases first. */
  accept(stanza: Stanza): void {
    this.run(new Flow(stanza, this.#origin, "sent"));
  }

  /** A flow the server itself starts in this lane's order. */
  run(flow: Flow): void {
    const passenger: Passenger = { flow, bytes: flow.root.size, settled: false };
    this.#bytes += passenger.bytes;
    if (this.#deciding) this.#waiting.push(passenger);
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
    if (this.#ports.release.act(passenger.flow)) this.handled = (this.handled + 1) >>> 0;
    this.#checkPressure();
  }

  #checkPressure(): void {
    const { stanzas, bytes } = this.#ports.limits;
    const over = this.depth > stanzas || this.#bytes > bytes;
    if (over && !this.#paused) {
      this.#paused = true;
      this.#pressure.pause();
    } else if (this.#paused && this.depth <= stanzas / 2 && this.#bytes <= bytes / 2) {
      this.#paused = false;
      this.#pressure.resume();
    }
  }
}
