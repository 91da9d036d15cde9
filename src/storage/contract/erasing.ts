// Contract rules of erasing: nothing is shown from that moment on, however long it takes until the last entry is out of the store.
import { expect, it } from "@jest/globals";
import type { Unit } from "../writes.js";
import { append, entry, put, unit } from "./samples.js";
import type { Bench } from "./suite.js";

const ENTRIES = 600; // more than one slice of any driver

export function erasingRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const ids = async (owner: string) => (await bench.storage.log(owner, { limit: 99_999 })).map((row) => row.id);
  const erase = (owner: string) => unit({ op: "erase", owner });
  const said = (owner: string, id: number, text: string) =>
    unit({ op: "append", owner, id, entry: entry(text, { pending: true }) });
  const fill = (owner: string) =>
    commit(...Array.from({ length: ENTRIES }, (_, n) => said(owner, n + 1, `night ${n}`)));
  const discardAll = async () => {
    let slices = 0;
    while ((await bench.storage.discard()) && slices < 1000) slices++;
    return slices;
  };
  /** All that the store shows of an owner, by every way of asking. */
  const shown = async (owner: string) => ({
    ids: await ids(owner),
    pending: await bench.storage.countLog(owner, { pending: true }),
    found: await bench.storage.countLog(owner, { text: "night" }),
    entries: (await bench.storage.measure(owner, { limit: 9999 })).entries,
    isOwner: (await bench.storage.logOwners({ limit: 99 })).includes(owner),
    documents: (await bench.storage.load([owner], ["notes"])).get(owner)?.length,
  });
  const nothing = { ids: [], pending: 0, found: 0, entries: 0, isOwner: false, documents: 0 };

  it("of what was erased nothing is shown at once, nor after a restart, before it is all discarded @2.3", async () => {
    await fill("a");
    await commit(unit(put("a", "n")), said("b", 1, "night"));
    expect(await commit(erase("a"))).toEqual(["done"]);
    expect(await shown("a")).toEqual(nothing);
    await bench.storage.discard();
    await bench.reopen();
    expect(await shown("a")).toEqual(nothing);
    expect(await bench.storage.purge("a", { before: 1e9, limit: 9 })).toBe(0);
    await discardAll();
    expect(await shown("a")).toEqual(nothing);
    expect(await shown("b")).toEqual({ ids: [1], pending: 1, found: 1, entries: 1, isOwner: true, documents: 0 });
    expect(await bench.storage.highestId()).toBe(ENTRIES);
    expect(await bench.storage.discard()).toBe(false);
  });

  it("an owner that was erased may have new entries at once, with ids it had before too, and keeps them @2.3", async () => {
    await fill("a");
    await commit(erase("a"), said("a", 7, "new night"), said("a", 5000, "new night"));
    const left = { ids: [7, 5000], pending: 2, found: 2, entries: 2, isOwner: true, documents: 0 };
    expect(await shown("a")).toEqual(left);
    await bench.storage.discard();
    await bench.reopen();
    await commit(said("a", 8, "later"), unit(append("a", 5001)));
    await commit(unit({ op: "settle", owner: "a", ids: [7] }));
    await discardAll();
    await bench.reopen();
    expect(await shown("a")).toEqual({ ...left, ids: [7, 8, 5000, 5001], pending: 2, entries: 4 });
  });

  it("one that is erased again before the first entries are gone loses all of them, others none @2.3", async () => {
    await fill("a");
    await commit(said("c", 3, "night"));
    await commit(erase("a"), said("a", 6000, "night"));
    await bench.storage.discard();
    await commit(erase("a"), said("a", 6001, "night"), said("d", 6002, "night"));
    await bench.reopen();
    expect(await ids("a")).toEqual([6001]);
    await discardAll();
    expect([await ids("a"), await ids("c"), await ids("d")]).toEqual([[6001], [3], [6002]]);
    expect(await bench.storage.countLog("a", { text: "night" })).toBe(1);
  });

  it("an erasure that is taken back with its unit hides nothing @2.3", async () => {
    await commit(said("a", 1, "night"), unit(put("a", "n")));
    const conflict = { ...put("a", "n"), ifAbsent: true } as const;
    expect(await commit(unit(conflict, { op: "erase", owner: "a" }))).toEqual(["conflict"]);
    await discardAll();
    expect(await shown("a")).toMatchObject({ ids: [1], documents: 1 });
  });
}
