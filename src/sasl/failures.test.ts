import { describe, expect, it } from "@jest/globals";
import { FailureLimiter, type FailureLimits } from "./failures.js";

const LIMITS: FailureLimits = {
  perAddress: { failures: 6, refillMs: 1000 },
  perAccountAtAddress: { failures: 3, refillMs: 10_000 },
  perAccount: { failures: 8, refillMs: 5000 },
};

function limiter(limits = LIMITS): {
  at: (address: string) => ReturnType<FailureLimiter["at"]>;
  clock: { now: number };
} {
  const clock = { now: 0 };
  const failures = new FailureLimiter(() => clock.now, limits);
  return { at: (address) => failures.at(address, "localhost"), clock };
}

function fail(attempts: ReturnType<FailureLimiter["at"]>, account: string, times: number): void {
  for (let i = 0; i < times; i++) attempts.failed(account);
}

describe("failed logins", () => {
  it("use up the account's budget at one address only @1.4 @A9", () => {
    const { at } = limiter();
    fail(at("192.0.2.1"), "juliet", 3);
    expect(at("192.0.2.1").mayTry("juliet")).toBe(false);
    expect(at("192.0.2.1").mayTry("romeo")).toBe(true);
    expect(at("192.0.2.2").mayTry("juliet")).toBe(true);
  });

  it("use up the address's budget over many accounts @1.4 @A9", () => {
    const { at } = limiter();
    for (let i = 0; i < 6; i++) at("192.0.2.1").failed(`user${i}`);
    expect(at("192.0.2.1").mayTry("juliet")).toBe(false);
    expect(at("192.0.2.2").mayTry("juliet")).toBe(true);
  });

  it("from many addresses use up the account's larger budget, but not where it logged in before @1.4 @A9", () => {
    const { at } = limiter();
    at("198.51.100.1").succeeded("juliet");
    for (let i = 0; i < 8; i++) at(`192.0.2.${i}`).failed("juliet");
    expect(at("203.0.113.1").mayTry("juliet")).toBe(false);
    expect(at("198.51.100.1").mayTry("juliet")).toBe(true);
  });

  it("are forgiven one by one as time passes @1.4 @A9", () => {
    const { at, clock } = limiter();
    fail(at("192.0.2.1"), "juliet", 3);
    clock.now = 9_999;
    expect(at("192.0.2.1").mayTry("juliet")).toBe(false);
    clock.now = 10_000;
    expect(at("192.0.2.1").mayTry("juliet")).toBe(true);
    at("192.0.2.1").failed("juliet");
    expect(at("192.0.2.1").mayTry("juliet")).toBe(false);
  });

  it("are forgiven at once by a success of that account at that address @1.4", () => {
    const { at } = limiter();
    fail(at("192.0.2.1"), "juliet", 2);
    at("192.0.2.1").succeeded("juliet");
    fail(at("192.0.2.1"), "juliet", 2);
    expect(at("192.0.2.1").mayTry("juliet")).toBe(true);
  });

  it("do not count against a budget of 0, which means off @1.4", () => {
    const off = { failures: 0, refillMs: 1000 };
    const { at } = limiter({ perAddress: off, perAccountAtAddress: off, perAccount: off });
    fail(at("192.0.2.1"), "juliet", 100);
    expect(at("192.0.2.1").mayTry("juliet")).toBe(true);
  });
});
