// From the setting storage.url to a driver.
import { resolve } from "node:path";
import { openMemory } from "./memory/memory.js";
import { StoreFault } from "./port.js";
import type { Storage, StoreSpec } from "./port.js";
import { openSqlite } from "./sqlite/sqlite.js";
import type { SqliteOptions } from "./sqlite/sqlite.js";

/**
 * Opens the store a URL names: "sqlite:FILE" (relative to the data folder), or "memory:", which forgets everything at the end.
 * Rejects with a StoreFault that says what is wrong and what to do. The caller holds the lock of the data folder.
 */
export async function openStorage(
  url: string,
  dataDir: string,
  stores: readonly StoreSpec[],
  options: SqliteOptions = {},
): Promise<Storage> {
  const [, scheme = "", rest = ""] = /^([a-z0-9+]+):(.*)$/is.exec(url) ?? [];
  switch (scheme.toLowerCase()) {
    case "memory":
      return openMemory(stores);
    case "sqlite":
      if (rest) return openSqlite(resolve(dataDir, rest), stores, options);
      break;
    case "mongodb":
    case "mongodb+srv":
      throw new StoreFault("unsupported", "storage.url: MongoDB comes with a later version", 'use "sqlite:rookery.db"');
  }
  const known = 'use "sqlite:FILE" or "memory:"';
  throw new StoreFault("unsupported", `storage.url: "${withoutPassword(url)}" is no kind of store`, known);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/]*@/, "//…@");
}
