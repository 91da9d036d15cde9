import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "./fake-clock.js";
import { idFromText, Ids, idToText, timeOf } from "./ids.js";

describe("log ids", () => {
  it("rise strictly, within a millisecond and when the clock goes back @1.9", () => {
    const clock = new FakeClock(1000);
    const ids = new Ids(clock, 0);
    const given = Array.from({ length: 3000 }, () => ids.next());
    expect(given.every((id, i) => i === 0 || id > (given[i - 1] ?? 0))).toBe(true);
    const fromStore = new Ids(clock, 9_000_000);
    expect(fromStore.next()).toBe(9_000_001);
  });

  it("carry their time and survive the wire form, which sorts as they do", () => {
    const id = 1_750_000_000_000 * 1024 + 17;
    expect(timeOf(id)).toBe(1_750_000_000_000);
    expect(idFromText(idToText(id))).toBe(id);
    expect(idToText(id) < idToText(id + 1)).toBe(true);
  });

  it.each(["", "0", "zzzzzzzzzzzzzzzz", "0000000000u", "zzzzzzzzzzz"])("are not made from %j", (text) => {
    expect(idFromText(text)).toBeUndefined();
  });
});
