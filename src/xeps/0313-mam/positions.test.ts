import { describe, expect, it } from "@jest/globals";
import { StanzaError } from "../../stanza/errors.js";
import { after, archiveOf, before, entryOf, idAt, JULIET, type Kept, pageOf } from "./archive.test.kit.js";

const MINUTE_MS = 60_000;
const PAGES = 6;

/** An archive of 12 entries, read in pages of two, with the ranges that were counted. */
async function counted() {
  const entries = Array.from({ length: 2 * PAGES }, (_, n): Kept => ({ id: idAt(n), body: "x" }));
  const house = await archiveOf(entries);
  const ranges: string[] = [];
  const { storage } = house;
  const countLog = storage.countLog.bind(storage);
  storage.countLog = (owner, range) => {
    if (!range.ids) ranges.push(JSON.stringify(range));
    return countLog(owner, range);
  };
  const page = async (set: string) => {
    const found = await pageOf(house.view, { set: `<max>2</max>${set}` });
    if (found instanceof StanzaError) throw found;
    return { index: found.index, count: found.count, first: found.rows[0]?.id ?? 0, last: found.rows.at(-1)?.id ?? 0 };
  };
  const append = async (ms: number) => {
    const id = idAt(ms);
    while (house.ids.last < id) house.ids.next();
    await storage.commit([{ writes: [{ op: "append", owner: JULIET.owner.toString(), id, entry: entryOf("new") }] }]);
  };
  return { ...house, ranges, page, append };
}

describe("the position of a page", () => {
  it("is counted once in a run of pages, forward or backward: then only what has come meanwhile @2.2 @M9", async () => {
    for (const [start, next] of [
      ["", "after"],
      ["<before/>", "before"],
    ] as const) {
      const { page, ranges } = await counted();
      let { first, last, index } = await page(start);
      const seen = [index];
      for (let n = 1; n < PAGES; n++) {
        ({ first, last, index } = await page(next === "after" ? after(last) : before(first)));
        seen.push(index);
      }
      const positions = [0, 2, 4, 6, 8, 10];
      expect(seen).toEqual(next === "after" ? positions : positions.toReversed());
      const whole = ranges.filter((range) => !range.includes(`"after":${idAt(2 * PAGES - 1)}`));
      expect(whole.length).toBe(1);
    }
  });

  it("takes what has come meanwhile into account @2.2", async () => {
    const { page, append } = await counted();
    const one = await page("");
    await append(100);
    const two = await page(after(one.last));
    await append(101);
    await append(102);
    const back = await page(before(two.first));
    expect([one.count, two, back]).toMatchObject([12, { index: 2, count: 13 }, { index: 0, count: 15 }]);
  });

  it("is counted anew after a minute, as old entries may have been removed @2.2", async () => {
    const { page, storage, clock } = await counted();
    const one = await page("");
    const two = await page(after(one.last));
    await storage.purge(JULIET.owner.toString(), { before: idAt(2), limit: 9 });
    expect(await page(after(two.last))).toMatchObject({ index: 4, count: 12 }); // may be approximate (XEP-0059)
    clock.advance(MINUTE_MS);
    expect(await page(after(two.last))).toMatchObject({ index: 2, count: 10 });
  });

  it("is counted where the run is left @2.2", async () => {
    const { page } = await counted();
    await page("");
    expect(await page(after(idAt(6)))).toMatchObject({ index: 7, count: 12 });
    expect(await page(before(idAt(4)))).toMatchObject({ index: 2, count: 12 });
  });
});
