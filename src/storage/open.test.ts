import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { StoragePlace } from "../core/config/values.js";
import { inFolder } from "./contract/places.js";
import { put, unit } from "./contract/samples.js";
import { CONTRACT_STORES } from "./contract/stores.js";
import { openStorage } from "./open.js";

describe("storage.url", () => {
  it.each<StoragePlace>([{ driver: "sqlite", file: "rookery.db" }, { driver: "memory" }])(
    "$driver opens a store that takes units @1.9",
    (place) =>
      inFolder(async (dir) => {
        const storage = await openStorage(place, dir, CONTRACT_STORES);
        expect(await storage.commit([unit(put("a", "n"))])).toEqual(["done"]);
        await storage.close();
        expect(existsSync(join(dir, "rookery.db"))).toBe(place.driver === "sqlite");
      }),
  );

  it("MongoDB is refused with a line that says what to use, without its password @1.bad", async () => {
    const opened = openStorage(
      { driver: "mongodb", url: "mongodb://admin:secret@127.0.0.1/rookery" },
      ".",
      CONTRACT_STORES,
    );
    await expect(opened).rejects.toMatchObject({ kind: "unsupported", mend: expect.stringContaining("sqlite:") });
    await expect(opened).rejects.toThrow("later version");
    await expect(opened).rejects.not.toThrow("secret");
  });
});
