// Contract rules of commit(): atomicity, order, outcomes, conflicts, durability across a restart.
import { expect, it } from "@jest/globals";
import type { Unit } from "../writes.js";
import { append, put, remove, unit } from "./samples.js";
import type { Bench } from "./suite.js";

export function unitRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const note = async (owner: string, key: string) => (await bench.storage.get("notes", owner, key))?.doc["text"];

  it("a commit of nothing, and a unit of nothing, are done @1.9", async () => {
    expect(await commit()).toEqual([]);
    expect(await commit(unit())).toEqual(["done"]);
  });

  it("a batch has one outcome per unit, in order, and one failing unit leaves the others alone @1.9", async () => {
    await commit(unit(put("a", "taken")));
    const outcomes = await commit(
      unit(put("a", "first")),
      unit({ ...put("a", "taken"), ifAbsent: true }),
      unit(put("a", "third"), append("a", 1)),
      unit({ ...put("a", "missing"), ifVersion: 1 }),
    );
    expect(outcomes).toEqual(["done", "conflict", "done", "conflict"]);
    expect((await bench.storage.list("notes", { limit: 9 })).map((row) => row.key)).toEqual([
      "first",
      "taken",
      "third",
    ]);
  });

  it("a unit that conflicts at its end leaves nothing of its writes, in documents, look-ups or logs @1.9", async () => {
    const before = [put("gone", "n", { text: "kept" }), put("a", "t", { user: "old" }, "tokens")];
    await commit(unit(...before, append("gone", 1, { pending: true }), append("a", 2, { pending: true })));
    const outcomes = await commit(
      unit(
        put("a", "n", { text: "new" }),
        put("a", "t", { user: "new" }, "tokens"),
        append("a", 3),
        append("newcomer", 4),
        { op: "settle", owner: "a", ids: [2] },
        { op: "erase", owner: "gone" },
        { ...remove("a", "absent"), ifVersion: 1 },
      ),
      unit(append("newcomer", 5)),
    );
    expect(outcomes).toEqual(["conflict", "done"]);
    expect(await note("a", "n")).toBeUndefined();
    expect(await note("gone", "n")).toBe("kept");
    expect(await bench.storage.countLog("gone", {})).toBe(1);
    expect(await bench.storage.find("tokens", "user", "new", 9)).toEqual([]);
    expect(await bench.storage.find("tokens", "user", "old", 9)).toHaveLength(1);
    expect((await bench.storage.log("a", { limit: 9, pending: true })).map((row) => row.id)).toEqual([2]);
    expect((await bench.storage.log("newcomer", { limit: 9 })).map((row) => row.id)).toEqual([5]);
  });

  it("the writes of a unit, and the units of a batch, take effect in their order @1.9", async () => {
    await commit(
      unit(put("a", "n", { text: "1" }), remove("a", "n"), put("a", "n", { text: "2" })),
      unit({ ...put("a", "n", { text: "3" }), ifVersion: 1 }),
      unit({ op: "erase", owner: "b" }, put("b", "n", { text: "after" })),
    );
    expect(await note("a", "n")).toBe("3");
    expect(await note("b", "n")).toBe("after");
  });

  it("a unit that many were made of may be sent again in its parts, and ends the same @1.9 @3.2", async () => {
    const parts = [
      unit(append("room", 1), put("room", "subject", { text: "first" })),
      unit(append("room", 2), { op: "revise", owner: "room", id: 1, stanza: append("room", 9).entry.stanza }),
      unit(append("room", 3), put("room", "subject", { text: "second" }), remove("room", "gone")),
    ];
    expect(await commit(unit(...parts.flatMap(({ writes }) => writes)))).toEqual(["done"]);
    const before = await bench.storage.log("room", { limit: 9 });
    for (const part of parts) expect(await commit(part)).toEqual(["done"]);
    expect(await bench.storage.log("room", { limit: 9 })).toEqual(before);
    expect(before.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(await note("room", "subject")).toBe("second");
  });

  it("of two units of one batch that race on ifAbsent the first wins @1.9", async () => {
    const claim = (text: string) => unit({ ...put("a", "claim", { text }), ifAbsent: true });
    expect(await commit(claim("first"), claim("second"))).toEqual(["done", "conflict"]);
    expect(await note("a", "claim")).toBe("first");
  });

  it("of two commits under way that race on ifVersion the first wins @1.9", async () => {
    await commit(unit(put("a", "n", { text: "old" })));
    const change = (text: string) => commit(unit({ ...put("a", "n", { text }), ifVersion: 1 }));
    expect(await Promise.all([change("first"), change("second")])).toEqual([["done"], ["conflict"]]);
    expect(await note("a", "n")).toBe("first");
  });

  it("a version starts at 1, grows with each put and guards removal @1.9", async () => {
    await commit(unit(put("a", "n")), unit(put("a", "n")));
    expect((await bench.storage.get("notes", "a", "n"))?.version).toBe(2);
    expect(await commit(unit({ ...remove("a", "n"), ifVersion: 1 }))).toEqual(["conflict"]);
    expect(await commit(unit({ ...remove("a", "n"), ifVersion: 2 }))).toEqual(["done"]);
    expect(await commit(unit(remove("a", "n")))).toEqual(["done"]);
    await commit(unit({ ...put("a", "n"), ifAbsent: true }));
    expect((await bench.storage.get("notes", "a", "n"))?.version).toBe(1);
  });

  it("many commits under way at once all land, in the order they were made @1.9", async () => {
    const all = Array.from({ length: 50 }, (_, n) =>
      commit(unit(put("a", "n", { text: String(n) }), append("a", n + 1))),
    );
    expect((await Promise.all(all)).flat()).toEqual(Array.from({ length: 50 }, () => "done"));
    expect(await note("a", "n")).toBe("49");
    expect((await bench.storage.get("notes", "a", "n"))?.version).toBe(50);
  });

  it("a write to an undeclared store rejects, and nothing of the batch is written @1.9", async () => {
    await expect(commit(unit(put("a", "n")), unit(put("a", "n", {}, "unheard-of")))).rejects.toThrow("not declared");
    expect(await note("a", "n")).toBeUndefined();
    await expect(bench.storage.find("notes", "text", "x", 1)).rejects.toThrow("no look-up");
  });

  it("what was committed is there after a restart: documents, versions, look-ups, logs, pending marks @1.9", async () => {
    await commit(
      unit(put("é", "k", { text: "ü" }), put("é", "k", { text: "ö" }), put("é", "t", { user: "ж" }, "tokens")),
      unit(append("é", 7, { pending: true, originId: "o1" }), append("é", 8)),
    );
    const read = async () => [
      await bench.storage.load(["é"], ["notes", "tokens"]),
      await bench.storage.find("tokens", "user", "ж", 9),
      await bench.storage.log("é", { limit: 9 }),
      await bench.storage.highestId(),
    ];
    const before = await read();
    await bench.reopen();
    expect(await read()).toEqual(before);
    expect(await bench.storage.log("é", { limit: 9, pending: true })).toHaveLength(1);
    expect(await commit(unit({ ...put("é", "k"), ifVersion: 2 }))).toEqual(["done"]);
  });

  it("after close() commits are refused and reads reject; what was under way has landed @1.9", async () => {
    const underWay = commit(unit(put("a", "n", { text: "landed" })));
    const closed = bench.storage;
    await closed.close();
    expect(await underWay).toEqual(["done"]);
    expect(await closed.commit([unit(put("a", "late"))])).toEqual(["refused"]);
    await expect(closed.get("notes", "a", "n")).rejects.toMatchObject({ kind: "closed" });
    await expect(closed.probe()).rejects.toMatchObject({ kind: "closed" });
    await closed.close();
    await bench.reopen();
    expect(await note("a", "n")).toBe("landed");
  });

  it("a probe of a working store resolves and leaves no trace @1.9", async () => {
    await bench.storage.probe();
    expect(await bench.storage.highestId()).toBe(0);
  });
}
