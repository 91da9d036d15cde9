// A clock that moves only when told to: for tests and the simulator.
import type { Clock, Timer } from "./clock.js";

interface Waiting {
  readonly due: number;
  readonly order: number;
  readonly call: () => void;
}

/** Starts at a fixed time, so that a test's times are the same on every run. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #waiting = new Set<Waiting>();
  #soon: (() => void)[] = [];

  constructor(now = Date.UTC(2030, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): Timer {
    const entry: Waiting = { due: this.#now + Math.max(0, ms), order: this.#order++, call };
    if (ms !== Infinity) this.#waiting.add(entry);
    return { cancel: () => void this.#waiting.delete(entry) };
  }

  soon(call: () => void): void {
    this.#soon.push(call);
  }

  /** Timers that have not been due yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Ends the turn: runs what was put off by {@link soon}, and what that puts off in its turn. */
  turn(): void {
    while (this.#soon.length > 0) {
      const calls = this.#soon;
      this.#soon = [];
      for (const call of calls) call();
    }
  }

  /** Lets time pass, making each call at its own time, in order; a turn ends before each and at the end. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.turn();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = next.due;
      this.#waiting.delete(next);
      next.call();
      this.turn();
    }
    this.#now = end;
  }

  #next(end: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const one of this.#waiting) {
      if (
        one.due <= end &&
        (first === undefined || one.due < first.due || (one.due === first.due && one.order < first.order))
      )
        first = one;
    }
    return first;
  }
}
