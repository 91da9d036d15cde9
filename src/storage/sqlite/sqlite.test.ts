import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { inFolder, killedAfter } from "../contract/places.js";
import { append, put, unit } from "../contract/samples.js";
import { CONTRACT_STORES } from "../contract/stores.js";
import { storageContract } from "../contract/suite.js";
import type { StoreFault } from "../port.js";
import { connect } from "./engine.js";
import { SCHEMA_VERSION } from "./schema.js";
import { openSqlite } from "./sqlite.js";

storageContract("sqlite", async (stores) => {
  const dir = mkdtempSync(join(tmpdir(), "rookery-store-"));
  const file = join(dir, "rookery.db");
  let storage = await openSqlite(file, stores);
  return {
    storage,
    async reopen() {
      await storage.close();
      return (storage = await openSqlite(file, stores));
    },
    async dispose() {
      await storage.close();
      rmSync(dir, { recursive: true });
    },
  };
});

const digest = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
const inFile = (body: (file: string) => Promise<void>) => inFolder((dir) => body(join(dir, "rookery.db")));
const open = (file: string, maxPages?: number) =>
  openSqlite(file, CONTRACT_STORES, maxPages === undefined ? {} : { maxPages });

/** Changes the file behind the driver's back. */
function tamper(file: string, sql: string): void {
  const db = connect(file, {});
  db.exec(sql);
  db.close();
}

describe("a SQLite file", () => {
  it("is made with incremental vacuum and a write-ahead log, for this user only @1.9", () =>
    inFile(async (file) => {
      await (await open(file)).close();
      const db = connect(file, { readOnly: true });
      const read = (pragma: string) => Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
      expect([read("auto_vacuum"), read("journal_mode"), read("application_id")]).toEqual([2, "wal", 0x526f6f6b]);
      db.close();
      expect(statSync(file).mode & 0o077).toBe(0);
    }));

  it("that an earlier start left empty is used @1.bad", () =>
    inFile(async (file) => {
      writeFileSync(file, "");
      const storage = await open(file);
      expect(await storage.highestId()).toBe(0);
      await storage.close();
    }));

  it("holds after kill -9 every unit that was acknowledged @1.9", () =>
    inFile(async (file) => {
      const acknowledged = (await killedAfter(300, "append", file)).map(Number);
      expect(acknowledged.length).toBeGreaterThanOrEqual(300);
      const storage = await open(file);
      const found = (await storage.log("a", { limit: 1e6, pending: true })).map((row) => row.id);
      const keys = new Set((await storage.list("notes", { limit: 1e6 })).map((row) => row.key));
      expect(acknowledged.filter((id) => !found.includes(id) || !keys.has(`key ${id}`))).toEqual([]);
      expect(found.filter((id) => !keys.has(`key ${id}`))).toEqual([]);
      expect(found).toHaveLength(keys.size);
      await storage.close();
    }));

  it("is indexed anew when a store declares other look-ups than before @1.9", () =>
    inFile(async (file) => {
      const found = async (lookups: readonly string[]) => {
        const storage = await openSqlite(file, [{ name: "notes", lookups }]);
        await storage.commit([unit({ ...put("a", "n", { user: "romeo", room: "garden" }), ifAbsent: true })]);
        const rows = await Promise.all(lookups.map((field) => storage.find("notes", field, "romeo", 9)));
        await storage.close();
        return rows.map((each) => each.length);
      };
      expect(await found([])).toEqual([]);
      expect(await found(["room", "user"])).toEqual([0, 1]);
      expect(await found(["user"])).toEqual([1]);
    }));

  it("has nothing beside it after an orderly end, the second time too @1.9", () =>
    inFile(async (file) => {
      await (await open(file)).close();
      await (await open(file)).close();
      expect(readdirSync(dirname(file))).toEqual([basename(file)]);
    }));
});

(process.platform === "linux" ? describe : describe.skip)("the thread that reads", () => {
  /** Threads of this process that have a lower priority than most. */
  const giveWay = (): number => {
    const nice = (id: string) =>
      Number(/\) (?:\S+ ){16}(\S+)/.exec(readFileSync(`/proc/self/task/${id}/stat`, "utf8"))?.[1]);
    const all = readdirSync("/proc/self/task").map(nice);
    return all.filter((each) => each > Math.min(...all)).length;
  };

  it("gives way to the one that writes and to all others @2.2", () =>
    inFile(async (file) => {
      const before = giveWay();
      const storage = await open(file);
      expect(giveWay()).toBe(before + 1);
      await storage.close();
    }));
});

describe("a file that cannot be used is refused with one clear line, and left as it is", () => {
  const refused = async (file: string): Promise<StoreFault> => {
    const before = digest(file);
    const fault = await open(file).then(
      () => undefined,
      (error: unknown) => error as StoreFault,
    );
    expect(digest(file)).toBe(before);
    expect(fault).toMatchObject({ name: "StoreFault" });
    expect(fault?.describe).toMatch(/^[^\n]*rookery\.db[^\n]*: [^\n]+$/);
    return fault as StoreFault;
  };

  it("a database of a newer version @1.bad", () =>
    inFile(async (file) => {
      await (await open(file)).close();
      tamper(
        file,
        `INSERT INTO migrations VALUES (${SCHEMA_VERSION + 6}); PRAGMA user_version = ${SCHEMA_VERSION + 6}`,
      );
      const fault = await refused(file);
      expect([fault.kind, fault.message]).toEqual(["newer", expect.stringContaining(`schema ${SCHEMA_VERSION + 6}`)]);
    }));

  it("a database of another program @1.bad", () =>
    inFile(async (file) => {
      tamper(file, "CREATE TABLE cookies (name TEXT)");
      expect((await refused(file)).kind).toBe("foreign");
    }));

  it("a file that is no database @1.bad", () =>
    inFile(async (file) => {
      writeFileSync(file, "certificate = 'fullchain.pem'\n".repeat(200));
      expect((await refused(file)).kind).toBe("foreign");
    }));

  it("a file in a folder that is missing @1.bad", () =>
    inFolder(async (dir) => {
      const fault = open(join(dir, "missing", "rookery.db"));
      await expect(fault).rejects.toMatchObject({ kind: "unreadable", name: "StoreFault" });
    }));

  it("a file on a full disk, new or old @1.bad", () =>
    inFile(async (file) => {
      await expect(open(file, 5)).rejects.toMatchObject({ kind: "full" });
      const storage = await open(file);
      await storage.commit([unit(put("a", "n", { text: "x".repeat(100_000) }))]);
      await storage.close();
      await expect(open(file, 5)).rejects.toMatchObject({ kind: "full" });
      const again = await open(file);
      expect(await again.get("notes", "a", "n")).toBeDefined();
      await again.close();
    }));
});

describe("a disk that fills up while running", () => {
  it("refuses units, keeps what is there, tells why, and takes units again once there is room @1.9", () =>
    inFile(async (file) => {
      const faults: string[] = [];
      const report = (fault: StoreFault) => faults.push(fault.kind);
      const storage = await openSqlite(file, CONTRACT_STORES, { maxPages: 400, report });
      await storage.commit([unit(put("small", "n"))]);
      const bulky = (id: number) => unit(put("big", `n${id}`, { text: "x".repeat(50_000) }), append("big", id));
      const outcomes = [];
      for (let id = 1; id <= 20; id++) outcomes.push(...(await storage.commit([bulky(2 * id), bulky(2 * id + 1)])));
      const done = outcomes.filter((outcome) => outcome === "done").length;
      expect(done).toBeGreaterThan(10);
      expect(outcomes.slice(done)).toEqual(Array.from({ length: 40 - done }, () => "refused"));
      expect(await storage.countLog("big", {})).toBe(done);
      expect(new Set(faults)).toEqual(new Set(["full"]));
      await expect(storage.probe()).rejects.toMatchObject({ kind: "full" });
      expect(await storage.get("notes", "small", "n")).toBeDefined();

      expect(await storage.commit([unit({ op: "erase", owner: "big" })])).toEqual(["done"]);
      await storage.probe();
      expect(await storage.commit([bulky(99)])).toEqual(["done"]);
      await storage.close();
    }));

  it("lets the units of a batch through that still fit, and refuses the others @1.9", () =>
    inFile(async (file) => {
      const storage = await openSqlite(file, CONTRACT_STORES, { maxPages: 200 });
      const sized = (key: string, bytes: number) => unit(put("a", key, { text: "x".repeat(bytes) }));
      const batch = [sized("1", 100), sized("2", 2_000_000), sized("3", 100), sized("4", 2_000_000)];
      expect(await storage.commit(batch)).toEqual(["done", "refused", "done", "refused"]);
      expect((await storage.list("notes", { limit: 9 })).map((row) => row.key)).toEqual(["1", "3"]);
      await storage.close();
    }));
});
