// Contract rules of the delivery cursor: what is pending and what is settled, in any order, over restarts, and when writes are taken back.
import { expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Settle, Unit, Write } from "../writes.js";
import { append, remove, unit } from "./samples.js";
import type { Bench } from "./suite.js";

const settle = (owner: string, ...ids: readonly number[]): Settle => ({ op: "settle", owner, ids });
const range = (count: number, of = (n: number) => n) => Array.from({ length: count }, (_, n) => of(n + 1));
/** A write that makes its unit a conflict. */
const impossible: Write = { ...remove("a", "absent"), ifVersion: 1 };

export function cursorRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const pending = async (owner = "a") =>
    (await bench.storage.log(owner, { pending: true, limit: 9999 })).map((row) => row.id);
  const appended = (ids: readonly number[]) => unit(...ids.map((id) => append("a", id, { pending: true })));

  it("entries settled out of order leave just those open that are not settled, after a restart too @2.1", async () => {
    await commit(appended(range(10)), unit(settle("a", 9, 2)), unit(settle("a", 5)));
    expect(await pending()).toEqual([1, 3, 4, 6, 7, 8, 10]);
    await bench.reopen();
    expect(await pending()).toEqual([1, 3, 4, 6, 7, 8, 10]);
    await commit(unit(settle("a", 10, 1, 3)), appended([11, 12]), unit(settle("a", 11)));
    expect(await pending()).toEqual([4, 6, 7, 8, 12]);
    expect(await bench.storage.countLog("a", { pending: true, after: 4, before: 12 })).toBe(3);
    await commit(unit(settle("a", 4, 6, 7, 8, 12)));
    expect(await pending()).toEqual([]);
  });

  it("any number of entries may stay open below settled ones @2.1", async () => {
    const all = range(400);
    await commit(appended(all));
    const odd = all.filter((id) => id % 2 === 1);
    for (const ids of [odd.slice(100), odd.slice(0, 100).reverse()]) await commit(unit(settle("a", ...ids)));
    const even = all.filter((id) => id % 2 === 0);
    expect(await pending()).toEqual(even);
    await bench.reopen();
    expect(await pending()).toEqual(even);
    expect((await bench.storage.log("a", { limit: 4 })).map((row) => row.pending)).toEqual([false, true, false, true]);
    await commit(unit(settle("a", ...even)));
    expect(await pending()).toEqual([]);
    expect(await bench.storage.countLog("a", {})).toBe(400);
  });

  it("a flood of pending entries is settled from below while new ones come above, hidden ones among them @2.1", async () => {
    const flood = range(9000);
    for (let at = 0; at < flood.length; at += 1000)
      await commit(
        unit(...flood.slice(at, at + 1000).map((id) => append("a", id, { pending: true, hidden: id % 100 === 0 }))),
      );
    const count = () => bench.storage.countLog("a", { pending: true });
    await commit(unit(settle("a", ...range(1500))), unit(settle("a", 8888, 8900)));
    expect(await count()).toBe(7498);
    for (let at = 1500; at < 6000; at += 500) {
      await commit(appended([10_000 + at]), unit(settle("a", 10_000 + at, ...range(499, (n) => at + n))));
      expect(await count()).toBe(7498 - ((at - 1500) / 500 + 1) * 499);
    }
    await bench.reopen();
    expect(await pending()).toEqual(
      [...range(9, (n) => 1500 + n * 500), ...range(3000, (n) => 6000 + n)].filter((id) => id !== 8888 && id !== 8900),
    );
    const rows = await bench.storage.log("a", { ids: [8800, 8888, 8900], limit: 9 });
    expect(rows.map((row) => [row.pending, row.stanza === ""])).toEqual([
      [true, false],
      [false, false],
      [false, true],
    ]);
    await commit(unit(settle("a", ...flood)));
    expect(await count()).toBe(0);
  });

  it("settling what is not there, not pending, or settled already changes nothing, not even for a later entry @2.1", async () => {
    await commit(appended([5]), unit(append("a", 6)), unit(settle("a", 7, 6, 900), settle("nobody", 1)));
    expect(await pending()).toEqual([5]);
    await commit(appended([7, 900]));
    expect(await pending()).toEqual([5, 7, 900]);
    await commit(unit(settle("a", 5), settle("a", 5, 7)));
    expect(await pending()).toEqual([900]);
  });

  it("an entry that comes late, below settled ones, is pending all the same @2.1", async () => {
    await commit(appended([50]), unit(settle("a", 50)), appended([10, 20]));
    expect(await pending()).toEqual([10, 20]);
    await bench.reopen();
    await commit(unit(append("a", 5, { pending: true }), append("a", 30)), unit(settle("a", 20)));
    expect(await pending()).toEqual([5, 10]);
    const late = range(100, (n) => 100 + n);
    await commit(appended([500]), unit(settle("a", 500)), ...late.map((id) => appended([id])));
    expect(await pending()).toEqual([5, 10, ...late]);
  });

  it("what a unit that is taken back settled or appended is as it was, and the units around it hold @2.1", async () => {
    await commit(appended([1, 2, 3, 4]));
    const outcomes = await commit(
      unit(settle("a", 1)),
      unit(settle("a", 2, 3), append("a", 5, { pending: true }), impossible),
      unit(append("a", 6, { pending: true }), append("b", 1, { pending: true })),
      unit(settle("b", 1), append("c", 1, { pending: true, with: "new@b" }), impossible),
      unit(settle("a", 3)),
    );
    expect(outcomes).toEqual(["done", "conflict", "done", "conflict", "done"]);
    const expected = [[2, 4, 6], [1], []];
    expect([await pending(), await pending("b"), await pending("c")]).toEqual(expected);
    await bench.reopen();
    expect([await pending(), await pending("b"), await pending("c")]).toEqual(expected);
    await commit(unit(append("c", 1, { pending: true, with: "new@b" })), unit(settle("a", 2, 4, 6)));
    expect([await pending(), await pending("c")]).toEqual([[], [1]]);
  });

  it("a unit that settles what it appended itself leaves it settled @2.1", async () => {
    await commit(unit(append("a", 1, { pending: true }), settle("a", 1), append("a", 2, { pending: true })));
    expect(await pending()).toEqual([2]);
  });

  it("a hidden entry loses its stanza when it is settled, and stays where it is @2.1", async () => {
    const hidden = { pending: true, hidden: true } as const;
    await commit(unit(append("a", 1, hidden), append("a", 2, hidden), append("a", 3, { pending: true })));
    await commit(unit(append("a", 4, { hidden: true })), unit(settle("a", 1, 3, 4)));
    const rows = async () =>
      (await bench.storage.log("a", { limit: 9 })).map((row) => [row.id, row.stanza === "", row.pending, row.hidden]);
    const expected = [
      [1, true, false, true],
      [2, false, true, true],
      [3, false, false, false],
      [4, false, false, true],
    ];
    expect(await rows()).toEqual(expected);
    await bench.reopen();
    expect(await rows()).toEqual(expected);
    await commit(unit(settle("a", 2), impossible));
    expect(await rows()).toEqual(expected);
  });

  it("an owner that was erased begins anew: an entry with an id settled before is pending @2.1", async () => {
    await commit(appended([1, 2, 3]), unit(settle("a", 1, 3)), unit({ op: "erase", owner: "a" }), appended([2, 3]));
    expect(await pending()).toEqual([2, 3]);
    await bench.reopen();
    expect(await pending()).toEqual([2, 3]);
  });

  it("whatever is appended, settled, taken back and restarted: pending is what a list of flags says @2.1", async () => {
    const id = fc.integer({ min: 1, max: 60 });
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ append: fc.array(id, { maxLength: 12 }), back: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ settle: fc.array(id, { maxLength: 40 }), back: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constant("reopen" as const) },
    );
    let owners = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 6 }), async (batches) => {
        const owner = `owner ${++owners}`;
        const flags = new Map<number, boolean>();
        for (const batch of batches) {
          const units: Unit[] = [];
          for (const each of batch) {
            if (each === "reopen") continue;
            const writes: Write[] =
              "append" in each
                ? each.append.map((n) => append(owner, n, { pending: n % 4 !== 0 }))
                : [settle(owner, ...each.settle)];
            units.push(unit(...writes, ...(each.back ? [impossible] : [])));
            if (each.back) continue;
            if ("append" in each) for (const n of each.append) flags.set(n, flags.get(n) ?? n % 4 !== 0);
            else for (const n of each.settle) if (flags.has(n)) flags.set(n, false);
          }
          await commit(...units);
          if (batch.includes("reopen")) await bench.reopen();
          const expected = [...flags].flatMap(([n, isOpen]) => (isOpen ? [n] : [])).sort((a, b) => a - b);
          expect(await pending(owner)).toEqual(expected);
        }
      }),
      { numRuns: 15 },
    );
  });
}
