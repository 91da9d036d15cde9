// Databases of the server under test, each for one test and dropped after it.
import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { systemClock } from "#rookery/core/clock.js";
import type { MongoOptions } from "#rookery/storage/mongo/mongo.js";

/** The server's URL, given by the part that runs these suites. */
export const SERVER_URL = process.env["ROOKERY_TEST_MONGODB"] ?? "";

export const clock = systemClock((error) => {
  throw error;
});

/** The URL of a new database. */
export function newDatabase(): string {
  return `${SERVER_URL}/rookery_test_${randomUUID().slice(0, 8)}`;
}

/** Options of one run of one installation. */
export function options(more: Partial<MongoOptions> = {}, holder = "here"): MongoOptions {
  return { clock, holder: () => ({ holder, session: randomUUID(), who: `the server ${holder}` }), ...more };
}

/** Runs the body with a connection of its own to the database. */
export async function inside<T>(url: string, body: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await body(client);
  } finally {
    await client.close();
  }
}

/** Removes a database from somebody's server. One that was started for the tests goes as a whole, which is faster. */
export async function drop(url: string): Promise<void> {
  if (process.env["ROOKERY_TEST_MONGODB_OWN"] !== "true") await inside(url, (client) => client.db().dropDatabase());
}
