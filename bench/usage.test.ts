import { describe, expect, it } from "@jest/globals";
import { idle } from "./usage.js";

/** How many seconds are waited for a server that has used so much at the start and after each second. */
async function waited(used: (second: number) => number): Promise<number> {
  let seconds = 0;
  const wait = (ms: number): Promise<void> => Promise.resolve(void (seconds += ms / 1000));
  await idle(() => used(seconds), wait);
  return seconds;
}

describe("a server that is to be idle", () => {
  it("is waited for until a second passes in which it does next to nothing", async () => {
    expect(await waited((second) => Math.min(second, 3))).toBe(4);
  });

  it("is not waited for for ever", async () => {
    expect(await waited((second) => second)).toBe(120);
  });
});
