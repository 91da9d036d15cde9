// Counts connections: how many there may be at all, from one address, and before login; and which ones have fallen silent.
import { networkOf } from "../core/network.js";

export interface ConnectionLimits {
  readonly connections: number;
  readonly connections_per_address: number;
  readonly preauth_connections: number;
}

/** A stream as the count sees it. */
export interface Counted {
  /** Called every sweep with the time, in ms since 1970. */
  sweep(now: number): void;
  /** The server is being stopped. */
  shutDown(): void;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #all = new Map<Counted, string>();
  readonly #early = new Set<Counted>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Whether one more may come from this address. */
  admits(address: string): boolean {
    return (
      this.#all.size < this.#limits.connections &&
      this.#early.size < this.#limits.preauth_connections &&
      (this.#byAddress.get(networkOf(address)) ?? 0) < this.#limits.connections_per_address
    );
  }

  add(stream: Counted, address: string): void {
    const network = networkOf(address);
    this.#all.set(stream, network);
    this.#early.add(stream);
    this.#byAddress.set(network, (this.#byAddress.get(network) ?? 0) + 1);
  }

  /** It has logged in. */
  authenticated(stream: Counted): void {
    this.#early.delete(stream);
  }

  remove(stream: Counted): void {
    const network = this.#all.get(stream);
    if (network === undefined) return;
    this.#all.delete(stream);
    this.#early.delete(stream);
    const left = (this.#byAddress.get(network) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(network, left);
    else this.#byAddress.delete(network);
  }

  sweep(now: number): void {
    for (const stream of this.#all.keys()) stream.sweep(now);
  }

  *[Symbol.iterator](): Iterator<Counted> {
    yield* this.#all.keys();
  }
}
