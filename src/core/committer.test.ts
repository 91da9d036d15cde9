// Group commit of what rests on each other: units of a room are written together, each has its own outcome all the same.
import { describe, expect, it } from "@jest/globals";
import { JID } from "../stanza/jid.js";
import { failing } from "../storage/contract/faults.js";
import { MemoryDisk } from "../storage/memory/disk.js";
import { openMemory } from "../storage/memory/memory.js";
import type { Outcome, Unit, Write } from "../storage/writes.js";
import { Committer } from "./committer.js";
import { FakeClock } from "./fake-clock.js";
import { Ids } from "./ids.js";
import { silentLog } from "./log.js";
import { Owner } from "./owner.js";

const STORE = "room";
const COVEN = JID.parse("coven@conference.localhost");
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));
const named = (unit: Unit) => unit.writes.map((write) => ("key" in write ? write.key : write.op)).join(" ");

class Room extends Owner {
  override readonly isSerial = true;
}

function rig() {
  const storage = failing(openMemory([{ name: STORE }], new MemoryDisk()));
  const clock = new FakeClock();
  const ids = new Ids(clock, 0);
  const ports = { storage, ids, clock, log: silentLog, queueBytes: 1e6, timeoutMs: 30_000, batchUnits: 512 };
  const committer = new Committer(ports);
  const room = new Room(COVEN);
  room.load([]);
  const batches: string[][] = [];
  const commit = storage.commit.bind(storage);
  let refused = "";
  storage.commit = async (units) => {
    batches.push(units.map(named));
    const taken = units.filter((unit) => refused === "" || !named(unit).includes(refused));
    const outcomes = await commit(taken);
    return units.map((unit) => outcomes[taken.indexOf(unit)] ?? "refused");
  };
  const told: string[] = [];
  const enqueue = (name: string, writes: readonly Write[] = [put(name)]): void =>
    committer.enqueue({
      writes,
      touched: new Map([[room, room.generation]]),
      done: (outcome: Outcome) => told.push(`${name} ${outcome}`),
    });
  return { storage, clock, committer, room, batches, told, enqueue, refuse: (key: string) => void (refused = key) };
}

function put(key: string): Write {
  return { op: "put", store: STORE, owner: COVEN.toString(), key, doc: { v: 1 } };
}

describe("what a busy room has to write", () => {
  it("goes in one commit, and each is told @3.2", async () => {
    const { storage, committer, enqueue, batches, told } = rig();
    storage.hold();
    enqueue("a");
    await settled();
    for (const name of ["b", "c", "d"]) enqueue(name);
    enqueue("e", []); // somebody enters: it writes nothing, and rests on what was said before
    storage.release();
    await committer.idle();
    expect(batches).toEqual([["a"], ["b c d"]]);
    expect(told).toEqual(["a done", "b done", "c done", "d done", "e done"]);
  });

  it("is found out one by one if it is refused: what was before stands, what rests on the refused one falls @3.2", async () => {
    const { storage, committer, room, enqueue, batches, told, refuse } = rig();
    refuse("b");
    for (const name of ["a", "b", "c"]) enqueue(name);
    enqueue("d", []);
    await committer.idle();
    expect(batches).toEqual([["a b c"], ["a"], ["b"]]);
    expect(told).toEqual(["a done", "b refused", "c refused", "d refused"]);
    expect(room.isStale).toBe(true);
    expect((await storage.list(STORE, { limit: 9 })).map(({ key }) => key)).toEqual(["a"]);
  });

  it("is not known to be durable up to there while it is tried again @3.2", async () => {
    const { storage, committer, enqueue, refuse } = rig();
    const entry = { with: "x", stanza: "<message/>" as never, pending: false, hidden: false };
    const append: Write = { op: "append", owner: COVEN.toString(), id: 0, entry };
    refuse("b");
    const positions: number[] = [];
    const commit = storage.commit.bind(storage);
    storage.commit = (units) => {
      positions.push(committer.position);
      return commit(units);
    };
    enqueue("a", [append]);
    enqueue("b");
    await committer.idle();
    expect(positions).toEqual([0, 0, 0]);
    expect(committer.position).toBeGreaterThan(0);
  });

  it("is tried again one by one while nobody knows what became of it, and is there once @3.2", async () => {
    const { storage, clock, committer, enqueue, batches, told } = rig();
    storage.failNext("unknown", { written: true });
    for (const name of ["a", "b"]) enqueue(name);
    enqueue("c", []);
    await settled();
    expect(told).toEqual([]);
    clock.advance(250);
    await committer.idle();
    expect(batches).toEqual([["a b"], ["a"], ["b"]]);
    expect(told).toEqual(["a done", "b done", "c done"]);
  });

  it("that is refused alone takes with it what rests on it, and nothing that was before @3.2", async () => {
    const { storage, committer, enqueue, batches, told } = rig();
    storage.failNext("refused");
    enqueue("a", []);
    enqueue("b");
    enqueue("c", []);
    await committer.idle();
    expect(batches).toEqual([["b"]]);
    expect(told).toEqual(["a done", "b refused", "c refused"]);
  });

  it("is refused as before where the store takes nothing @3.2", async () => {
    const { storage, committer, enqueue, told } = rig();
    storage.failNext("refused", { commits: 2 });
    for (const name of ["a", "b"]) enqueue(name);
    await committer.idle();
    expect(told).toEqual(["a refused", "b refused"]);
  });
});
