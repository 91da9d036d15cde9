import { describe, expect, it } from "@jest/globals";
import { StanzaError } from "../../stanza/errors.js";
import { Line } from "./turns.js";

/** Work that ends when told to. */
function held() {
  const ends: (() => void)[] = [];
  const work = () => new Promise<number>((resolve) => ends.push(() => resolve(ends.length)));
  return { ends, work };
}

describe("a line of work", () => {
  it("does one thing at a time, in order, and refuses what is too much @M9 @2.2", async () => {
    const { ends, work } = held();
    const line = new Line(2);
    const results = [1, 2, 3].map(() => line.take(work));
    expect(await line.take(work)).toBeInstanceOf(StanzaError);
    for (const [n, result] of results.entries()) {
      expect(ends.length).toBe(n + 1);
      ends[n]?.();
      expect(await result).toBe(n + 1);
    }
    const again = line.take(work);
    await Promise.resolve();
    ends[3]?.();
    expect(await again).toBe(4);
  });

  it("goes on after a failure, which only its own asker sees @M9", async () => {
    const line = new Line(2);
    const failing = line.take(() => Promise.reject(new Error("no")));
    const next = line.take(() => Promise.resolve("done"));
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe("done");
  });
});
