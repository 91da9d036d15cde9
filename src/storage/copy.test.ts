import { describe, expect, it } from "@jest/globals";
import { toWire } from "../xml/wire.js";
import { copyStore, isUnfinished } from "./copy.js";
import { failing } from "./contract/faults.js";
import { MemoryDisk } from "./memory/disk.js";
import { openMemory } from "./memory/memory.js";
import type { LogRow, Row, Storage } from "./port.js";
import type { Unit } from "./writes.js";

const STORES = [{ name: "account", lookups: ["kind"] }, { name: "roster" }, { name: "server" }];

/** More documents and entries than one page holds, in several logs, one of them settled in part. */
async function filled(): Promise<Storage> {
  const storage = openMemory(STORES, new MemoryDisk());
  const units: Unit[] = [
    { writes: [{ op: "put", store: "server", owner: "", key: "fake-salt", doc: { v: 1, secret: "x" } }] },
  ];
  for (let n = 0; n < 620; n++) {
    units.push({ writes: [{ op: "put", store: "account", owner: `u${n}@a`, key: "", doc: { v: 1, kind: "k" } }] });
    const entry = { with: "b@a", stanza: toWire(`<message><body>${n} ü</body></message>`), originId: `o${n}` };
    const append = {
      op: "append",
      owner: "u1@a",
      id: 100 + n,
      entry: { ...entry, pending: true, hidden: false },
    } as const;
    units.push({ writes: [append, { ...append, owner: `u${n}@a`, id: 5000 + n }] });
  }
  units.push({ writes: [{ op: "settle", owner: "u1@a", ids: [100, 101, 105] }] });
  await storage.commit(units);
  return storage;
}

interface Everything {
  readonly rows: readonly (readonly Row[])[];
  readonly logs: readonly (readonly LogRow[])[];
}

async function everythingIn(storage: Storage): Promise<Everything> {
  const rows = await Promise.all(STORES.map(({ name }) => storage.list(name, { limit: 9999 })));
  const owners = await storage.logOwners({ limit: 9999 });
  return { rows, logs: await Promise.all(owners.map((owner) => storage.log(owner, { limit: 9999 }))) };
}

describe("a copied store", () => {
  it("holds every document and every entry of its source, delivered or not @2.6", async () => {
    const [from, to] = [await filled(), openMemory(STORES, new MemoryDisk())];
    expect(await copyStore(from, to, STORES)).toEqual({ documents: 621, logs: 620, entries: 1240 });
    expect(await everythingIn(to)).toEqual(await everythingIn(from));
    expect(await to.countLog("u1@a", { pending: true })).toBe(618);
    expect(await isUnfinished(to)).toBe(false);
  });

  it("is not made into a store that holds something of its own @2.6", async () => {
    const to = openMemory(STORES, new MemoryDisk());
    await to.commit([{ writes: [{ op: "put", store: "roster", owner: "x@a", key: "y@a", doc: { v: 1 } }] }]);
    await expect(copyStore(await filled(), to, STORES)).rejects.toThrow("the target is not empty");
    expect(await to.list("account", { limit: 9 })).toEqual([]);
  });

  it("that was interrupted is marked so, cannot be a source, and can be made again to its end @2.6", async () => {
    const from = await filled();
    const disk = openMemory(STORES, new MemoryDisk());
    const plan = new Map([[3, { outcome: "unknown", written: true } as const]]);
    await expect(copyStore(from, failing(disk, plan), STORES)).rejects.toThrow("the target did not take a write");
    expect(await isUnfinished(disk)).toBe(true);
    await expect(copyStore(disk, openMemory(STORES, new MemoryDisk()), STORES)).rejects.toThrow("half of a copy");
    await copyStore(from, disk, STORES);
    expect(await isUnfinished(disk)).toBe(false);
    expect((await everythingIn(disk)).logs).toEqual((await everythingIn(from)).logs);
  });

  it("that has something else than its source is told @2.6", async () => {
    const from = await filled();
    const disk = openMemory(STORES, new MemoryDisk());
    const plan = new Map([[2, { outcome: "refused" } as const]]);
    await expect(copyStore(from, failing(disk, plan), STORES)).rejects.toThrow();
    await disk.commit([{ writes: [{ op: "put", store: "roster", owner: "x@a", key: "y@a", doc: { v: 1 } }] }]);
    await expect(copyStore(from, disk, STORES)).rejects.toThrow("622 documents, not 621");
    expect(await isUnfinished(disk)).toBe(true);
  });
});
