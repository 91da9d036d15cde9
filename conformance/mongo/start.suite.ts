// Who may open a database: one server at a time, of this version or a newer one, and nobody else's database.
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { put, unit } from "#rookery/storage/contract/samples.js";
import { CONTRACT_STORES } from "#rookery/storage/contract/stores.js";
import { openMongo } from "#rookery/storage/mongo/mongo.js";
import { INDEXES, SCHEMA_VERSION } from "#rookery/storage/mongo/schema.js";
import type { Storage, StoreFault } from "#rookery/storage/port.js";
import { drop, inside, newDatabase, options, SERVER_URL } from "./databases.js";

let url = "";
const opened: Storage[] = [];
beforeEach(() => {
  url = newDatabase();
});
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  await drop(url);
});

async function open(holder = "here", faults?: StoreFault[]): Promise<Storage> {
  const more = faults ? { report: (fault: StoreFault) => void faults.push(fault) } : {};
  const storage = await openMongo(url, CONTRACT_STORES, options(more, holder));
  opened.push(storage);
  return storage;
}

const refusal = (holder?: string): Promise<StoreFault | undefined> =>
  open(holder).then(
    () => undefined,
    (error: unknown) => error as StoreFault,
  );

/** Everything in the database. */
const contents = () =>
  inside(url, async (client) => {
    const collections = await client.db().listCollections().toArray();
    const names = collections.map(({ name }) => name).sort();
    return Promise.all(names.map(async (name) => [name, await client.db().collection(name).find().toArray()]));
  });

const change = (collection: string, filter: object, set: object) =>
  inside(url, (client) => client.db().collection(collection).updateOne(filter, { $set: set }, { upsert: true }));

describe("one server per database", () => {
  it("a second one is refused in one line that names the first, and takes over when that has stopped @2.5 @H12", async () => {
    const first = await open("first");
    const fault = await refusal("second");
    expect(fault).toMatchObject({ name: "StoreFault", kind: "locked" });
    expect(fault?.describe).toMatch(
      /^storage\.url: mongodb:[^\n]* is in use by the server first: end that server[^\n]*$/,
    );
    await first.close();
    const second = await open("second");
    expect(await second.commit([unit(put("a", "n"))])).toEqual(["done"]);
  });

  it("a lease that was not given back is free once it has expired @2.5 @H12", async () => {
    await open("crashed");
    await change("facts", { _id: "lease" }, { expires: new Date(Date.now() - 1000) });
    const next = await open("next");
    expect(await next.commit([unit(put("a", "n"))])).toEqual(["done"]);
  });

  it("the same installation takes its lease over at once; what is left of its former run writes no more @2.5 @H12", async () => {
    const faults: StoreFault[] = [];
    const former = await open("here", faults);
    const next = await open("here");
    await expect(former.probe()).rejects.toMatchObject({ kind: "locked" });
    expect(await former.commit([unit(put("a", "n", { by: "former" }))])).toEqual(["refused"]);
    expect(await next.commit([unit(put("a", "n", { by: "next" }))])).toEqual(["done"]);
    expect(faults.map(({ kind }) => kind)).toEqual(["locked"]);
    await former.close();
    await next.probe();
  });
});

describe("a database that is not of this version", () => {
  it("a newer one is refused and left as it is @2.5 @H12 @1.bad", async () => {
    await (await open()).close();
    await change("facts", { _id: "schema" }, { version: SCHEMA_VERSION + 6 });
    const before = await contents();
    const fault = await refusal();
    expect(fault).toMatchObject({ kind: "newer" });
    expect(fault?.describe).toMatch(new RegExp(`^mongodb:[^\\n]*schema ${SCHEMA_VERSION + 6}[^\\n]*$`));
    expect(await contents()).toEqual(before);
  });

  it("one of another program is refused and left as it is @2.5 @1.bad", async () => {
    await change("documents", { _id: "cookie" }, { colour: "brown" });
    const before = await contents();
    expect(await refusal()).toMatchObject({ kind: "foreign" });
    expect(await contents()).toEqual(before);
  });

  it("a start that ended half way is gone through again, and its indexes are there @2.5", async () => {
    await (await open()).close();
    await inside(url, async (client) => {
      await client.db().collection("log").dropIndexes();
      await client.db().collection<{ _id: string }>("facts").deleteOne({ _id: "schema" });
    });
    await (await open()).close();
    const made = await inside(url, async (client) => client.db().collection("log").indexes());
    expect(made.map(({ name }) => name).sort()).toEqual(["_id_", ...INDEXES.log.map(({ name }) => name)].sort());
  });

  it("documents are indexed anew when a store declares other look-ups than before @2.5", async () => {
    const found = async (lookups: readonly string[]) => {
      const storage = await openMongo(url, [{ name: "notes", lookups }], options());
      await storage.commit([unit({ ...put("a", "n", { user: "romeo", room: "garden" }), ifAbsent: true })]);
      const rows = await Promise.all(lookups.map((field) => storage.find("notes", field, "romeo", 9)));
      await storage.close();
      return rows.map((each) => each.length);
    };
    expect(await found([])).toEqual([]);
    expect(await found(["room", "user"])).toEqual([0, 1]);
    expect(await found(["user"])).toEqual([1]);
  });
});

describe("a database that does not let this server in", () => {
  it("is told in one line without user or password @2.5 @1.bad", async () => {
    const secret = SERVER_URL.replace("://", "://rook:wh3refore@");
    const fault = await openMongo(`${secret}/rookery?authSource=admin`, [], options()).then(
      () => undefined,
      (error: unknown) => error as StoreFault,
    );
    expect(fault).toMatchObject({ name: "StoreFault" });
    expect(fault?.describe).toMatch(/^storage\.url: [^\n]+$/);
    expect(JSON.stringify([fault?.describe, fault?.stack, fault?.cause])).not.toContain("wh3refore");
  });
});
