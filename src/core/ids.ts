// Ids of log entries: milliseconds × 1024 + a counter, strictly rising in the process, so that an id is also a time and a position.
import type { Clock } from "./clock.js";

const PER_MS = 1024;

export class Ids {
  readonly #clock: Clock;
  #last: number;

  /** `last` is the highest id in the store; new ones lie above it even if the clock went back. */
  constructor(clock: Clock, last: number) {
    this.#clock = clock;
    this.#last = last;
  }

  /** The highest id given so far. */
  get last(): number {
    return this.#last;
  }

  /** The next id. More than 1024 in one millisecond borrow from the next one. */
  next(): number {
    this.#last = Math.max(this.#clock.now() * PER_MS, this.#last + 1);
    return this.#last;
  }
}

/** The time an id was given, in ms since 1970. */
export function timeOf(id: number): number {
  return Math.floor(id / PER_MS);
}

/** The lowest id that could be given at a time, in ms since 1970. */
export function idAt(ms: number): number {
  return ms * PER_MS;
}

// Base32 in the order of the digits, so that the text form sorts as the number does.
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const WIDTH = 11; // 55 bits: holds every safe integer

/** The fixed-width form used on the wire (`<stanza-id/>`, RSM). */
export function idToText(id: number): string {
  let rest = id;
  let text = "";
  for (let i = 0; i < WIDTH; i++) {
    text = (DIGITS[rest % 32] ?? "") + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** The id of a wire form, or undefined if it is none of ours. */
export function idFromText(text: string): number | undefined {
  if (text.length !== WIDTH) return undefined;
  let id = 0;
  for (const char of text) {
    const digit = DIGITS.indexOf(char);
    if (digit < 0) return undefined;
    id = id * 32 + digit;
  }
  return Number.isSafeInteger(id) ? id : undefined;
}
