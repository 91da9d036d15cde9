import { describe, expect, it } from "@jest/globals";
import { openMemory } from "../memory/memory.js";
import { failing } from "./faults.js";
import { put, unit } from "./samples.js";

const open = () => openMemory([{ name: "notes" }]);
const note = (key: string) => [unit(put("a", key))];

describe("a failing store for tests", () => {
  it("holds commits until they are released, then writes them in order", async () => {
    const storage = failing(open());
    storage.hold();
    const first = storage.commit(note("n"));
    const second = storage.commit([unit({ ...put("a", "n"), ifVersion: 1 })]);
    expect(await storage.get("notes", "a", "n")).toBeUndefined();
    expect([storage.commits, storage.held]).toEqual([2, 2]);
    storage.release();
    expect([await first, await second]).toEqual([["done"], ["done"]]);
  });

  it("fails the commits that the plan names, and the next ones on demand", async () => {
    const storage = failing(open(), new Map([[2, { outcome: "refused" }]]));
    storage.failNext("conflict");
    const outcomes = [];
    for (const key of ["1", "2", "3"]) outcomes.push(...(await storage.commit(note(key))));
    expect(outcomes).toEqual(["conflict", "refused", "done"]);
    expect((await storage.list("notes", { limit: 9 })).map((row) => row.key)).toEqual(["3"]);
  });

  it("can write a commit whose answer is lost", async () => {
    const storage = failing(open());
    storage.failNext("unknown", { written: true });
    expect(await storage.commit(note("n"))).toEqual(["unknown"]);
    expect(await storage.get("notes", "a", "n")).toBeDefined();
  });
});
