// The delivery cursor of one log (rulings 2), without a store: which pending entries are still open, and how little has to be written
// when they are settled. Rows keep the mark they were appended with; what is settled since stands in one small cursor per owner.

/**
 * What is stored per owner: entries appended as pending are settled up to this id, except those in `open`; above it none is.
 * So an entry is pending if it was appended so, and its id is above `settledTo` or in `open`.
 */
export interface Cursor {
  /** The watermark. */
  readonly settledTo: number;
  /** The exceptions, rising, all of them at or below the watermark. */
  readonly open: readonly number[];
}

/** The cursor of an owner for whom none is stored. */
export const NOTHING_SETTLED: Cursor = { settledTo: -1, open: [] };

/** Exceptions of one cursor: what a device that takes messages out of order leaves behind, in a row of a few hundred bytes. */
export const MAX_EXCEPTIONS = 32;

/** An entry appended as pending. */
export interface Marked {
  readonly id: number;
  readonly hidden: boolean;
}

/** Ids from one to the other, both included. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

/** What has to be written. Where it cannot be one transaction: rows first, then the cursor, then (for an append) the entry. */
export interface CursorChange {
  /** The cursor is another one now. */
  readonly moved: boolean;
  /** The cursor has no room for these settled entries: their rows lose the mark they were appended with. */
  readonly unmark: readonly IdRange[];
}

/** A change by settling, with what it settled. */
export interface Settled extends CursorChange {
  /** Ids that were open until now. */
  readonly ids: readonly number[];
  /** Those of them that are hidden: their stanzas are to be emptied. */
  readonly hidden: readonly number[];
  /** Ids above the horizon, open or not: if they are, their rows lose the mark, and the hidden ones their stanzas. */
  readonly beyond: readonly number[];
}

/**
 * The entries of one owner that are still pending: all of them, or, where they are too many to be kept at hand, those up to a horizon.
 * Beyond it the rows speak for themselves.
 */
export class OpenEntries {
  readonly #horizon: number;
  /** By rising id; whether it is hidden. */
  #open: Map<number, boolean>;
  #settledTo: number;
  /** No open id is above this one. */
  #highest: number;

  /** `marked`: all entries up to the horizon that are pending by this cursor, in any order. */
  constructor(cursor: Cursor, marked: Iterable<Marked>, horizon = Infinity) {
    this.#horizon = Math.max(horizon, cursor.settledTo);
    this.#settledTo = cursor.settledTo;
    this.#open = byId(marked);
    this.#highest = [...this.#open.keys()].at(-1) ?? -1;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether there may be more, beyond the horizon. */
  get isPartial(): boolean {
    return this.#horizon < Infinity;
  }

  get cursor(): Cursor {
    return { settledTo: this.#settledTo, open: this.#openUpTo(this.#settledTo) };
  }

  has(id: number): boolean {
    return this.#open.has(id);
  }

  /** A new entry, appended as pending. Nothing has to be written but its row, unless its id is below the watermark. */
  append({ id, hidden }: Marked): CursorChange {
    if (id > this.#horizon) return { moved: false, unmark: [] };
    this.#add(id, hidden);
    const old = this.#settledTo;
    if (id > old) return { moved: false, unmark: [] };
    this.#settledTo = this.#roomUpTo(old);
    return { moved: true, unmark: this.#settledBetween(this.#settledTo, old) };
  }

  /** Settles those of the ids that are open. */
  settle(ids: Iterable<number>): Settled {
    const settled: Marked[] = [];
    const beyond: number[] = [];
    for (const id of ids) {
      if (id > this.#horizon) beyond.push(id);
      const hidden = this.#open.get(id);
      if (hidden !== undefined) settled.push({ id, hidden });
      this.#open.delete(id);
    }
    const old = this.#settledTo;
    this.#settledTo = this.#roomUpTo(settled.reduce((highest, { id }) => Math.max(highest, id), old));
    return {
      ids: settled.map(({ id }) => id),
      hidden: settled.flatMap(({ id, hidden }) => (hidden ? [id] : [])),
      moved: settled.some(({ id }) => id <= this.#settledTo),
      beyond,
      unmark: settled.flatMap(({ id }) => (id > this.#settledTo ? [{ from: id, to: id }] : [])),
    };
  }

  #add(id: number, hidden: boolean): void {
    const inOrder = id > this.#highest;
    this.#open.set(id, hidden);
    if (inOrder) this.#highest = id;
    else this.#open = byId([...this.#open].map(([each, mark]) => ({ id: each, hidden: mark })));
  }

  /** The highest watermark up to this id that leaves no more exceptions than there is room for. */
  #roomUpTo(highest: number): number {
    let exceptions = 0;
    for (const id of this.#open.keys()) {
      if (id > highest) break;
      if (++exceptions > MAX_EXCEPTIONS) return id - 1;
    }
    return highest;
  }

  #openUpTo(highest: number): number[] {
    const ids: number[] = [];
    for (const id of this.#open.keys()) {
      if (id > highest) break;
      ids.push(id);
    }
    return ids;
  }

  /** What lies above `low`, up to `high`, and is not open. */
  #settledBetween(low: number, high: number): IdRange[] {
    const ranges: IdRange[] = [];
    let from = low + 1;
    for (const id of this.#openUpTo(high)) {
      if (id <= low) continue;
      if (id > from) ranges.push({ from, to: id - 1 });
      from = id + 1;
    }
    if (from <= high) ranges.push({ from, to: high });
    return ranges;
  }
}

function byId(marked: Iterable<Marked>): Map<number, boolean> {
  const rising = [...marked].sort((a, b) => a.id - b.id);
  return new Map(rising.map(({ id, hidden }) => [id, hidden]));
}
