// Contract rules of keeping a store small: whose logs there are, how large they are, purging, giving space back.
import { expect, it } from "@jest/globals";
import { toWire } from "../../xml/wire.js";
import type { Unit } from "../writes.js";
import { append, entry, put, unit } from "./samples.js";
import type { Bench } from "./suite.js";

export function retentionRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const ids = async (owner: string) => (await bench.storage.log(owner, { limit: 99_999 })).map((row) => row.id);
  const purgeAll = async (owner: string, before: number, limit: number) => {
    let removed = 0;
    for (let slice = -1; slice !== 0; removed += slice) {
      slice = await bench.storage.purge(owner, { before, limit });
      expect(slice).toBeLessThanOrEqual(limit);
    }
    return removed;
  };

  it("logOwners walks those that have entries, each once, in the order of UTF-8 bytes @2.3", async () => {
    const owners = ["\u{1F426}", "\uFFFD", "é", "z", "a", "Z"];
    await commit(...owners.map((owner) => unit(append(owner, 1))), unit(put("no log", "n")), unit(append("gone", 1)));
    await commit(unit({ op: "erase", owner: "gone" }), unit(append("purged", 1)));
    await purgeAll("purged", 2, 9);
    const seen: string[] = [];
    for (let page = await bench.storage.logOwners({ limit: 4 }); page.length > 0;) {
      seen.push(...page);
      page = await bench.storage.logOwners({ after: page.at(-1) ?? "", limit: 4 });
    }
    expect(seen).toEqual(["Z", "a", "z", "é", "\uFFFD", "\u{1F426}"]);
  });

  it("measure tells entries and bytes of the next entries, and where to go on @2.3", async () => {
    const sized = (id: number, bytes: number) =>
      unit({ op: "append", owner: "a", id, entry: entry("", { stanza: toWire("é".repeat(bytes / 2)) }) });
    await commit(sized(10, 100), sized(20, 20_000), sized(30, 0), unit(append("b", 15)));
    expect(await bench.storage.measure("a", { limit: 2 })).toEqual({ entries: 2, bytes: 20_100, last: 20 });
    expect(await bench.storage.measure("a", { after: 10, limit: 9 })).toEqual({ entries: 2, bytes: 20_000, last: 30 });
    expect(await bench.storage.measure("a", { after: 30, limit: 9 })).toEqual({ entries: 0, bytes: 0 });
    expect(await bench.storage.measure("nobody", { limit: 9 })).toEqual({ entries: 0, bytes: 0 });
  });

  it("purge removes the oldest first, at most so many, and tells how many @2.3", async () => {
    await commit(...[1, 2, 3, 4, 5].map((n) => unit(append("a", n), append("b", n))));
    expect(await bench.storage.purge("a", { before: 5, limit: 2 })).toBe(2);
    expect(await ids("a")).toEqual([3, 4, 5]);
    expect(await bench.storage.purge("a", { before: 5, limit: 9 })).toBe(2);
    expect(await bench.storage.purge("a", { before: 5, limit: 9 })).toBe(0);
    expect([await ids("a"), await ids("b")]).toEqual([[5], [1, 2, 3, 4, 5]]);
    expect(await bench.storage.purge("nobody", { before: 5, limit: 9 })).toBe(0);
    expect(await bench.storage.purge("b", { before: 5, limit: 0 })).toBe(0);
  });

  it("purge never removes what is pending, and removes it once it is settled @2.3", async () => {
    await commit(...[1, 2, 3, 4, 5, 6].map((n) => unit(append("a", n, { pending: n % 2 === 1, hidden: n === 4 }))));
    await commit(unit({ op: "settle", owner: "a", ids: [3] }));
    expect(await purgeAll("a", 99, 2)).toBe(4);
    expect(await ids("a")).toEqual([1, 5]);
    await bench.reopen();
    expect(await purgeAll("a", 99, 2)).toBe(0);
    expect((await bench.storage.log("a", { limit: 9, pending: true })).map((row) => row.id)).toEqual([1, 5]);
    await commit(unit({ op: "settle", owner: "a", ids: [1] }));
    expect(await purgeAll("a", 99, 2)).toBe(1);
    expect(await ids("a")).toEqual([5]);
  });

  it("the highest id does not fall when the entry that had it is purged, nor by a restart after it @2.3", async () => {
    await commit(unit(append("a", 70)), unit(append("b", 60)));
    expect(await purgeAll("a", 99, 9)).toBe(1);
    expect(await bench.storage.highestId()).toBe(70);
    await bench.reopen();
    expect(await bench.storage.highestId()).toBe(70);
  });

  it("a log goes on after everything in it was purged @2.3", async () => {
    await commit(unit(append("a", 1, { pending: true }), append("a", 2)), unit({ op: "settle", owner: "a", ids: [1] }));
    expect(await purgeAll("a", 99, 9)).toBe(2);
    await commit(unit(append("a", 3, { pending: true }), append("a", 4)));
    expect(await ids("a")).toEqual([3, 4]);
    expect(await bench.storage.countLog("a", { pending: true })).toBe(1);
  });

  it("thousands of entries are purged in slices, with commits between them @2.3", async () => {
    const all = Array.from({ length: 3000 }, (_, n) => n + 1);
    await commit(...all.map((n) => unit(append("a", n))));
    const commits = [1, 2, 3].map((n) => commit(unit(append("a", 3000 + n))));
    expect(await purgeAll("a", 3001, 5000)).toBe(3000);
    await Promise.all(commits);
    expect(await ids("a")).toEqual([3001, 3002, 3003]);
  });

  it("shrink comes to an end and loses nothing @2.3", async () => {
    await commit(...Array.from({ length: 500 }, (_, n) => unit(append("a", n + 1), put("a", `n${n}`))));
    await purgeAll("a", 450, 1000);
    let slices = 0;
    while ((await bench.storage.shrink()) && slices < 1000) slices++;
    expect(slices).toBeLessThan(1000);
    expect(await ids("a")).toHaveLength(51);
    expect(await bench.storage.list("notes", { limit: 999 })).toHaveLength(500);
    expect(await commit(unit(append("a", 501)))).toEqual(["done"]);
  });
}
