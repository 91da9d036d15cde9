import { describe, expect, it } from "@jest/globals";
import { StanzaError, StreamError } from "./errors.js";

describe("errors that the peer is told", () => {
  it.each([
    ["of a stanza", () => new StanzaError("service-unavailable")],
    ["of a stream", () => new StreamError("policy-violation", "too much")],
  ])("%s cost no stack trace, and others keep theirs @1.9", (_, make) => {
    const error = make();
    expect(error).toBeInstanceOf(Error);
    expect(error.stack?.split("\n")).toHaveLength(1);
    expect(new Error("ours").stack?.split("\n").length).toBeGreaterThan(2);
  });
});
