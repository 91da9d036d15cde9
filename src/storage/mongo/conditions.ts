// Conditional writes: whether the conditions of a unit hold is looked at before anything of it is written, so that a conflict leaves
// nothing. That is safe because one server at a time writes (lease.ts); each conditional write still carries its guard.
import type { Put, Remove, Unit, Write } from "../writes.js";
import { placeId } from "./documents.js";

/** Ids of the documents whose versions must be known to judge these units. */
export function placesWithConditions(units: readonly Unit[]): readonly string[] {
  return [...new Set(units.flatMap(({ writes }) => writes.filter(hasCondition).map(placeId)))];
}

export function hasCondition(write: Write): write is Put | Remove {
  if (write.op === "put") return write.ifAbsent === true || write.ifVersion !== undefined;
  return write.op === "remove" && write.ifVersion !== undefined;
}

/** A document's place in memory: its owner, for erasures, and its version; 0 if there is none. */
interface Known {
  readonly owner: string;
  readonly version: number;
}

/** The versions of some documents as the units of a batch change them one after the other. */
export class Versions {
  #known: Map<string, Known>;

  /** `stored`: the versions of those of the places that have a document. */
  constructor(units: readonly Unit[], stored: ReadonlyMap<string, number>) {
    const conditional = units.flatMap(({ writes }) => writes.filter(hasCondition));
    this.#known = new Map(
      conditional.map((write) => [placeId(write), { owner: write.owner, version: stored.get(placeId(write)) ?? 0 }]),
    );
  }

  /** Takes the unit's writes in. False, and nothing is taken in, if a condition does not hold. */
  admits({ writes }: Unit): boolean {
    if (this.#known.size === 0) return true;
    const before = new Map(this.#known);
    const holds = writes.every((write) => this.#take(write));
    if (!holds) this.#known = before;
    return holds;
  }

  #take(write: Write): boolean {
    if (write.op === "erase") this.#erase(write.owner);
    if (write.op !== "put" && write.op !== "remove") return true;
    const place = placeId(write);
    const known = this.#known.get(place);
    if (!known) return true;
    if (write.ifVersion !== undefined && write.ifVersion !== known.version) return false;
    if (write.op === "put" && write.ifAbsent && known.version > 0) return false;
    this.#known.set(place, { owner: known.owner, version: write.op === "put" ? known.version + 1 : 0 });
    return true;
  }

  #erase(owner: string): void {
    for (const [place, known] of this.#known) if (known.owner === owner) this.#known.set(place, { owner, version: 0 });
  }
}
