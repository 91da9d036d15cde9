import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { inFolder } from "./contract/places.js";
import { put, unit } from "./contract/samples.js";
import { CONTRACT_STORES } from "./contract/stores.js";
import { openStorage } from "./open.js";

describe("storage.url", () => {
  it.each(["sqlite:rookery.db", "memory:"])("%s opens a store that takes units @1.9", (url) =>
    inFolder(async (dir) => {
      const storage = await openStorage(url, dir, CONTRACT_STORES);
      expect(await storage.commit([unit(put("a", "n"))])).toEqual(["done"]);
      await storage.close();
      expect(existsSync(join(dir, "rookery.db"))).toBe(url.startsWith("sqlite"));
    }),
  );

  it.each([
    ["mongodb://admin:secret@127.0.0.1/rookery", "later version"],
    ["postgres://admin:secret@127.0.0.1/rookery", '"postgres://…@127.0.0.1/rookery" is no kind of store'],
    ["rookery.db", "is no kind of store"],
    ["sqlite:", "is no kind of store"],
  ])("%s is refused with a line that says what to use, without its password @1.bad", async (url, text) => {
    const opened = openStorage(url, ".", CONTRACT_STORES);
    await expect(opened).rejects.toMatchObject({ kind: "unsupported", mend: expect.stringContaining("sqlite:") });
    await expect(opened).rejects.toThrow(text);
    await expect(opened).rejects.not.toThrow("secret");
  });
});
