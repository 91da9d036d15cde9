import { describe, expect, it } from "@jest/globals";
import { failing } from "../storage/contract/faults.js";
import { openMemory } from "../storage/memory/memory.js";
import type { Storage } from "../storage/port.js";
import { toWire } from "../xml/wire.js";
import { loadConfig } from "./config.js";
import { FakeClock } from "./fake-clock.js";
import { idAt } from "./ids.js";
import { silentLog } from "./log.js";
import { Retention } from "./retention.js";

const DAY = 86_400_000;
const NOW = 400 * DAY;

interface World {
  readonly storage: Storage;
  readonly clock: FakeClock;
  readonly sweep: () => Promise<number>;
  readonly ids: (owner: string) => Promise<number[]>;
}

/** A log with an entry of 100 bytes on each of the last `days` days. */
async function world(settings: string, owners: readonly string[], days: number): Promise<World> {
  const storage = openMemory([{ name: "server" }]);
  const clock = new FakeClock(NOW);
  const { config } = loadConfig({ text: `domains = ["a", "b"]\n[archive]\n${settings}` });
  for (const owner of owners)
    for (let day = days; day > 0; day--) await storage.commit([{ writes: [append(owner, day, day === 390)] }]);
  const retention = new Retention({ storage, config, clock, log: silentLog });
  const ids = async (owner: string): Promise<number[]> =>
    (await storage.log(owner, { limit: 9999 })).map(({ id }) => Math.round((NOW * 1024 - id) / 1024 / DAY));
  return { storage, clock, sweep: () => retention.sweep(), ids };
}

/** Whatever has been begun has come to its end: the store answers within the turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function append(owner: string, daysAgo: number, pending: boolean) {
  const entry = { with: "x@y", stanza: toWire("m".repeat(100)), pending, hidden: false };
  return { op: "append", owner, id: idAt(NOW - daysAgo * DAY), entry } as const;
}

describe("retention", () => {
  it("removes what is older, per domain, and keeps what is not delivered @2.3", async () => {
    const { sweep, ids } = await world('retention = { default = "1y", "b" = "30d" }', ["u@a", "u@b"], 395);
    expect(await sweep()).toBe(395 - 366 + (395 - 30) - 1);
    expect((await ids("u@a")).slice(0, 3)).toEqual([390, 365, 364]);
    expect((await ids("u@b")).slice(0, 3)).toEqual([390, 30, 29]);
  });

  it("is for the rooms of a domain what it is for its users, if nothing else is said @3.2 @3.3", async () => {
    const { sweep, ids } = await world(
      'retention = { default = "1y", "b" = "30d", "talk.b" = "10d" }',
      ["room@conference.a", "room@conference.b", "room@talk.b"],
      100,
    );
    await sweep();
    const oldest = await Promise.all(["conference.a", "conference.b", "talk.b"].map((name) => ids(`room@${name}`)));
    expect(oldest.map(([first]) => first)).toEqual([100, 30, 10]);
  });

  it("keeps for ever what is to be kept for ever @2.3", async () => {
    const { sweep } = await world("retention = 0\nquota = 0", ["u@a"], 395);
    expect(await sweep()).toBe(0);
  });
});

describe("the quota", () => {
  it("removes the oldest entries of an owner who has more, and of no other @2.3", async () => {
    const { sweep, ids, storage } = await world("retention = 0\nquota = 60000", ["big@a", "small@a"], 1);
    for (let n = 0; n < 2000; n++) await storage.commit([{ writes: [append("big@a", 300 - n / 10, false)] }]);
    await sweep();
    const { length } = await ids("big@a");
    expect(length).toBeLessThanOrEqual(600);
    expect(length).toBeGreaterThan(0);
    expect((await ids("big@a")).at(-1)).toBe(1);
    expect(await ids("small@a")).toEqual([1]);
  });
});

describe("the sweep", () => {
  it("comes by itself, soon after the start and then again and again, whatever the store does @2.3", async () => {
    const storage = failing(openMemory([{ name: "server" }]));
    const clock = new FakeClock(NOW);
    const { config } = loadConfig();
    const retention = new Retention({ storage, config, clock, log: silentLog });
    await storage.commit([{ writes: [append("u@a", 380, false)] }]);
    clock.advance(61_000);
    await settled();
    expect(await storage.countLog("u@a", {})).toBe(0);
    await storage.commit([{ writes: [append("u@a", 381, false)] }]);
    clock.advance(6 * 3_600_000);
    await settled();
    expect(await storage.countLog("u@a", {})).toBe(0);
    await retention.stop();
    await storage.commit([{ writes: [append("u@a", 382, false)] }]);
    clock.advance(24 * 3_600_000);
    await settled();
    expect(await storage.countLog("u@a", {})).toBe(1);
  });
});
