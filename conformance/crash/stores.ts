// The stores that the suite runs on, and how many rounds each gets. MongoDB's is a process of its own, which is not killed here: what
// becomes of a database that dies is the driver's own suite (conformance/mongo).
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { type MongoServer, mongoServer } from "../servers/mongo.js";
import { TOOLS } from "../tools.js";

export interface Store {
  readonly name: string;
  /** Rounds in the short form, and in the long one. */
  readonly short: number;
  readonly full: number;
  /** Whether it can be given a disk that is soon full. */
  readonly canBeFull: boolean;
  /** The section `[storage]` of a new round, as TOML: a store that nobody has written to. */
  settings(): string;
  /** Ends what was started for it, and removes what was written. */
  close(): Promise<void>;
}

export const sqlite: Store = {
  name: "SQLite",
  short: 10,
  full: 50,
  canBeFull: true,
  settings: () => "[storage]\n", // in the data folder of the round
  close: () => Promise.resolve(),
};

/** MongoDB, or what stands in for it here; the reason if there is neither. */
export async function mongo(): Promise<Store | string> {
  const folder = mkdtempSync(join(tmpdir(), "rookery-crash-mongo-"));
  const server = await mongoServer({ tools: TOOLS }, join(folder, "db"));
  if (typeof server !== "string") return storeOn(server, folder);
  rmSync(folder, { recursive: true, force: true });
  return server;
}

function storeOn(server: MongoServer, folder: string): Store {
  const made: string[] = [];
  return {
    name: server.name,
    short: 5,
    full: 20,
    canBeFull: false,
    settings: () => {
      const url = `${server.url}/rookery_crash_${randomUUID().slice(0, 8)}`;
      made.push(url);
      return `[storage]\nurl = "${url}"\n`;
    },
    close: async () => {
      if (server.process === undefined) for (const url of made) await drop(url);
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function drop(url: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    await client.db().dropDatabase();
  } finally {
    await client.close();
  }
}
