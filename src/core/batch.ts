// What goes to the store in one batch. Units that changed the same owner rest on each other: what came of one must be known before the next is
// written, so a batch has one of them at most. Those of a room are written together or not at all instead, as one unit, so that a busy room
// has group commit.
import type { Write } from "../storage/writes.js";
import type { Append } from "./flow.js";
import type { Owner } from "./owner.js";

/** A unit as it waits. */
export interface Link {
  readonly writes: readonly (Write | Append)[];
  /** What it changed in memory. */
  readonly touched: ReadonlyMap<Owner, number>;
  /** It was sent before: from then on by itself, so that it has an outcome of its own. */
  readonly isAgain: boolean;
}

/** In their order; one unit for the store, with one outcome. */
export type Chain<T extends Link> = readonly T[];

export class Batch<T extends Link> {
  readonly #chains: T[][] = [];
  /** The chain that more may be added to, by owner; none: nothing more that touches it may be in this batch. */
  readonly #open = new Map<Owner, T[] | undefined>();

  get chains(): readonly Chain<T>[] {
    return this.#chains;
  }

  /** False: it has to wait for the next batch. */
  admits(link: T): boolean {
    for (const owner of link.touched.keys())
      if (this.#open.has(owner) && !(this.#open.get(owner) && mayShare(link))) return false;
    return true;
  }

  /** Only what it admits. */
  add(link: T): void {
    const [owner] = link.touched.keys();
    const known = owner && this.#open.get(owner);
    const chain = known ?? [];
    chain.push(link);
    if (!known) this.#chains.push(chain);
    this.#touch(link, mayShare(link) ? chain : undefined);
  }

  /** Nothing that rests on it is admitted. */
  shut(link: T): void {
    this.#touch(link, undefined);
  }

  #touch(link: T, chain: T[] | undefined): void {
    for (const owner of link.touched.keys()) this.#open.set(owner, chain);
  }
}

/** A condition that does not hold is the unit's own affair. */
function mayShare({ isAgain, writes, touched }: Link): boolean {
  const [owner] = touched.keys();
  return touched.size === 1 && owner?.isSerial === true && !isAgain && !writes.some(isConditional);
}

function isConditional(write: Write | Append): boolean {
  if (write.op === "put") return write.ifAbsent !== undefined || write.ifVersion !== undefined;
  return write.op === "remove" && write.ifVersion !== undefined;
}
