import { describe, expect, it } from "@jest/globals";
import { CODE } from "./faults.js";
import { MongoPlace } from "./place.js";
import { readReply, type Reply } from "./reply.js";

const PLACE = new MongoPlace("mongodb://db.example/rookery");
const failing = (index: number, code: number, more: object = {}): Reply => ({
  n: index,
  writeErrors: [{ index, code, ...more }],
});

describe("the answer to an ordered write command", () => {
  it.each<[string, Reply, object]>([
    ["all done", { n: 3 }, { fate: "done", done: 3, touched: 3 }],
    ["nothing met", { n: 0 }, { fate: "done", done: 3, touched: 0 }],
    [
      "a duplicate",
      failing(1, 11_000, { keyPattern: { owner: 1, id: 1 } }),
      { fate: "duplicate", done: 1, index: "owner,id" },
    ],
    [
      "a duplicate number",
      failing(2, 11_000, { errmsg: "E11000 … index: _id_ dup key: { … }" }),
      { fate: "duplicate", done: 2, index: "_id" },
    ],
    [
      "a duplicate of an index",
      failing(0, 11_000, { errmsg: "E11000 … index: place dup key: { … }" }),
      { fate: "duplicate", done: 0, index: "" },
    ],
    ["a full disk", failing(1, CODE.outOfDiskSpace), { fate: "refused", done: 1, fault: { kind: "full" } }],
    [
      "a time-out on the way",
      failing(2, CODE.maxTimeExpired),
      { fate: "unknown", done: 2, fault: { kind: "unreachable" } },
    ],
    [
      "no majority",
      { n: 3, writeConcernError: { code: 64, errmsg: "timed out" } },
      { fate: "unknown", done: 0, fault: { kind: "unreachable" } },
    ],
    ["no majority, and a failure", { ...failing(1, 2), writeConcernError: { code: 64 } }, { fate: "unknown", done: 0 }],
  ])("%s @2.5", (_, reply, answered) => {
    expect(readReply(reply, 3, PLACE)).toMatchObject(answered);
  });

  it("one document that is too large is refused, not taken for a command that is @2.5", () => {
    expect(readReply(failing(1, CODE.bsonObjectTooLarge), 3, PLACE)).toMatchObject({ fate: "refused", done: 1 });
  });
});
