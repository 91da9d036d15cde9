// How many failed logins are borne (attack A9, ruling 17): budgets per address, per account at an address, and a larger
// one per account over all addresses. Nobody is locked out by strangers: where an account logged in lately it still may.
import { networkOf } from "../core/network.js";
import { recentlyUsed } from "../core/recent.js";

/** The budgets as one address sees them. `account` is the claimed localpart, existing or not. */
export interface Attempts {
  /** False: answer `temporary-auth-failure` without looking at the credentials. */
  mayTry(account: string): boolean;
  failed(account: string): void;
  succeeded(account: string): void;
}

/** `failures` may come at once; then one more every `refillMs`. 0 failures switch a budget off. */
export interface Budget {
  readonly failures: number;
  readonly refillMs: number;
}

export interface FailureLimits {
  readonly perAddress: Budget;
  readonly perAccountAtAddress: Budget;
  readonly perAccount: Budget;
}

export const DEFAULT_FAILURE_LIMITS: FailureLimits = {
  perAddress: { failures: 50, refillMs: 10_000 },
  perAccountAtAddress: { failures: 10, refillMs: 60_000 },
  perAccount: { failures: 100, refillMs: 10_000 },
};

const MAX_TRACKED = 50_000; // entries per kind, some ten megabytes; the longest unused are forgotten first

const MAX_NAME_CHARS = 1023; // no account has a longer one

/** Counts failures; time comes from `now` in milliseconds. */
export class FailureLimiter {
  readonly #now: () => number;
  readonly #addresses: Buckets;
  readonly #pairs: Buckets;
  readonly #accounts: Buckets;
  readonly #trusted = recentlyUsed<string, true>(MAX_TRACKED);

  constructor(now: () => number, limits: FailureLimits = DEFAULT_FAILURE_LIMITS) {
    this.#now = now;
    this.#addresses = new Buckets(limits.perAddress);
    this.#pairs = new Buckets(limits.perAccountAtAddress);
    this.#accounts = new Buckets(limits.perAccount);
  }

  /** `domain` tells accounts of several hosts apart. */
  at(address: string, domain: string): Attempts {
    const place = networkOf(address);
    const keys = (name: string): readonly [account: string, pair: string] => {
      const account = `${name.slice(0, MAX_NAME_CHARS)}@${domain}`;
      return [account, `${place} ${account}`];
    };
    return {
      mayTry: (name) => this.#mayTry(place, ...keys(name)),
      failed: (name) => this.#failed(place, ...keys(name)),
      succeeded: (name) => this.#succeeded(keys(name)[1]),
    };
  }

  #mayTry(place: string, account: string, pair: string): boolean {
    const now = this.#now();
    if (!this.#addresses.hasRoom(place, now) || !this.#pairs.hasRoom(pair, now)) return false;
    return this.#accounts.hasRoom(account, now) || this.#trusted.has(pair);
  }

  #failed(place: string, account: string, pair: string): void {
    const now = this.#now();
    this.#addresses.add(place, now);
    this.#pairs.add(pair, now);
    this.#accounts.add(account, now);
  }

  #succeeded(pair: string): void {
    this.#pairs.clear(pair);
    this.#trusted.set(pair, true);
  }
}

/** Leaky buckets in a bounded map: a level, which sinks with time, and when it was last written. */
class Buckets {
  readonly #budget: Budget;
  readonly #levels = recentlyUsed<string, { readonly level: number; readonly at: number }>(MAX_TRACKED);

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  hasRoom(key: string, now: number): boolean {
    return this.#budget.failures === 0 || this.#level(key, now) + 1 <= this.#budget.failures;
  }

  add(key: string, now: number): void {
    if (this.#budget.failures > 0) this.#levels.set(key, { level: this.#level(key, now) + 1, at: now });
  }

  clear(key: string): void {
    this.#levels.delete(key);
  }

  #level(key: string, now: number): number {
    const bucket = this.#levels.get(key);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.level - Math.max(0, now - bucket.at) / this.#budget.refillMs);
  }
}
