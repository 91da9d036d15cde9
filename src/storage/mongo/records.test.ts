import { describe, expect, it } from "@jest/globals";
import { toWire, wireOf } from "../../xml/wire.js";
import { NOTHING_SETTLED } from "../pending.js";
import { append, entry, put } from "../contract/samples.js";
import { contentOf, idsBehind, placeId, rowOf } from "./documents.js";
import { logRowOf, queryOf, recordOf, wireIn } from "./entries.js";

describe("documents as records", () => {
  it("a row comes back from its record, whatever its key holds @2.5", () => {
    const place = { store: "tokens", owner: "é@a", key: "k/🗝 " };
    const doc = { v: 2, user: "romeo", tags: ["x", "y", "x", 1], "$set.a": { "": null } };
    const record = {
      _id: placeId(place),
      store: "tokens",
      owner: "é@a",
      version: 7,
      ...contentOf({ store: "tokens", doc }, ["user", "tags"]),
    };
    expect(record.finds).toEqual(["tokens\0user\0romeo", "tokens\0tags\0x", "tokens\0tags\0y"]);
    expect(rowOf(record)).toEqual({ ...place, doc, version: 7 });
  });

  it("a document that nothing finds has no list of values @2.5", () => {
    expect(contentOf(put("a", "n", { user: 5 }), ["user"])).toEqual({ doc: '{"v":1,"user":5}' });
  });

  it("the ids of a store end before those of another that begins alike @2.5", () => {
    const { $gt, $lt } = idsBehind("room");
    const ids = [placeId({ store: "room", owner: "", key: "" }), placeId({ store: "rooms", owner: "a", key: "" })];
    expect(ids.map((id) => id >= $gt && id < $lt)).toEqual([true, false]);
    expect(idsBehind("room", "a\0k").$gt).toBe("room\0a\0k");
  });
});

describe("entries as records", () => {
  it("every byte of a stanza goes in as Binary and comes back @2.5", () => {
    const stanza = wireOf(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    const record = recordOf(5, {
      op: "append",
      owner: "a",
      id: 9,
      entry: entry("", { stanza, originId: "o", resource: "r" }),
    });
    expect(record).toMatchObject({
      _id: 5,
      owner: "a",
      id: 9,
      originId: "o",
      resource: "r",
      stanza: { _bsontype: "Binary" },
    });
    expect(Object.keys(record)).not.toContain("pending");
    expect(wireIn(record.stanza)).toBe(stanza);
    expect(wireIn(Buffer.from("abc"))).toBe(toWire("abc"));
  });

  it("an entry is pending as appended, unless the cursor says otherwise @2.5", () => {
    const cursor = { settledTo: 10, open: [4] };
    const pending = (id: number) => logRowOf(recordOf(1, append("a", id, { pending: true })), cursor).pending;
    expect([3, 4, 10, 11].map(pending)).toEqual([false, true, false, true]);
    expect(logRowOf(recordOf(1, append("a", 11)), cursor).pending).toBe(false);
  });

  it.each([
    [{}, { owner: "a" }],
    [
      { after: 1, before: 9 },
      { owner: "a", id: { $gt: 1, $lt: 9 } },
    ],
    [
      { with: "b@c", resource: "r" },
      { owner: "a", with: "b@c", resource: "r" },
    ],
    [{ shown: true, originId: "o" } as const, { owner: "a", hidden: { $exists: false }, originId: "o" }],
    [{ text: "Good NIGHT" }, { owner: "a", hidden: { $exists: false }, words: { $all: ["good", "night"] } }],
    [{ pending: true } as const, { $and: [{ owner: "a" }, { pending: true, id: { $gt: -1 } }] }],
    [{ text: "…" }, undefined],
    [{ ids: [] }, undefined],
  ])("the range %j as a query @2.5", (range, query) => {
    expect(queryOf("a", range, NOTHING_SETTLED)).toEqual(query);
  });
});
