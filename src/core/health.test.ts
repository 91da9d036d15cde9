import { describe, expect, it } from "@jest/globals";
import { StoreFault } from "../storage/port.js";
import { FakeClock } from "./fake-clock.js";
import { Health } from "./health.js";
import { createLog } from "./log.js";

const FULL = new StoreFault("full", "no space left for rookery.db", "free some space on its disk");

function watched(probe: () => Promise<void>) {
  const clock = new FakeClock();
  const committer = { unansweredMs: 0 };
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", clock, write: (line) => lines.push(line) });
  const logged = () => lines.map((line) => (JSON.parse(line) as { readonly ev: string }).ev);
  return { clock, committer, logged, health: new Health({ storage: { probe }, committer, clock, log }) };
}

describe("the health of a server", () => {
  it("is good while its store takes writes @2.5", async () => {
    const { health } = watched(() => Promise.resolve());
    expect(await health.check()).toEqual({ problem: undefined });
  });

  it("is bad when its store says why it takes none, and good again when it does @2.5", async () => {
    let isFull = true;
    const { health, clock } = watched(() => (isFull ? Promise.reject(FULL) : Promise.resolve()));
    expect(await health.check()).toEqual({ problem: "the store takes no writes: no space left for rookery.db" });
    isFull = false;
    clock.advance(1000);
    expect(await health.check()).toEqual({ problem: undefined });
  });

  it("is bad when its store does not answer in time @2.5", async () => {
    const { health, clock } = watched(() => new Promise(() => undefined));
    const report = health.check();
    clock.advance(3000);
    expect(await report).toEqual({ problem: "the store does not answer" });
  });

  it("is bad at once while a commit has waited too long for its answer @2.5", async () => {
    const { health, committer } = watched(() => Promise.resolve());
    committer.unansweredMs = 3001;
    expect(await health.check()).toEqual({ problem: "the store does not answer" });
  });

  it("is in the log when it changes, however often it is asked for @2.5", async () => {
    let isFull = true;
    const { health, clock, logged } = watched(() => (isFull ? Promise.reject(FULL) : Promise.resolve()));
    await Promise.all([health.check(), health.check()]);
    expect(logged()).toEqual(["health.bad"]);
    isFull = false;
    clock.advance(1000);
    await Promise.all([health.check(), health.check()]);
    expect(logged()).toEqual(["health.bad", "health.good"]);
  });

  it("is asked of the store once for all who ask at the same time, and once a second at most @2.5", async () => {
    let probes = 0;
    const { health, clock } = watched(async () => {
      await Promise.resolve();
      probes++;
    });
    await Promise.all([health.check(), health.check()]);
    await health.check();
    expect(probes).toBe(1);
    clock.advance(1000);
    await health.check();
    expect(probes).toBe(2);
  });
});
