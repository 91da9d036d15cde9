import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { systemClock, TimerWheel } from "./clock.js";
import { FakeClock } from "./fake-clock.js";
import { randomText, SeededRandom, systemRandom } from "./random.js";

/** A wheel whose time is moved by hand. */
function wheelOf(tickMs: number) {
  let now = 1_000_007;
  let asleep: (() => void) | undefined;
  const errors: unknown[] = [];
  const sleep = (_: number, wake: () => void): void => void (asleep = wake);
  const wheel = new TimerWheel(
    tickMs,
    () => now,
    sleep,
    (error) => errors.push(error),
  );
  const pass = (ms: number): void => {
    now += ms;
    const wake = asleep;
    asleep = undefined;
    wake?.();
  };
  return { wheel, pass, errors, isAsleep: () => asleep === undefined, now: () => now };
}

describe("the timer wheel", () => {
  it("calls not before the time and at most one tick after it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 400_000 }), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        (waits, steps) => {
          const { wheel, pass, now } = wheelOf(250);
          const start = now();
          const late: number[] = [];
          for (const ms of waits) wheel.after(ms, () => late.push(now() - start - ms));
          const longest = Math.max(...steps);
          for (let i = 0; wheel.size > 0; i++) pass(steps[i % steps.length] ?? 1);
          expect(late).toHaveLength(waits.length);
          for (const ms of late) expect(ms >= 0 && ms <= 250 + longest).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("forgets what is cancelled, also by a call of the same tick", () => {
    const { wheel, pass } = wheelOf(10);
    const called: string[] = [];
    const second = { cancel: (): void => undefined };
    wheel.after(20, () => {
      called.push("first");
      second.cancel();
    });
    const armed = wheel.after(20, () => called.push("second"));
    second.cancel = () => armed.cancel();
    wheel.after(20, () => called.push("third")).cancel();
    pass(30);
    expect(called).toEqual(["first"]);
    expect(wheel.size).toBe(0);
  });

  it("asks nothing of the system while it is empty", () => {
    const { wheel, pass, isAsleep } = wheelOf(10);
    expect(isAsleep()).toBe(true);
    const timer = wheel.after(1000, () => undefined);
    expect(isAsleep()).toBe(false);
    timer.cancel();
    timer.cancel();
    pass(10);
    expect(isAsleep()).toBe(true);
  });

  it("catches up after a stall longer than its round", () => {
    const { wheel, pass } = wheelOf(10);
    const called: number[] = [];
    for (const ms of [5, 4000, 9000, 20_000]) wheel.after(ms, () => called.push(ms));
    pass(10_000);
    expect(called.sort((a, b) => a - b)).toEqual([5, 4000, 9000]);
    pass(10_020);
    expect(called).toContain(20_000);
  });

  it("goes on when a call throws, and reports it", () => {
    const { wheel, pass, errors } = wheelOf(10);
    const called: string[] = [];
    wheel.after(10, () => {
      throw new Error("first");
    });
    wheel.after(10, () => called.push("second"));
    pass(30);
    expect(called).toEqual(["second"]);
    expect(errors).toHaveLength(1);
  });
});

describe("the system's clock", () => {
  it("calls later, and never after Infinity", async () => {
    const clock = systemClock((error) => expect(error).toBeUndefined());
    clock.after(Infinity, () => expect(true).toBe(false)).cancel();
    const before = clock.now();
    await new Promise<void>((resolve) => clock.soon(() => clock.after(1, resolve)));
    expect(clock.now()).toBeGreaterThanOrEqual(before);
  });
});

describe("the fake clock", () => {
  it("makes calls at their time, in order, also those that calls arm", () => {
    const clock = new FakeClock(0);
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(`${name}@${clock.now()}`);
    clock.after(20, note("b"));
    clock.after(10, () => {
      note("a")();
      clock.soon(note("soon"));
      clock.after(5, note("c"));
    });
    clock.after(20, note("d")).cancel();
    clock.after(Infinity, note("never"));
    clock.advance(19);
    expect(seen).toEqual(["a@10", "soon@10", "c@15"]);
    clock.advance(1);
    expect(seen.at(-1)).toBe("b@20");
    expect(clock.waiting).toBe(0);
  });
});

describe("random bytes", () => {
  it("are as many as asked for, and differ", () => {
    expect(systemRandom.bytes(16)).toHaveLength(16);
    expect(randomText(systemRandom)).toMatch(/^[\w-]{22}$/);
    expect(randomText(systemRandom)).not.toBe(randomText(systemRandom));
  });

  it("come again from the same seed, for tests", () => {
    const [a, b] = [new SeededRandom(1), new SeededRandom(1)];
    expect(a.bytes(70)).toEqual(b.bytes(70));
    expect(a.bytes(8)).not.toEqual(new SeededRandom(2).bytes(8));
  });
});
