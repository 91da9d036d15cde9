// How often an account may do something in a room or with one: up to the limit at once, and then as fast as that is given back.
import { recentlyUsed } from "../core/recent.js";

const MAX_KEYS = 10_000; // some megabytes at most; beyond it the least recent one starts anew
const ROUNDING_MS = 0.001;

export class Rate {
  readonly #windowMs: number;
  readonly #now: () => number;
  /** When all that was taken will have been given back. */
  readonly #whole = recentlyUsed<string, { readonly at: number }>(MAX_KEYS);

  /** `now` tells the time in ms. */
  constructor(windowMs: number, now: () => number) {
    this.#windowMs = windowMs;
    this.#now = now;
  }

  /** Takes `count` of the `most` that `key` has in the time; false, and takes none, if there are not that many left. */
  take(key: string, most: number, count = 1): boolean {
    if (most === Infinity) return true;
    const now = this.#now();
    const at = Math.max(now, this.#whole.get(key)?.at ?? 0) + (this.#windowMs / most) * count;
    if (at - now > this.#windowMs + ROUNDING_MS) return false;
    this.#whole.set(key, { at });
    return true;
  }
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Those of all rooms. */
export class Rates {
  /** Presence of an account in a room. */
  readonly presences: Rate;
  /** Messages of an account to a room and its occupants. */
  readonly messages: Rate;
  /** Errors that its clients send back to other occupants: nobody can use up by them what it may say. */
  readonly errors: Rate;
  /** Invitations, and refusals of them, of an account. */
  readonly invitations: Rate;

  constructor(now: () => number) {
    this.presences = new Rate(MINUTE_MS, now);
    this.messages = new Rate(MINUTE_MS, now);
    this.errors = new Rate(MINUTE_MS, now);
    this.invitations = new Rate(HOUR_MS, now);
  }
}
