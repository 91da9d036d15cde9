// What is known of each unit of a batch while it is being written, and its outcome in the end.
import type { Outcome } from "../writes.js";
import type { Placed } from "./layers.js";

/** Why the rest of a batch is not tried: nobody to send it to, or a connection that was lost in the middle. */
export type Stop = "unsent" | "unknown";

export class Fates {
  /** Statements still to be done, per unit. */
  readonly #open: number[];
  /** Something of the unit is in the store. */
  readonly #begun: boolean[];
  readonly #failed: (Outcome | undefined)[];

  constructor(units: number, all: readonly (readonly Placed[])[]) {
    this.#open = new Array<number>(units).fill(0);
    this.#begun = new Array<boolean>(units).fill(false);
    this.#failed = new Array<undefined>(units).fill(undefined);
    for (const layer of all)
      for (const placed of layer) for (const unit of placed.units) this.#open[unit] = (this.#open[unit] ?? 0) + 1;
  }

  /** Nothing of it has been planned: its conditions do not hold. */
  conflicts(unit: number): void {
    this.#failed[unit] = "conflict";
  }

  /** Whether one of its units still wants the statement. */
  wants({ units }: Placed): boolean {
    return units.some((unit) => this.#failed[unit] === undefined);
  }

  done({ units }: Placed): void {
    for (const unit of units) {
      this.#begun[unit] = true;
      this.#open[unit] = (this.#open[unit] ?? 0) - 1;
    }
  }

  /** The statement was certainly not done. A unit of which something is in the store already is in doubt all the same. */
  fail({ units }: Placed, outcome: "refused" | "conflict"): void {
    for (const unit of units) this.#failed[unit] ??= this.#begun[unit] ? "unknown" : outcome;
  }

  /** The statement may have been done. */
  doubt({ units }: Placed): void {
    for (const unit of units) this.#failed[unit] = "unknown";
  }

  /** The rest of the batch is not tried. After a lost connection it is worth another try; without a server it is refused. */
  stop(why: Stop): void {
    this.#open.forEach((open, unit) => {
      if (open > 0) this.#failed[unit] ??= why === "unknown" || this.#begun[unit] ? "unknown" : "refused";
    });
  }

  get outcomes(): readonly Outcome[] {
    return this.#failed.map((failed) => failed ?? "done");
  }
}
