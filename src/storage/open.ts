// From the setting storage.url to a driver.
import { resolve } from "node:path";
import type { StoragePlace } from "../core/config/values.js";
import { openMemory } from "./memory/memory.js";
import { StoreFault, type Storage, type StoreSpec } from "./port.js";
import { openSqlite, type SqliteOptions } from "./sqlite/sqlite.js";

/**
 * Opens the store that storage.url names. Rejects with a StoreFault that says what is wrong and what to do. The caller holds the lock of
 * the data folder.
 */
export async function openStorage(
  place: StoragePlace,
  dataDir: string,
  stores: readonly StoreSpec[],
  options: SqliteOptions = {},
): Promise<Storage> {
  switch (place.driver) {
    case "memory":
      return openMemory(stores);
    case "sqlite":
      return openSqlite(resolve(dataDir, place.file), stores, options);
    case "mongodb":
      throw new StoreFault("unsupported", "storage.url: MongoDB comes with a later version", 'use "sqlite:rookery.db"');
    default:
      return place satisfies never;
  }
}
