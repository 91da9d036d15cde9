// Contract rules of keyed documents: reading, paging, look-ups, erasure.
import { expect, it } from "@jest/globals";
import { placeOf } from "../port.js";
import type { Unit } from "../writes.js";
import { append, put, remove, unit } from "./samples.js";
import type { Bench } from "./suite.js";

export function documentRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const keysFound = async (field: string, value: string, limit = 99) =>
    (await bench.storage.find("tokens", field, value, limit)).map((row) => row.key);

  it("a document comes back equal, with nested values and any characters @1.9", async () => {
    const fields = { deep: [{ a: [1, -2.5, null, true] }, {}], text: "'\"\\\u0007 é 世界 🐦", "": "" };
    await commit(unit(put("ро́мео@a", "ключ/🗝", fields)));
    expect(await bench.storage.get("notes", "ро́мео@a", "ключ/🗝")).toEqual({
      store: "notes",
      owner: "ро́мео@a",
      key: "ключ/🗝",
      doc: { v: 1, ...fields },
      version: 1,
    });
  });

  it("what is read is the caller's own: changing the written object later changes nothing @1.9", async () => {
    const list = ["kept"];
    const doc = put("a", "n", { list });
    const written = commit(unit(doc));
    await written;
    list.push("later");
    expect((await bench.storage.get("notes", "a", "n"))?.doc["list"]).toEqual(["kept"]);
  });

  it("a store, an owner or a key that has nothing gives nothing @1.9", async () => {
    await commit(unit(put("a", "n")));
    expect(await bench.storage.get("rooms", "a", "n")).toBeUndefined();
    expect(await bench.storage.get("notes", "b", "n")).toBeUndefined();
    expect(await bench.storage.get("notes", "a", "N")).toBeUndefined();
    expect(await bench.storage.load(["b"], ["notes"])).toEqual(new Map([["b", []]]));
  });

  it("load gives all rows of several owners in several stores, ordered by store and key @1.9", async () => {
    await commit(
      unit(put("a", "2", {}, "tokens"), put("a", "b"), put("a", "a"), put("a", "x", {}, "rooms")),
      unit(put("b", "1", {}, "tokens"), put("c", "other")),
    );
    const loaded = await bench.storage.load(["a", "b", "none"], ["tokens", "notes"]);
    const places = [...loaded].map(([owner, rows]) => [owner, rows.map((row) => `${row.store}/${row.key}`)]);
    expect(places).toEqual([
      ["a", ["notes/a", "notes/b", "tokens/2"]],
      ["b", ["tokens/1"]],
      ["none", []],
    ]);
  });

  it("list walks a whole store by owner and key, each row once, in the order of UTF-8 bytes @1.9", async () => {
    const owners = ["\u{1F426}", "\uFFFD", "é", "z", "a", "Z"]; // a bird sorts last by bytes, but not by UTF-16 units
    await commit(...owners.map((owner) => unit(put(owner, "2"), put(owner, "1"), put(owner, "1", {}, "rooms"))));
    const seen: string[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < 20; pages++) {
      const rows = await bench.storage.list("notes", { limit: 5, ...(after === undefined ? {} : { after }) });
      seen.push(...rows.map((row) => row.owner + row.key));
      const last = rows.at(-1);
      if (!last) break;
      after = placeOf(last);
    }
    const ordered = ["Z", "a", "z", "é", "\uFFFD", "\u{1F426}"];
    expect(seen).toEqual(ordered.flatMap((owner) => [`${owner}1`, `${owner}2`]));
  });

  it("a look-up finds by one value or by each of a list, and follows updates and removals @1.9", async () => {
    await commit(
      unit(put("b", "t1", { user: "romeo", tags: ["x", "y", "x"] }, "tokens")),
      unit(put("a", "t2", { user: "romeo", tags: [] }, "tokens")),
      unit(put("a", "t3", { user: 5, tags: "y" }, "tokens")),
    );
    expect(await keysFound("user", "romeo")).toEqual(["t2", "t1"]);
    expect(await keysFound("user", "romeo", 1)).toEqual(["t2"]);
    expect(await keysFound("tags", "y")).toEqual(["t3", "t1"]);
    expect(await keysFound("user", "5")).toEqual([]);
    await commit(unit(put("b", "t1", { user: "juliet", tags: ["y", "z"] }, "tokens"), remove("a", "t3", "tokens")));
    expect(await keysFound("user", "romeo")).toEqual(["t2"]);
    expect(await keysFound("user", "juliet")).toEqual(["t1"]);
    expect(await keysFound("tags", "x")).toEqual([]);
    expect(await keysFound("tags", "y")).toEqual(["t1"]);
  });

  it("erase removes everything of an owner and nothing of others @1.9", async () => {
    const all = (owner: string) => [
      put(owner, "n"),
      put(owner, "t", { user: "romeo" }, "tokens"),
      put(owner, "r", {}, "rooms"),
    ];
    await commit(unit(...all("a"), append("a", 10, { pending: true })), unit(...all("ab"), append("ab", 11)));
    expect(await commit(unit({ op: "erase", owner: "a" }), unit({ op: "erase", owner: "nobody" }))).toEqual([
      "done",
      "done",
    ]);
    const stores = ["notes", "tokens", "rooms"];
    const left = await bench.storage.load(["a", "ab"], stores);
    expect([left.get("a")?.length, left.get("ab")?.length]).toEqual([0, 3]);
    expect(await keysFound("user", "romeo")).toEqual(["t"]);
    expect(await bench.storage.countLog("a", {})).toBe(0);
    expect(await bench.storage.countLog("a", { pending: true })).toBe(0);
    expect(await bench.storage.countLog("ab", {})).toBe(1);
  });
}
