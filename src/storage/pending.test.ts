import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type CursorChange, type Cursor, MAX_EXCEPTIONS, NOTHING_SETTLED, OpenEntries } from "./pending.js";

/** Rows as a store keeps them beside the cursor: the mark each was appended with, and whether it is hidden. */
class Rows {
  readonly marked = new Map<number, boolean>();
  cursor: Cursor = NOTHING_SETTLED;
  unmarked = 0;

  append(id: number, entries: OpenEntries): void {
    const hidden = id % 3 === 0;
    this.apply(entries.append({ id, hidden }), entries);
    this.marked.set(id, hidden);
  }

  apply({ moved, unmark }: CursorChange, entries: OpenEntries): void {
    if (moved) this.cursor = entries.cursor;
    for (const { from, to } of unmark)
      for (const id of [...this.marked.keys()])
        if (id >= from && id <= to) {
          this.marked.delete(id);
          this.unmarked++;
        }
  }

  /** What is pending by what is stored, and nothing else. */
  get open(): number[] {
    const { settledTo, open } = this.cursor;
    return [...this.marked.keys()].filter((id) => id > settledTo || open.includes(id)).sort((a, b) => a - b);
  }

  restart(): OpenEntries {
    return new OpenEntries(
      this.cursor,
      this.open.map((id) => ({ id, hidden: id % 3 === 0 })),
    );
  }
}

const NO_CHANGE = { moved: false, unmark: [] };

describe("the delivery cursor", () => {
  it("writes nothing for an entry above all others, and one watermark for all that is settled in order @2.1", () => {
    const entries = new OpenEntries(NOTHING_SETTLED, []);
    for (const id of [1, 2, 3]) expect(entries.append({ id, hidden: false })).toEqual(NO_CHANGE);
    expect(entries.settle([1, 2])).toEqual({ ids: [1, 2], hidden: [], beyond: [], moved: true, unmark: [] });
    expect(entries.cursor).toEqual({ settledTo: 2, open: [] });
    expect([entries.size, entries.has(3), entries.has(2)]).toEqual([1, true, false]);
  });

  it("tells which of the settled entries are hidden @2.1", () => {
    const marked = [2, 1].map((id) => ({ id, hidden: id === 2 }));
    expect(new OpenEntries(NOTHING_SETTLED, marked).settle([2, 1, 9])).toMatchObject({ ids: [2, 1], hidden: [2] });
  });

  it("settling what is not open changes nothing @2.1", () => {
    const entries = new OpenEntries({ settledTo: 5, open: [3] }, [{ id: 3, hidden: false }]);
    expect(entries.settle([4, 5, 6])).toEqual({ ...NO_CHANGE, ids: [], hidden: [], beyond: [] });
    expect(entries.cursor).toEqual({ settledTo: 5, open: [3] });
  });

  it("keeps one that stays open as an exception, however many are settled above it @2.1", () => {
    const rows = new Rows();
    const entries = rows.restart();
    for (let id = 1; id <= 1000; id++) {
      rows.append(id, entries);
      if (id > 1) rows.apply(entries.settle([id]), entries);
    }
    expect(rows.cursor).toEqual({ settledTo: 1000, open: [1] });
    expect(rows.unmarked).toBe(0);
  });

  it("has bounded exceptions: what they cannot say is said by the rows @2.1", () => {
    const rows = new Rows();
    const entries = rows.restart();
    for (let id = 1; id <= 200; id++) rows.append(id, entries);
    const even = Array.from({ length: 100 }, (_, n) => 2 * n + 2);
    rows.apply(entries.settle(even), entries);
    expect(rows.cursor.open).toHaveLength(MAX_EXCEPTIONS);
    expect(rows.unmarked).toBe(100 - MAX_EXCEPTIONS);
    expect(rows.open).toEqual(even.map((id) => id - 1));
  });

  it("takes in an entry that comes below the watermark, however many are open there @2.1", () => {
    const rows = new Rows();
    let entries = rows.restart();
    for (const id of [500, 1000]) rows.append(id, entries);
    rows.apply(entries.settle([500, 1000]), entries);
    const late = Array.from({ length: 3 * MAX_EXCEPTIONS }, (_, n) => 501 + ((n * 7) % 96));
    for (const id of late) rows.append(id, entries);
    expect(rows.cursor.open.length).toBeLessThanOrEqual(MAX_EXCEPTIONS);
    expect(rows.open).toEqual(late.toSorted((a, b) => a - b));
    entries = rows.restart();
    expect(entries.size).toBe(late.length);
  });

  it("that knows the lowest entries only leaves those beyond its horizon to their rows @2.1", () => {
    const marked = [1, 2, 3].map((id) => ({ id, hidden: false }));
    const entries = new OpenEntries(NOTHING_SETTLED, marked, 3);
    expect(entries.append({ id: 9, hidden: false })).toEqual(NO_CHANGE);
    expect(entries.settle([7, 2, 9])).toEqual({ ids: [2], hidden: [], beyond: [7, 9], moved: true, unmark: [] });
    expect([entries.cursor, entries.isPartial]).toEqual([{ settledTo: 2, open: [1] }, true]);
    expect(new OpenEntries({ settledTo: 50, open: [] }, [], 3).settle([20]).beyond).toEqual([]);
  });

  it("is what a naive list of flags is, after any appends, settles and restarts, with bounded exceptions @2.1", () => {
    const id = fc.oneof(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 0, max: 20 }));
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ append: fc.array(id, { maxLength: 60 }) }) },
      { weight: 5, arbitrary: fc.record({ settle: fc.array(id, { maxLength: 60 }) }) },
      { weight: 1, arbitrary: fc.constant({ restart: true as const }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const rows = new Rows();
        const naive = new Map<number, boolean>();
        let entries = rows.restart();
        for (const each of steps) {
          if ("restart" in each) entries = rows.restart();
          else if ("settle" in each) {
            const settled = entries.settle(each.settle);
            rows.apply(settled, entries);
            const expected = [...new Set(each.settle)].filter((n) => naive.get(n));
            expect(settled.ids).toEqual(expected);
            expect(settled.hidden).toEqual(expected.filter((n) => n % 3 === 0));
            for (const n of expected) naive.set(n, false);
          } else
            for (const n of each.append)
              if (!naive.has(n)) {
                rows.append(n, entries);
                naive.set(n, true);
              }
          expect(rows.open).toEqual([...naive].flatMap(([n, open]) => (open ? [n] : [])).sort((a, b) => a - b));
          expect(rows.cursor).toEqual(entries.cursor);
          expect(rows.cursor.open.length).toBeLessThanOrEqual(MAX_EXCEPTIONS);
        }
      }),
      { numRuns: 200 },
    );
  });
});
