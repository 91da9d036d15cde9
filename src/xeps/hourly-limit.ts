// How often something may be done in an hour by each of many: a sliding window that forgets those seen longest ago.
import { recentlyUsed } from "../core/recent.js";

const HOUR_MS = 3_600_000;
const MAX_KEYS = 10_000; // some megabytes at most; beyond it the least recent one starts anew

export class HourlyLimit {
  readonly #now: () => number;
  readonly #times = recentlyUsed<string, readonly number[]>(MAX_KEYS);

  /** `now` tells the time in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one of the `most` that `key` has in an hour; false if there is none left. */
  take(key: string, most: number): boolean {
    if (most === Infinity) return true;
    const now = this.#now();
    const recent = (this.#times.get(key) ?? []).filter((time) => now - time < HOUR_MS);
    if (recent.length >= most) return false;
    this.#times.set(key, [...recent, now]);
    return true;
  }
}
