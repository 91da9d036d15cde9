import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { contextWith, counting, ITERATIONS, type Work } from "./client.test.support.js";
import { type Credentials, deriveCredentials } from "./credentials.js";
import type { SaslContext, SaslStep } from "./mechanism.js";
import { plain } from "./plain.js";

let accounts: Readonly<Record<string, Credentials>>;
beforeAll(async () => {
  accounts = { juliet: await deriveCredentials("r\u00f6se f\u00fcr dich", ITERATIONS, randomBytes) };
});

const PASSWORD = "r\u00f6se f\u00fcr dich";

describe("PLAIN", () => {
  it.each([
    ["as it is", `\0juliet\0${PASSWORD}`],
    ["in capitals", `\0JULIET\0${PASSWORD}`],
    ["with the own authzid", `juliet@localhost\0juliet\0${PASSWORD}`],
    ["with the password decomposed", `\0juliet\0${PASSWORD.normalize("NFD")}`],
    ["with another kind of space", `\0juliet\0${PASSWORD.replace(" ", "\u00a0")}`],
  ])("lets the user in: name %s @1.4", async (_how, message) => {
    expect(await answer(message)).toEqual({ success: "juliet" });
  });

  it.each<[string, SaslStep, string]>([
    ["a wrong password", { failure: "not-authorized" }, "\0juliet\0wrong"],
    ["the password in another case", { failure: "not-authorized" }, `\0juliet\0${PASSWORD.toUpperCase()}`],
    ["an unknown user", { failure: "not-authorized" }, `\0romeo\0${PASSWORD}`],
    ["a user named like a property", { failure: "not-authorized" }, `\0__proto__\0${PASSWORD}`],
    ["a password that cannot be", { failure: "not-authorized" }, "\0juliet\0\u0007"],
    ["another user's authzid", { failure: "invalid-authzid" }, `romeo@localhost\0juliet\0${PASSWORD}`],
    ["a bare name as authzid", { failure: "invalid-authzid" }, `romeo\0juliet\0${PASSWORD}`],
    ["a full JID as authzid", { failure: "invalid-authzid" }, `juliet@localhost/x\0juliet\0${PASSWORD}`],
    ["no message", { failure: "malformed-request" }, ""],
    ["no password", { failure: "malformed-request" }, "\0juliet\0"],
    ["no name", { failure: "malformed-request" }, `\0\0${PASSWORD}`],
    ["one separator too few", { failure: "malformed-request" }, `juliet\0${PASSWORD}`],
    ["one separator too many", { failure: "malformed-request" }, `\0juliet\0${PASSWORD}\0`],
  ])("refuses %s @1.4 @A5", async (_what, step, message) => {
    expect(await answer(message)).toEqual(step);
  });

  it("refuses a connection that is not secure without looking at the password @1.4 @A2", async () => {
    expect(await answer(`\0juliet\0${PASSWORD}`, { secure: false })).toEqual({ failure: "encryption-required" });
  });

  it("does the same work for an unknown user, a wrong password and an impossible one @1.4 @A7", async () => {
    const seen = [];
    for (const message of [
      "\0romeo\0x",
      "\0juliet\0x",
      "\0juliet\0\u0007",
      "\0no such\u265a\0x",
      `\0juliet\0${PASSWORD}`,
    ]) {
      const work: Work = { derive: 0, hmac: 0, hash: 0 };
      await answer(message, { crypto: counting(work) });
      seen.push(work);
    }
    for (const work of seen) expect(work).toEqual({ derive: 1, hmac: 5, hash: 1 });
  });

  it("counts failures, forgives on success, and answers temporary-auth-failure without work @1.4", async () => {
    const events: string[] = [];
    const attempts = {
      mayTry: (name: string) => name !== "nurse",
      failed: (name: string) => void events.push(`failed ${name}`),
      succeeded: (name: string) => void events.push(`succeeded ${name}`),
    };
    const work: Work = { derive: 0, hmac: 0, hash: 0 };
    await answer("\0juliet\0wrong", { attempts });
    await answer(`\0juliet\0${PASSWORD}`, { attempts });
    const refused = await answer("\0nurse\0x", { attempts, crypto: counting(work) });
    expect(refused).toEqual({ failure: "temporary-auth-failure" });
    expect(events).toEqual(["failed juliet", "succeeded juliet"]);
    expect(work.derive).toBe(0);
  });
});

function answer(message: string, changes: Partial<SaslContext> = {}): Promise<SaslStep> {
  return plain(contextWith(accounts, changes)).start(Buffer.from(message));
}
