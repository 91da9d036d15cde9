// A database that dies, halts and comes back under the driver: outcomes and store must agree, and it must recover by itself. Needs a
// server of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { append, put, unit } from "#rookery/storage/contract/samples.js";
import { CONTRACT_STORES } from "#rookery/storage/contract/stores.js";
import { openMongo } from "#rookery/storage/mongo/mongo.js";
import type { Storage } from "#rookery/storage/port.js";
import type { Outcome, Unit } from "#rookery/storage/writes.js";
import { type MongoProcess, type MongoServer, mongoServer } from "../servers/mongo.js";
import { options } from "./databases.js";
import { TOOLS } from "../tools.js";

const PATIENCE = { selectMs: 1000, answerMs: 3000 };
/** What a commit may take at most: its lease, its reads and one command, each once. */
const LONGEST_MS = 3 * (PATIENCE.selectMs + PATIENCE.answerMs);

const ours = process.env["ROOKERY_TEST_MONGODB_OWN"] === "true";

(ours ? describe : describe.skip)("a database that fails", () => {
  let folder = "";
  let server: MongoServer;
  let database: MongoProcess;
  let count = 0;
  let url = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rookery-mongo-faults-"));
    const started = await mongoServer({ tools: TOOLS }, join(folder, "db"));
    if (typeof started === "string" || !started.process) throw new Error("no server that can be killed");
    server = started;
    database = started.process;
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    url = `${server.url}/faults_${++count}`;
  });

  const open = (): Promise<Storage> => openMongo(url, CONTRACT_STORES, options({ patience: PATIENCE }));

  it("killed in the middle of commits: what is done is there, what is refused is not, the rest can be sent again @2.5", async () => {
    const storage = await open();
    const outcomes = new Map<number, Outcome>();
    let id = 0;
    for (let round = 0; round < 3; round++) {
      const stream = commitAll(storage, outcomes, () => (id += 1));
      await known(outcomes, outcomes.size + 60);
      await database.kill();
      await stream;
      await database.start();
      await untilDone(storage, messages(1_000_000 + round));
    }
    const found = async () => new Set((await storage.log("juliet", { limit: 1e5 })).map((row) => row.id));
    const before = await found();
    const of = (wanted: Outcome) => [...outcomes].flatMap(([each, outcome]) => (outcome === wanted ? [each] : []));
    expect(of("done").length).toBeGreaterThan(100);
    expect(of("refused").length + of("unknown").length).toBeGreaterThan(0);
    expect(of("done").filter((each) => !before.has(each))).toEqual([]);
    expect(of("refused").filter((each) => before.has(each))).toEqual([]);
    for (const each of of("unknown")) await untilDone(storage, messages(each));
    const after = await found();
    expect(of("unknown").filter((each) => !after.has(each))).toEqual([]);
    for (const owner of ["romeo", "juliet"])
      expect(await storage.countLog(owner, {})).toBe(of("done").length + of("unknown").length + 3);
    await storage.close();
  });

  it("what was done is there after a kill for a server that starts on it @2.5", async () => {
    const storage = await open();
    const id = Date.UTC(2026, 0, 1) * 1024;
    expect(await storage.commit([unit(put("a", "n"), append("a", id, { pending: true }))])).toEqual(["done"]);
    await database.kill();
    await database.start();
    const next = await open(); // the same installation after a crash: it need not wait for the lease
    expect(await next.get("notes", "a", "n")).toBeDefined();
    expect(await next.countLog("a", { pending: true })).toBe(1);
    expect(await next.highestId()).toBe(id);
    await next.close();
    await storage.close();
  });

  it("gone: commits are refused and reads reject within their time, and both work again once it is back @2.5", async () => {
    const storage = await open();
    await storage.commit([unit(put("a", "n"))]);
    await database.kill();
    await within(LONGEST_MS, async () => {
      const outcome = (await storage.commit([unit(put("a", "m"))]))[0];
      expect(["refused", "unknown"]).toContain(outcome);
      expect(await storage.commit([unit(put("a", "m"))])).toEqual(["refused"]);
    });
    await within(LONGEST_MS, async () => {
      await expect(storage.get("notes", "a", "n")).rejects.toMatchObject({ name: "StoreFault", kind: "unreachable" });
      await expect(storage.probe()).rejects.toMatchObject({ name: "StoreFault", kind: "unreachable" });
    });
    await database.start();
    await untilDone(storage, unit(put("a", "m")));
    await storage.probe();
    expect(await storage.load(["a"], ["notes"])).toMatchObject(new Map([["a", [{ key: "m" }, { key: "n" }]]]));
    await storage.close();
  });

  it("silent: a commit becomes unknown within its time, reads reject, and the unit sent again is there once @2.5", async () => {
    const storage = await open();
    await storage.commit([unit(append("a", 1))]);
    const late = unit(append("a", 2, { pending: true }), append("b", 3));
    database.halt();
    await within(LONGEST_MS, async () => expect(await storage.commit([late])).toEqual(["unknown"]));
    await within(LONGEST_MS, async () =>
      expect(storage.log("a", { limit: 9 })).rejects.toMatchObject({ kind: "unreachable" }),
    );
    database.resume();
    await untilDone(storage, late);
    expect((await storage.log("a", { limit: 9 })).map((row) => [row.id, row.pending])).toEqual([
      [1, false],
      [2, true],
    ]);
    expect(await storage.countLog("b", {})).toBe(1);
    await storage.commit([unit({ op: "settle", owner: "a", ids: [2] })]);
    expect(await storage.countLog("a", { pending: true })).toBe(0);
    await storage.close();
  });
});

function messages(id: number): Unit {
  return unit(append("juliet", id, { pending: true }), append("romeo", id), put("romeo", `sent ${id}`));
}

/** Commits batches of 40 until something is not done; notes each unit's outcome. */
async function commitAll(storage: Storage, outcomes: Map<number, Outcome>, next: () => number): Promise<void> {
  for (let open = true; open;) {
    const ids = Array.from({ length: 40 }, next);
    const result = await storage.commit(ids.map(messages));
    ids.forEach((id, at) => outcomes.set(id, result[at] ?? "unknown"));
    open = result.every((outcome) => outcome === "done");
  }
}

/** Waits until so many outcomes are known: the next commit is under way then. */
async function known(outcomes: ReadonlyMap<number, Outcome>, count: number): Promise<void> {
  while (outcomes.size < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Sends a unit, as the core does, until its outcome is known. */
async function untilDone(storage: Storage, wanted: Unit): Promise<void> {
  for (const patience = AbortSignal.timeout(60_000); !patience.aborted;) {
    if ((await storage.commit([wanted]))[0] === "done") return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("the store did not recover");
}

/** Fails a body that takes longer than any machine can excuse. */
async function within(ms: number, body: () => Promise<void>): Promise<void> {
  const started = performance.now();
  await body();
  expect(performance.now() - started).toBeLessThan(2 * ms);
}
