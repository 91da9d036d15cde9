// From the setting storage.url to a driver.
import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { systemClock, type Clock } from "../core/clock.js";
import type { StoragePlace } from "../core/config/values.js";
import { codeOf } from "../core/reason.js";
import { type Random, randomText, systemRandom } from "../core/random.js";
import { openMemory } from "./memory/memory.js";
import type { Holder } from "./mongo/lease.js";
import type { Patience } from "./mongo/link.js";
import type { Storage, StoreSpec } from "./port.js";
import { faultOf } from "./sqlite/faults.js";
import { isOurs } from "./sqlite/file.js";
import { makeFolder } from "./sqlite/folder.js";
import { openSqlite, type SqliteOptions } from "./sqlite/sqlite.js";

export interface OpenOptions extends SqliteOptions {
  /** For a store that other machines can reach: its lease and time limits. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly patience?: Patience;
}

/**
 * Opens the store that storage.url names. Rejects with a StoreFault that says what is wrong and what to do. The caller holds the lock of
 * the data folder.
 */
export async function openStorage(
  place: StoragePlace,
  dataDir: string,
  stores: readonly StoreSpec[],
  options: OpenOptions = {},
): Promise<Storage> {
  switch (place.driver) {
    case "memory":
      return openMemory(stores);
    case "sqlite":
      return openSqlite(resolve(dataDir, place.file), stores, options);
    case "mongodb": {
      const { openMongo } = await import("./mongo/mongo.js"); // 20 MB of memory that no other store needs
      const { random = systemRandom, clock = systemClock(lost), report, patience } = options;
      const more = { ...(report && { report }), ...(patience && { patience }) };
      return openMongo(place.url, stores, { clock, holder: () => holderIn(dataDir, random), ...more });
    }
    default:
      return place satisfies never;
  }
}

/** Whether the store that storage.url names has data yet or can be reached. Rejects with a StoreFault if not; nothing is written. */
export async function inspectStorage(place: StoragePlace, dataDir: string): Promise<string> {
  switch (place.driver) {
    case "memory":
      return "is lost when the server ends";
    case "sqlite":
      return isOurs(resolve(dataDir, place.file)) ? "can be used" : "will be made";
    case "mongodb": {
      const { inspectMongo } = await import("./mongo/mongo.js");
      await inspectMongo(place.url);
      return "can be used";
    }
    default:
      return place satisfies never;
  }
}

/**
 * This installation as the holder of a lease. Its text is kept in the data folder: after a crash the same installation, and only that
 * one, may start again at once.
 */
function holderIn(dataDir: string, random: Random): Holder {
  const file = join(dataDir, "installation.id");
  const who = `the server on ${hostname()}, process ${process.pid}, data folder ${resolve(dataDir)}`;
  return { holder: idIn(file, random), session: randomText(random), who };
}

function idIn(file: string, random: Random): string {
  try {
    return readFileSync(file, "latin1").trim() || madeIn(file, random);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return madeIn(file, random);
    throw faultOf(error, file);
  }
}

function madeIn(file: string, random: Random): string {
  const id = randomText(random);
  try {
    makeFolder(resolve(file, ".."));
    writeFileSync(file, `${id}\n`, { mode: 0o600 });
  } catch (error) {
    throw faultOf(error, file);
  }
  return id;
}

function lost(error: unknown): never {
  throw new Error("a timer of the store failed", { cause: error });
}
