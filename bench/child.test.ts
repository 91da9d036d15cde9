import { describe, expect, it } from "@jest/globals";
import type { KitJob } from "./child.test.kit.js";
import { inChild } from "./child.js";

const perform = (does: KitJob["does"], number: number): Promise<number> =>
  inChild("child.test.kit.js", { does, number });

describe("a generator in a process of its own", () => {
  it("answers its job", async () => {
    expect(await perform("double", 21)).toBe(42);
  });

  it("fails with the error that the job failed with", async () => {
    await expect(perform("throw", 7)).rejects.toThrow("not 7");
  });

  it("fails when it ends without an answer", async () => {
    await expect(perform("end", 3)).rejects.toThrow("ended with 3");
  });
});
