// Contract rules of ranges: every condition, alone and with all the others, forwards, backwards, in pages and counted.
import { expect, it } from "@jest/globals";
import type { LogQuery, LogRange } from "../port.js";
import type { Append } from "../writes.js";
import { append, entry, unit } from "./samples.js";
import type { Bench } from "./suite.js";

const NURSE = "nurse@b.example";
const ROMEO = "ро́мео@a.example";

/** Entry n of 24: who, where, what and which marks follow from its number. */
function sample(n: number): Append {
  const text = n % 3 === 0 ? "good night" : n % 3 === 1 ? "night falls" : "farewell";
  return {
    op: "append",
    owner: "a",
    id: n * 10,
    entry: entry(text, {
      with: n % 2 === 0 ? NURSE : ROMEO,
      ...(n % 4 < 2 ? { resource: "garden" } : n % 4 === 2 ? { resource: "Balkon/ü" } : {}),
      pending: n % 5 !== 0,
      hidden: n % 7 === 0,
      ...(n % 6 === 1 ? { originId: "o1" } : {}),
    }),
  };
}

const SAMPLES = Array.from({ length: 24 }, (_, n) => sample(n + 1));
const SETTLED = [10, 20, 30, 60, 70, 90, 180, 220];

/** What each condition means for a sample, said apart from any driver. */
function meets({ id, entry: { hidden, pending, ...is } }: Append, range: LogRange): boolean {
  const text = id % 30 === 0 ? "good night" : id % 30 === 10 ? "night falls" : "farewell";
  return (
    id > (range.after ?? 0) &&
    id < (range.before ?? 1e9) &&
    !(range.pending && (!pending || SETTLED.includes(id))) &&
    !(range.shown && hidden) &&
    (range.with === undefined || is.with === range.with) &&
    (range.resource === undefined || is.resource === range.resource) &&
    (range.ids === undefined || range.ids.includes(id)) &&
    (range.originId === undefined || is.originId === range.originId) &&
    (range.text === undefined || (!hidden && text.includes(range.text)))
  );
}

const BOUNDS: readonly LogRange[] = [{}, { after: 40 }, { before: 200 }, { after: 25, before: 215 }];
const MARKS: readonly LogRange[] = [{}, { pending: true }, { shown: true }, { pending: true, shown: true }];
const PEERS: readonly LogRange[] = [
  {},
  { with: NURSE },
  { with: ROMEO, resource: "garden" },
  { with: NURSE, resource: "Balkon/ü" },
];
const OTHERS: readonly LogRange[] = [
  {},
  { originId: "o1" },
  { ids: [240, 10, 70, 80, 120, 125, 130, 10] },
  { text: "night" },
  { text: "night", ids: [90, 100, 110, 120, 210], originId: "o1" },
];

export function rangeRules(bench: Bench): void {
  const ids = async (query: LogQuery) => (await bench.storage.log("a", query)).map((row) => row.id);
  const fill = () =>
    bench.storage.commit([
      ...SAMPLES.map((each) => unit(each, { ...each, owner: "ab" })),
      unit({ op: "settle", owner: "a", ids: SETTLED }),
    ]);

  it.each(OTHERS)("every condition holds together with every other, also with %j @2.1", async (others) => {
    await fill();
    for (const bounds of BOUNDS)
      for (const marks of MARKS)
        for (const peers of PEERS) {
          const range = { ...bounds, ...marks, ...peers, ...others };
          const expected = SAMPLES.filter((each) => meets(each, range)).map(({ id }) => id);
          expect([range, await ids({ ...range, limit: 99 })]).toEqual([range, expected]);
          expect(await ids({ ...range, limit: 99, backwards: true })).toEqual(expected.toReversed());
          expect(await ids({ ...range, limit: 2 })).toEqual(expected.slice(0, 2));
          expect(await ids({ ...range, limit: 2, backwards: true })).toEqual(expected.toReversed().slice(0, 2));
          expect(await bench.storage.countLog("a", range)).toBe(expected.length);
        }
  });

  it.each<LogRange>([
    { shown: true, with: NURSE },
    { pending: true },
    { text: "night" },
    { ids: [10, 50, 90, 130, 170] },
  ])("pages of %j put together are the whole, in both directions @2.1", async (range) => {
    await fill();
    const expected = SAMPLES.filter((each) => meets(each, range)).map(({ id }) => id);
    const forwards: number[] = [];
    for (let page = await ids({ ...range, limit: 2 }); page.length > 0;) {
      forwards.push(...page);
      page = await ids({ ...range, after: page.at(-1) ?? 0, limit: 2 });
    }
    const backwards: number[] = [];
    for (let page = await ids({ ...range, limit: 3, backwards: true }); page.length > 0;) {
      backwards.push(...page);
      page = await ids({ ...range, before: page.at(-1) ?? 0, limit: 3, backwards: true });
    }
    expect(forwards).toEqual(expected);
    expect(backwards).toEqual(expected.toReversed());
  });

  it("an entry comes back with the other side's resource, and without one where there was none @2.1", async () => {
    await bench.storage.commit([unit(append("a", 1, { resource: "Тел/1" }), append("a", 2))]);
    const rows = await bench.storage.log("a", { limit: 9 });
    expect(rows.map((row) => [row.id, row.resource, "resource" in row])).toEqual([
      [1, "Тел/1", true],
      [2, undefined, false],
    ]);
  });

  it("what nobody has finds nothing: a stranger, an unknown resource, ids that are not there @2.1", async () => {
    await fill();
    const ranges: readonly LogRange[] = [
      { with: "stranger@b.example" },
      { with: NURSE, resource: "nowhere" },
      { ids: [11, 12] },
      { ids: [] },
      { originId: "o2" },
      { after: 100, before: 110 },
      { after: 110, before: 100 },
    ];
    for (const range of ranges) {
      expect([range, await ids({ ...range, limit: 9 })]).toEqual([range, []]);
      expect(await bench.storage.countLog("a", range)).toBe(0);
    }
  });

  it("what looks like a query is only a value: quotes, patterns and operators are compared as they are @2.1 @M9", async () => {
    await bench.storage.commit([unit(append("a", 1, { with: "x' OR 1=1 --@b", resource: "%_*", originId: '"$ne"' }))]);
    for (const range of [{ with: "%" }, { with: "x" }, { with: "x' OR 1=1 --@b", resource: "%" }, { originId: "$ne" }])
      expect(await ids({ ...range, limit: 9 })).toEqual([]);
    expect(await ids({ with: "x' OR 1=1 --@b", resource: "%_*", originId: '"$ne"', limit: 9 })).toEqual([1]);
  });
}
