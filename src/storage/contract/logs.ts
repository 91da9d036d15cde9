// Contract rules of logs: order, paging, the pending view, bytes kept as they are.
import { expect, it } from "@jest/globals";
import type { LogQuery } from "../port.js";
import { toWire, wireOf } from "../../xml/wire.js";
import type { Unit } from "../writes.js";
import { append, entry, unit } from "./samples.js";
import type { Bench } from "./suite.js";

const BASE = 1_763_800_000_000 * 1024; // an id of today: milliseconds × 1024, close to the largest safe integers

export function logRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const ids = async (owner: string, query: LogQuery) => (await bench.storage.log(owner, query)).map((row) => row.id);

  it("an entry comes back as it was, byte by byte, with its owner and id @1.9", async () => {
    const everyByte = wireOf(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    const entries = [
      entry("grüße 世界 🐦", { with: "жюльет@б.example", originId: "ид-1" }),
      entry("", { stanza: everyByte, pending: true }),
      entry("", { stanza: toWire(""), hidden: true }),
    ];
    await commit(...entries.map((item, at) => unit({ op: "append", owner: "ро́мео@a", id: BASE + at, entry: item })));
    expect(await bench.storage.log("ро́мео@a", { limit: 9 })).toEqual(
      entries.map((item, at) => ({ ...item, owner: "ро́мео@a", id: BASE + at })),
    );
  });

  it("a log is read in pages, forward and backward, between exclusive bounds @1.9", async () => {
    await commit(...[1, 2, 3, 4, 5, 6].map((n) => unit(append("a", BASE + n), append("b", BASE + 10 + n))));
    const page = async (query: LogQuery) => (await ids("a", query)).map((id) => id - BASE);
    expect(await page({ limit: 2 })).toEqual([1, 2]);
    expect(await page({ limit: 2, after: BASE + 2 })).toEqual([3, 4]);
    expect(await page({ limit: 9, after: BASE + 4 })).toEqual([5, 6]);
    expect(await page({ limit: 9, after: BASE + 6 })).toEqual([]);
    expect(await page({ limit: 2, backwards: true })).toEqual([6, 5]);
    expect(await page({ limit: 2, backwards: true, before: BASE + 5 })).toEqual([4, 3]);
    expect(await page({ limit: 9, after: BASE + 2, before: BASE + 5 })).toEqual([3, 4]);
    expect(await page({ limit: 1, after: BASE + 2, before: BASE + 5, backwards: true })).toEqual([4]);
    expect(await page({ limit: 0 })).toEqual([]);
    expect(await bench.storage.countLog("a", {})).toBe(6);
    expect(await bench.storage.countLog("a", { after: BASE + 2, before: BASE + 5 })).toBe(2);
    expect(await ids("nobody", { limit: 9 })).toEqual([]);
  });

  it("one id may stand in several logs, and entries come by id, not by arrival @1.9", async () => {
    await commit(unit(append("a", 30), append("b", 30)), unit(append("a", 10)), unit(append("a", 20)));
    expect(await ids("a", { limit: 9 })).toEqual([10, 20, 30]);
    expect(await ids("b", { limit: 9 })).toEqual([30]);
  });

  it("an append sent again is done, and the entry is there once, as first written @1.9", async () => {
    const again = unit(append("a", 1, { pending: true }));
    expect(await commit(again, again)).toEqual(["done", "done"]);
    await commit(unit({ op: "settle", owner: "a", ids: [1] }));
    expect(await commit(again)).toEqual(["done"]);
    expect((await bench.storage.log("a", { limit: 9 })).map((row) => [row.id, row.pending])).toEqual([[1, false]]);
  });

  it("the pending view shows what is not settled, also in pages; settling is repeatable @1.9", async () => {
    const pending = { pending: true } as const;
    await commit(...[1, 2, 3, 4, 5].map((n) => unit(append("a", n, { pending: n !== 2 }), append("b", n, pending))));
    expect(await ids("a", { limit: 9, pending: true })).toEqual([1, 3, 4, 5]);
    await commit(unit({ op: "settle", owner: "a", ids: [3, 3, 2, 77] }), unit({ op: "settle", owner: "c", ids: [1] }));
    expect(await ids("a", { limit: 2, pending: true })).toEqual([1, 4]);
    expect(await ids("a", { limit: 2, pending: true, after: 1, backwards: true })).toEqual([5, 4]);
    expect(await bench.storage.countLog("a", pending)).toBe(3);
    expect(await bench.storage.countLog("a", {})).toBe(5);
    expect(await bench.storage.countLog("b", pending)).toBe(5);
    await commit(unit({ op: "settle", owner: "a", ids: [1, 4, 5] }));
    expect(await bench.storage.countLog("a", pending)).toBe(0);
  });

  it("the highest id is over all logs and does not fall by an erasure, nor by a restart after it @1.9", async () => {
    expect(await bench.storage.highestId()).toBe(0);
    await commit(...[1, 2, 3].map((n) => unit(append("a", BASE + n), append("c", BASE + n + 4))));
    expect(await bench.storage.highestId()).toBe(BASE + 7);
    await commit(unit(append("b", BASE + 9)), unit(append("a", BASE + 8)));
    expect(await bench.storage.highestId()).toBe(BASE + 9);
    await commit(unit({ op: "erase", owner: "b" }));
    expect(await bench.storage.highestId()).toBe(BASE + 9);
    await bench.reopen();
    expect(await bench.storage.highestId()).toBe(BASE + 9);
  });

  it("ten thousand entries are all there, in order, each page in its place @1.9", async () => {
    const total = 10_000;
    for (let first = 0; first < total; first += 1000) {
      const units = Array.from({ length: 1000 }, (_, n) =>
        unit(append("a", BASE + first + n, { pending: n % 10 === 0 })),
      );
      expect(new Set(await commit(...units))).toEqual(new Set(["done"]));
    }
    expect(await bench.storage.countLog("a", {})).toBe(total);
    expect(await bench.storage.countLog("a", { pending: true })).toBe(total / 10);
    const seen = await ids("a", { limit: total + 1 });
    expect(seen).toEqual(Array.from({ length: total }, (_, n) => BASE + n));
    expect(await ids("a", { after: BASE + 4999, limit: 2 })).toEqual([BASE + 5000, BASE + 5001]);
    expect(await ids("a", { limit: 1, backwards: true })).toEqual([BASE + total - 1]);
  });
}
