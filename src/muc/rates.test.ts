import { describe, expect, it } from "@jest/globals";
import { Rate } from "./rates.js";

function rate(windowMs: number) {
  const clock = { now: 1_000_000 };
  return { clock, rate: new Rate(windowMs, () => clock.now) };
}

describe("a rate", () => {
  it("is all there at once, and comes back evenly @M11", () => {
    const { clock, rate: three } = rate(3000);
    expect([1, 2, 3, 4].map(() => three.take("hag", 3))).toEqual([true, true, true, false]);
    clock.now += 999;
    expect(three.take("hag", 3)).toBe(false);
    clock.now += 1;
    expect([three.take("hag", 3), three.take("hag", 3)]).toEqual([true, false]);
    clock.now += 60_000;
    expect([1, 2, 3, 4].map(() => three.take("hag", 3))).toEqual([true, true, true, false]);
  });

  it("is each one's own, and takes several together or none @M11", () => {
    const { rate: seven } = rate(1000);
    expect([seven.take("hag", 7, 6), seven.take("hag", 7, 2), seven.take("hag", 7)]).toEqual([true, false, true]);
    expect([seven.take("crone", 7, 7), seven.take("crone", 7)]).toEqual([true, false]);
    expect(seven.take("hag", Infinity, 1000)).toBe(true);
  });
});
