import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import type { ChannelBindingType } from "./channel-binding.js";
import { contextWith } from "./client.test.support.js";
import { createMechanism, type OfferConditions, offeredMechanisms } from "./mechanisms.js";

const SECURE: OfferConditions = { secure: true, requireTls: true, channelBindings: new Map(), anonymous: false };
const BOUND = new Map<ChannelBindingType, Buffer>([["tls-server-end-point", Buffer.alloc(32)]]);

describe("the mechanisms offered", () => {
  it("are in order of strength, -PLUS first @1.4", () => {
    expect(offeredMechanisms({ ...SECURE, channelBindings: BOUND, anonymous: true })).toEqual([
      "SCRAM-SHA-512-PLUS",
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-1-PLUS",
      "SCRAM-SHA-512",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
      "ANONYMOUS",
    ]);
  });

  it("have no -PLUS where no channel binding can be right @1.4", () => {
    expect(offeredMechanisms(SECURE)).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
  });

  it("are none on plain TCP, and without PLAIN where plain TCP is allowed @1.4 @A2", () => {
    expect(offeredMechanisms({ ...SECURE, secure: false, anonymous: true })).toEqual([]);
    const loopback = offeredMechanisms({ ...SECURE, secure: false, requireTls: false });
    expect(loopback).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]);
  });

  it("are the only ones that can be chosen @1.4 @A2", () => {
    const context = contextWith({}, { offered: ["SCRAM-SHA-1"] });
    expect(createMechanism("SCRAM-SHA-1", context)?.name).toBe("SCRAM-SHA-1");
    for (const name of ["PLAIN", "SCRAM-SHA-1-PLUS", "scram-sha-1", "ANONYMOUS", "EXTERNAL", ""])
      expect(createMechanism(name, context)).toBeUndefined();
  });
});

describe("ANONYMOUS", () => {
  it("gives each client a random UUID as its name, whatever trace it sends @1.4", async () => {
    const names = [];
    for (const trace of [undefined, Buffer.alloc(0), Buffer.from("sirhc")]) {
      const step = await createMechanism("ANONYMOUS", contextWith({}, { offered: ["ANONYMOUS"] }))?.start(trace);
      names.push(step && "success" in step ? step.success : "");
    }
    expect(new Set(names).size).toBe(3);
    for (const name of names)
      expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("refuses traces longer than RFC 4505 allows @1.4", async () => {
    const mechanism = createMechanism("ANONYMOUS", contextWith({}, { offered: ["ANONYMOUS"], randomBytes }));
    expect(await mechanism?.start(Buffer.alloc(1021))).toEqual({ failure: "malformed-request" });
  });
});
