import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { fromWire, toWire } from "../../xml/wire.js";
import { inFolder } from "../contract/places.js";
import { append, entry, put, unit } from "../contract/samples.js";
import { CONTRACT_STORES } from "../contract/stores.js";
import type { LogRange, Storage, StoreFault } from "../port.js";
import type { Unit } from "../writes.js";
import { connect, type Database } from "./engine.js";
import { LogReader } from "./log-reader.js";
import { APPLICATION_ID, MIGRATIONS } from "./schema.js";
import { openSqlite, type SqliteOptions } from "./sqlite.js";

const inFile = (body: (file: string) => Promise<void>) => inFolder((dir) => body(join(dir, "rookery.db")));

/** Runs the body with the opened file, and closes it. */
async function withStore<T>(
  file: string,
  body: (storage: Storage) => Promise<T>,
  options: SqliteOptions = {},
): Promise<T> {
  const storage = await openSqlite(file, CONTRACT_STORES, options);
  try {
    return await body(storage);
  } finally {
    await storage.close();
  }
}

function behindItsBack<T>(file: string, body: (db: Database) => T): T {
  const db = connect(file, {});
  try {
    return body(db);
  } finally {
    db.close();
  }
}

const numberOf = (file: string, sql: string) =>
  behindItsBack(file, (db) => Number(Object.values(db.prepare(sql).get() ?? {})[0]));

const settle = (owner: string, ...ids: readonly number[]) => unit({ op: "settle", owner, ids });
const said = (id: number, text: string, owner = "a"): Unit =>
  unit({ op: "append", owner, id, entry: entry(text, { pending: true }) });
const pendingOf = async (storage: Storage) =>
  (await storage.log("a", { pending: true, limit: 9999 })).map((row) => row.id);

describe("a SQLite file of version 1", () => {
  const made = (file: string) =>
    behindItsBack(file, (db) => {
      db.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA application_id = ${APPLICATION_ID};
        PRAGMA user_version = 1; ${MIGRATIONS[0] ?? ""}; INSERT INTO migrations VALUES (1);
        INSERT INTO owners VALUES (1, 'a'), (2, 'ü'), (3, 'late'); INSERT INTO stores VALUES (1, 'notes');
        INSERT INTO documents VALUES (1, 1, 'a', 'n', 3, '{"v":1,"text":"kept"}');
        UPDATE facts SET value = 99 WHERE name = 'erased id'`);
      const row = db.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
      const stanza = (text: string) => Buffer.from(fromWire(entry(text).stanza));
      row.run(3, 1, 10, 1, 0, "juliet@b", null, stanza("night one"));
      row.run(4, 2, 10, 0, 0, "romeo@b", "o1", stanza("night two"));
      row.run(7, 1, 20, 0, 1, "romeo@b", null, stanza("night three"));
      row.run(8, 1, 30, 1, 1, "romeo@b", null, stanza("night four"));
      row.run(5, 3, 20, 0, 0, "romeo@b", null, stanza("night"));
      row.run(6, 3, 10, 0, 0, "romeo@b", null, stanza("night"));
      row.run(9, 1, 40, 0, 0, "juliet@b", "o2", stanza("night five"));
    });

  it("is migrated with all its entries, what is pending stays pending, and it can be searched @2.6", () =>
    inFile(async (file) => {
      made(file);
      for (const start of ["first", "second"])
        await withStore(file, async (storage) => {
          const rows = await storage.log("a", { limit: 9 });
          expect([start, rows]).toEqual([
            start,
            [
              { ...entry("night one"), with: "juliet@b", owner: "a", id: 10, pending: true },
              { ...entry(""), stanza: "", with: "romeo@b", owner: "a", id: 20, hidden: true },
              { ...entry("night four"), with: "romeo@b", owner: "a", id: 30, pending: true, hidden: true },
              { ...entry("night five"), with: "juliet@b", owner: "a", id: 40, originId: "o2" },
            ],
          ]);
          expect(await pendingOf(storage)).toEqual([10, 30]);
          expect(await storage.countLog("a", { text: "night" })).toBe(2);
          expect(await storage.log("ü", { limit: 9, with: "romeo@b" })).toMatchObject([{ id: 10, originId: "o1" }]);
          expect(await storage.log("late", { limit: 9, text: "night" })).toMatchObject([{ id: 10 }, { id: 20 }]);
          expect((await storage.get("notes", "a", "n"))?.version).toBe(3);
          expect(await storage.highestId()).toBe(99);
        });
      await withStore(file, async (storage) => {
        await storage.commit([settle("a", 10), said(100, "night six")]);
        expect(await pendingOf(storage)).toEqual([30, 100]);
        expect(await storage.countLog("a", { text: "night" })).toBe(3);
      });
      expect(numberOf(file, "SELECT group_concat(version) = '1,2,3' FROM migrations")).toBe(1);
      expect(numberOf(file, "PRAGMA integrity_check = 1") || 0).toBe(0);
    }));

  it("that cannot be migrated for want of room stays what it was @2.6", () =>
    inFile(async (file) => {
      made(file);
      await expect(openSqlite(file, CONTRACT_STORES, { maxPages: 18 })).rejects.toMatchObject({ kind: "full" });
      expect(numberOf(file, "SELECT max(version) FROM migrations")).toBe(1);
      expect(await withStore(file, pendingOf)).toEqual([10, 30]);
    }));
});

describe("the queries of a log", () => {
  /** How SQLite goes about all that the body reads, one text per statement. */
  const plansOf = (file: string, body: (reader: LogReader) => void): string[] =>
    behindItsBack(file, (db) => {
      const statements: string[] = [];
      const watched: Database = {
        isTransaction: false,
        exec: (sql) => db.exec(sql),
        close: () => db.close(),
        prepare(sql) {
          if (sql.startsWith("SELECT") && sql.includes("log")) statements.push(sql);
          return db.prepare(sql);
        },
      };
      body(new LogReader(watched));
      return statements.map((sql) =>
        db
          .prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all()
          .map((row) => String(row["detail"]))
          .join("; "),
      );
    });

  const filled = (file: string) => withStore(file, (storage) => storage.commit([said(1, "one"), settle("a", 1)]));

  it.each<LogRange>([
    {},
    { shown: true },
    { after: 1, before: 9, shown: true, with: "juliet@a.example" },
    { pending: true, with: "juliet@a.example" },
    { ids: [1, 2, 3], shown: true },
  ])("a count of %j walks the index only and loads no entry @2.2", (range) =>
    inFile(async (file) => {
      await filled(file);
      const plans = plansOf(file, (reader) => reader.count({ owner: "a", range }));
      expect(plans.length).toBeGreaterThan(0);
      for (const plan of plans) {
        expect(plan).toMatch(/^(CO-ROUTINE l; )?SEARCH (l|log) USING COVERING INDEX log_place \(owner=\? ?/);
        expect(plan).not.toContain("TEMP B-TREE");
      }
    }),
  );

  it("a count of very many entries lets other reads come in between @2.2", () =>
    inFile(async (file) => {
      await filled(file);
      behindItsBack(file, (db) =>
        db.exec(`WITH RECURSIVE n (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM n WHERE id < 100000)
          INSERT INTO log (owner, id, marks, peer, stanza) SELECT owner, n.id, n.id % 2 * 2, peer, x'' FROM log, n WHERE log.id = 1`),
      );
      await withStore(file, async (storage) => {
        const answered: string[] = [];
        const counted = storage.countLog("a", { shown: true, after: 1, before: 90_001 });
        const read = storage.log("a", { limit: 1 });
        await Promise.all([counted.then(() => answered.push("count")), read.then(() => answered.push("page"))]);
        expect(await counted).toBe(45_000);
        expect(answered).toEqual(["page", "count"]);
        expect(await storage.countLog("a", { with: "juliet@a.example" })).toBe(100_000);
        expect(await storage.countLog("a", { with: "nobody@a.example" })).toBe(0);
      });
    }));

  it("a page is read in the order of the index, without sorting and without looking at other pages @2.2", () =>
    inFile(async (file) => {
      await filled(file);
      for (const query of [{ with: "x" }, { pending: true }, { shown: true, before: 5, backwards: true }] as const)
        for (const plan of plansOf(file, (reader) => reader.page({ owner: "a", query: { ...query, limit: 5 } }))) {
          expect(plan).toMatch(/^SEARCH l USING INDEX log_place \(owner=\?/);
          expect(plan).not.toContain("TEMP B-TREE FOR ORDER");
        }
    }));

  it("a search asks the index of words first, and loads only what that found @2.2", () =>
    inFile(async (file) => {
      await filled(file);
      const plans = plansOf(file, (reader) => reader.count({ owner: "a", range: { text: "one", after: 0 } }));
      expect(plans).toEqual([
        expect.stringMatching(/^SCAN w VIRTUAL TABLE INDEX .*; SEARCH l USING INTEGER PRIMARY KEY/),
      ]);
    }));

  it("the size of a log is measured without reading its stanzas @2.3", () =>
    inFile(async (file) => {
      const big = entry("", { stanza: toWire("x".repeat(200_000)) });
      await withStore(file, async (storage) => {
        await storage.commit([1, 2, 3].map((id) => unit({ op: "append", owner: "a", id, entry: big })));
      });
      behindItsBack(file, (db) => {
        db.exec("UPDATE log SET stanza = zeroblob(1000) WHERE id = 2");
        expect(new LogReader(db).measure({ owner: "a", after: -1, limit: 9 })).toEqual({
          entries: 3,
          bytes: 401_000,
          last: 3,
        });
      });
    }));
});

describe("the index of words", () => {
  const indexed = (file: string) => numberOf(file, "SELECT count(*) FROM words_docsize");

  it("lies behind the commit: what is acknowledged need not be in it, a search takes it in first @2.2", () =>
    inFile(async (file) => {
      await withStore(file, async (storage) => {
        await storage.commit([said(1, "one"), said(2, "two")]);
        expect(indexed(file)).toBe(0);
        expect(await storage.countLog("a", { text: "one" })).toBe(1);
        expect(indexed(file)).toBe(2);
      });
    }));

  it("follows by itself when many entries wait and nothing is to be committed @2.2", () =>
    inFile(async (file) => {
      await withStore(file, async (storage) => {
        await storage.commit(Array.from({ length: 600 }, (_, n) => said(n + 1, "night")));
        for (let turn = 0; turn < 500 && indexed(file) < 345; turn++) await storage.probe();
        expect(indexed(file)).toBeGreaterThanOrEqual(345); // fewer than 256 are left
      });
    }));

  it("is made anew when it was made with other words @2.2", () =>
    inFile(async (file) => {
      const search = () => withStore(file, (storage) => storage.countLog("a", { text: "one" }));
      await withStore(file, (storage) => storage.commit([said(1, "one"), said(2, "one")]));
      expect(await search()).toBe(2);
      behindItsBack(file, (db) => db.exec("UPDATE facts SET value = 0 WHERE name = 'words version'"));
      await withStore(file, () => Promise.resolve());
      expect(indexed(file)).toBe(0);
      expect(await search()).toBe(2);
    }));

  it("keeps nothing of entries that were revised, purged or erased @M6", () =>
    inFile(async (file) => {
      await withStore(file, async (storage) => {
        const all = (owner: string) => Array.from({ length: 50 }, (_, n) => said(n + 1, `word${n}`, owner));
        await storage.commit([...all("a"), ...all("b"), settle("b", ...Array.from({ length: 50 }, (_, n) => n + 1))]);
        expect(await storage.countLog("a", { text: "word7" })).toBe(1);
        await storage.commit([
          unit({ op: "revise", owner: "a", id: 8, stanza: toWire("<message xmlns='jabber:client'/>") }),
        ]);
        expect(indexed(file)).toBe(99);
        await storage.commit([unit({ op: "erase", owner: "a" })]);
        while (await storage.discard());
        expect(indexed(file)).toBe(50);
        expect(await storage.purge("b", { before: 41, limit: 99 })).toBe(40);
        expect(indexed(file)).toBe(10);
        expect(numberOf(file, "SELECT value FROM facts WHERE name = 'indexed row'")).toBeLessThanOrEqual(100);
      });
    }));
});

describe("a disk that is full", () => {
  const text = (id: number) => Array.from({ length: 60 }, (_, n) => `w${(id * 61 + n * n).toString(36)}`).join(" ");
  /** Appends until the disk is full; the ids that went in. */
  async function fill(storage: Storage): Promise<number[]> {
    const done: number[] = [];
    for (let id = 1; id < 5000; id++) {
      const [outcome] = await storage.commit([said(id, text(id))]);
      if (outcome !== "done") return done;
      done.push(id);
    }
    throw new Error("the disk did not fill up");
  }

  it("still lets entries be settled, reports a search as full, and has room again after a purge @2.show2", () =>
    inFile(async (file) => {
      const faults: string[] = [];
      const report = (fault: StoreFault) => faults.push(fault.kind);
      const options = { maxPages: 80, report };
      const ids = await withStore(
        file,
        async (storage) => {
          const filled = await fill(storage);
          expect(filled.length).toBeGreaterThan(50);
          expect(await storage.commit([settle("a", ...filled.slice(0, -3))])).toEqual(["done"]);
          expect(await pendingOf(storage)).toEqual(filled.slice(-3));
          await expect(storage.countLog("a", { text: "night" })).rejects.toMatchObject({ kind: "full" });
          expect(await storage.countLog("a", {})).toBe(filled.length);
          return filled;
        },
        options,
      );
      expect(new Set(faults)).toEqual(new Set(["full"]));
      await withStore(file, async (storage) => {
        for (let removed = -1; removed !== 0;) removed = await storage.purge("a", { before: 1e9, limit: 20 });
        expect((await storage.log("a", { limit: 9 })).map((row) => row.id)).toEqual(ids.slice(-3));
        expect(await pendingOf(storage)).toEqual(ids.slice(-3));
        expect(await storage.commit([said(9000, "one more night")])).toEqual(["done"]);
        expect(await storage.countLog("a", { text: "night" })).toBe(1);
      });
    }));

  it("refuses the unit of a batch that does not fit; what others appended and settled holds, also in memory @2.show2", () =>
    inFile(async (file) => {
      const expected = [2, 4, 5];
      await withStore(
        file,
        async (storage) => {
          await storage.commit([1, 2, 3, 4].map((id) => said(id, "night")));
          const tooLarge = put("a", "large", { text: "x".repeat(4_000_000) });
          const outcomes = await storage.commit([
            settle("a", 1),
            unit(...said(6, "lost").writes, { op: "settle", owner: "a", ids: [2, 4] }, tooLarge),
            said(5, "night"),
            settle("a", 3),
          ]);
          expect(outcomes).toEqual(["done", "refused", "done", "done"]);
          expect(await pendingOf(storage)).toEqual(expected);
          expect(await storage.countLog("a", { text: "lost" })).toBe(0);
          expect(await storage.commit([unit(append("a", 6, { pending: true }))])).toEqual(["done"]);
        },
        { maxPages: 300 },
      );
      expect(await withStore(file, pendingOf)).toEqual([...expected, 6]);
    }));
});

describe("readers and maintenance", () => {
  it("a reader that is busy for long does not hold up commits @2.2", () =>
    inFile((file) =>
      withStore(file, async (storage) => {
        const order: string[] = [];
        const all = Array.from({ length: 4000 }, (_, n) => said(n + 1, "night ".repeat(50)));
        await storage.commit(all);
        const reads = Array.from({ length: 12 }, () =>
          storage.log("a", { limit: 4000 }).then(() => order.push("read")),
        );
        for (const id of [9001, 9002]) {
          expect(await storage.commit([said(id, "meanwhile"), settle("a", id)])).toEqual(["done", "done"]);
          order.push("commit");
        }
        await Promise.all(reads);
        expect(order.indexOf("commit")).toBeLessThan(order.length - 3);
        expect(order.at(-1)).toBe("read");
      }),
    ));

  it("a purge and shrink make the file smaller while it is open, and not while somebody reads an older state @2.3", () =>
    inFile((file) =>
      withStore(file, async (storage) => {
        const big = entry("", { stanza: toWire("x".repeat(20_000)) });
        const units = Array.from({ length: 300 }, (_, n) => unit({ op: "append", owner: "a", id: n + 1, entry: big }));
        await storage.commit(units);
        const shrunk = async () => {
          while (await storage.shrink());
          return statSync(file).size;
        };
        const before = await shrunk();
        expect(before).toBeGreaterThan(6_000_000);
        const reader = connect(file, { readOnly: true });
        reader.exec("BEGIN");
        expect(reader.prepare("SELECT count(*) AS n FROM log").get()).toMatchObject({ n: 300 });
        for (let removed = -1; removed !== 0;) removed = await storage.purge("a", { before: 1e9, limit: 999 });
        expect(await shrunk()).toBe(before);
        expect(reader.prepare("SELECT count(*) AS n FROM log").get()).toMatchObject({ n: 300 });
        reader.exec("COMMIT");
        reader.close();
        expect(await shrunk()).toBeLessThan(500_000);
        expect(await storage.commit([said(999, "on it goes")])).toEqual(["done"]);
      }),
    ));
});
