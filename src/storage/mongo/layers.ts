// The order in which the statements of a batch are sent: layers of one collection each, so that many units share few commands while
// each unit's statements, and all that concern one document, stay in their order.
import type { Step } from "./steps.js";

/** A statement with the units of the batch, by number, that it belongs to. */
export interface Placed {
  readonly step: Step;
  readonly units: readonly number[];
}

/** One command's worth: statements of one collection and kind. */
export type Run = readonly Placed[];

/** Statements of one command: below, more pay less and less; above, a failing one costs more. */
const MAX_STATEMENTS = 100;
/** Well below the 16 MB that a command may have. */
const MAX_BYTES = 4_000_000;

/** Layers, to be sent one after the other. */
export class Layers {
  readonly #layers: Placed[][] = [];
  /** The layer that each collection was last written in: later statements are not put before it. */
  readonly #last = new Map<string, number>();

  get all(): readonly (readonly Placed[])[] {
    return this.#layers;
  }

  /** Puts the statements of one unit in, each at the earliest place that keeps the order. */
  add(unit: number, steps: readonly Step[]): void {
    let from = 0;
    for (const step of steps) from = this.#put({ step, units: [unit] }, from);
  }

  /** Puts a statement in that comes after everything of its units, and so far of all units. */
  addLast(step: Step, units: readonly number[]): void {
    this.#put({ step, units }, Math.max(0, this.#layers.length - 1));
  }

  #put(placed: Placed, from: number): number {
    const { collection } = placed.step;
    let at = Math.max(from, this.#last.get(collection) ?? 0);
    while (at < this.#layers.length && this.#layers[at]?.[0]?.step.collection !== collection) at++;
    (this.#layers[at] ??= []).push(placed);
    this.#last.set(collection, at);
    return at;
  }
}

/** The first statements of a list that make one command. */
export function firstRun(placed: readonly Placed[]): Run {
  let bytes = 0;
  let length = 0;
  for (const { step } of placed) {
    const first = placed[0]?.step;
    bytes += step.bytes;
    const fits = length < MAX_STATEMENTS && bytes <= MAX_BYTES && step.verb === first?.verb && !step.guarded;
    if (length > 0 && !fits) break;
    length++;
    if (step.guarded) break;
  }
  return placed.slice(0, length);
}
