import { describe, expect, it } from "@jest/globals";
import {
  MongoBulkWriteError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} from "mongodb";
import { StoreFault } from "../port.js";
import { badUrlFault, CODE, faultOf, fateOf } from "./faults.js";
import { Link } from "./link.js";
import { MongoPlace } from "./place.js";

const PLACE = new MongoPlace("mongodb://rook:s3cret@db.example/rookery");
const answered = (code: number) => new MongoServerError({ message: `no. ${code} s3cret`, code });
const connecting = new MongoNetworkError("connect", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) });
const cleared = Object.assign(new Error("Connection interrupted due to server monitor timeout"), {
  name: "MongoPoolClearedError", // of a class that the driver does not export
});
const unconfirmed = new MongoWriteConcernError({ ok: 1, writeConcernError: { code: 64, errmsg: "waiting timed out" } });

describe("errors of the driver", () => {
  it.each([
    ["nobody to send it to", new MongoServerSelectionError("timed out", {} as never), "unsent", "unreachable"],
    ["a connection that was refused", connecting, "unsent", "unreachable"],
    ["a connection lost in the middle", new MongoNetworkError("connection closed", {}), "unknown", "unreachable"],
    ["a server given up while it was asked", cleared, "unknown", "unreachable"],
    ["no answer in time", new MongoNetworkTimeoutError("timed out", {}), "unknown", "unreachable"],
    ["a time-out on the server", answered(CODE.maxTimeExpired), "unknown", "unreachable"],
    ["a primary that steps down", answered(CODE.primarySteppedDown), "unknown", "unreachable"],
    ["a server that is no primary", answered(CODE.notWritablePrimary), "unknown", "unreachable"],
    ["a write that no majority has", unconfirmed, "unknown", "unreachable"],
    ["a full disk", answered(CODE.outOfDiskSpace), "refused", "full"],
    ["a user without the right", answered(CODE.unauthorized), "refused", "unreadable"],
    ["a wrong password", answered(CODE.authenticationFailed), "refused", "unreadable"],
    ["anything else that the server says", answered(59), "refused", "failed"],
    ["a document that is too large to be sent", new MongoInvalidArgumentError("too large"), "oversized", "failed"],
    ["a document that is too large for the server", answered(CODE.bsonObjectTooLarge), "oversized", "failed"],
    ["an error that nobody expects", new Error("surprise"), "unknown", "failed"],
  ])("%s @2.5", (_, error, fate, kind) => {
    expect(fateOf(error)).toBe(fate);
    const fault = faultOf(error, PLACE);
    expect(fault).toMatchObject({ name: "StoreFault", kind });
    expect(fault.describe).toMatch(/^.*mongodb:\/\/db\.example\/rookery.*$/);
    expect(fault.describe).not.toContain("s3cret");
  });

  it("are not handed on: they carry what was to be written @2.5", () => {
    const error = new MongoBulkWriteError({ message: "E1", code: 1, writeErrors: [] }, {} as never);
    expect(faultOf(error, PLACE).cause).toBeUndefined();
  });

  it("a StoreFault stays itself", () => {
    const fault = new StoreFault("newer", "a", "b");
    expect(faultOf(fault, PLACE)).toBe(fault);
  });
});

describe("a URL that the driver does not take", () => {
  it.each([
    ["mongodb://rook:s3c/ret@db.example/rookery", "percent-encode"],
    ["mongodb://rook:s3cret@db.example/rookery?colour=red", "option colour is not supported"],
    ["mongodb://rook:s3cret@db.example/rookery?w=s3cret&authMechanism=s3cret", "percent-encode"],
  ])("%s is refused in one line without its password @2.5 @1.bad", async (url, says) => {
    const fault = await Link.open(url).then(
      () => undefined,
      (error: unknown) => error as StoreFault,
    );
    expect(fault).toMatchObject({ name: "StoreFault", kind: "unreadable" });
    expect(fault?.describe).toMatch(/^storage\.url [^\n]*$/);
    expect(fault?.describe).toContain(says);
    expect(fault?.describe).not.toMatch(/s3c|ret@/);
  });

  it("what the driver says of it is repeated only where it cannot hold a part of it", () => {
    expect(badUrlFault(new Error("Unable to parse s3cret with URL"), PLACE).describe).not.toContain("s3cret");
  });
});
