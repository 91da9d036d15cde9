import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { StoragePlace } from "../core/config/values.js";
import { inFolder } from "./contract/places.js";
import { put, unit } from "./contract/samples.js";
import { CONTRACT_STORES } from "./contract/stores.js";
import { openStorage } from "./open.js";
import type { StoreFault } from "./port.js";

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

  it("a MongoDB that does not answer is told in one line, without its password, and nothing is made @2.5 @1.bad", () =>
    inFolder(async (dir) => {
      const url = "mongodb://admin:secret@127.0.0.1:1/rookery";
      const patience = { selectMs: 300, answerMs: 1000 };
      const opened = openStorage({ driver: "mongodb", url }, join(dir, "data"), CONTRACT_STORES, { patience });
      const fault = (await opened.catch((error: unknown) => error)) as StoreFault;
      expect(fault).toMatchObject({ name: "StoreFault", kind: "unreachable" });
      expect(fault.describe).toMatch(
        /^storage\.url: no answer from mongodb:\/\/127\.0\.0\.1:1\/rookery [^\n]*ECONNREFUSED/,
      );
      expect(fault.describe).not.toContain("secret");
      expect(existsSync(join(dir, "data"))).toBe(false);
    }));
});
