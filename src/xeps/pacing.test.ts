import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "../core/fake-clock.js";
import type { LogRow } from "../storage/port.js";
import { toWire } from "../xml/wire.js";
import { chunks, Pace } from "./pacing.js";

/** A pace whose turns of the event loop the test ends; `log` says who had one. `commits`: what is on its way to the store. */
function paceOf(
  commits: { isIdle: boolean; idle: () => Promise<void> } = { isIdle: true, idle: () => Promise.resolve() },
) {
  const time = new FakeClock();
  const soon: (() => void)[] = [];
  const log: string[] = [];
  const clock = { soon: (call: () => void) => void soon.push(call), after: time.after.bind(time) };
  const pace = new Pace({ clock, committer: commits });
  const endTurn = async (ms = 0): Promise<void> => {
    time.advance(ms);
    for (const call of soon.splice(0)) call();
    await settled(); // whose turn it is goes on
  };
  const read = async (name: string, times: number): Promise<void> => {
    for (let n = 0; n < times; n++) {
      await pace.turn();
      log.push(name);
    }
  };
  return { log, endTurn, read };
}

const settled = async (): Promise<void> => {
  for (let n = 0; n < 8; n++) await Promise.resolve();
};

describe("those who send long reads", () => {
  it("take turns, one chunk in a turn of the event loop however many they are @2.2", async () => {
    const { log, endTurn, read } = paceOf();
    const all = Promise.all([read("juliet", 2), read("romeo", 2), read("nurse", 1)]);
    const perTurn: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await endTurn();
      perTurn.push(log.splice(0).join("+"));
    }
    await all;
    expect(perTurn).toEqual(["juliet", "romeo", "nurse", "juliet", "romeo"]);
  });

  it("wait while messages are on their way to the store, but not for ever @2.2", async () => {
    let arrived: () => void = () => undefined;
    const commits = { isIdle: false, idle: () => new Promise<void>((resolve) => (arrived = resolve)) };
    const { log, endTurn, read } = paceOf(commits);
    void read("juliet", 3);
    await endTurn(3);
    expect(log).toEqual([]);
    arrived();
    await settled();
    await endTurn();
    expect(log).toEqual(["juliet"]);
    await endTurn(3);
    expect(log).toEqual(["juliet"]);
    await endTurn(1);
    expect(log).toEqual(["juliet", "juliet"]);
  });

  it("begin anew after a time in which nobody read @2.2", async () => {
    const { log, endTurn, read } = paceOf();
    void read("juliet", 1);
    await endTurn();
    await endTurn();
    void read("romeo", 1);
    await endTurn();
    expect(log).toEqual(["juliet", "romeo"]);
  });
});

describe("a chunk", () => {
  const rowsOf = (count: number, bytes: number): LogRow[] =>
    Array.from({ length: count }, (_, id) => ({
      ...{ owner: "juliet@localhost", id, with: "romeo@localhost", pending: false, hidden: false },
      stanza: toWire("x".repeat(bytes)),
    }));

  it("is short, in rows and in bytes, and all of them are the rows in order @2.2", () => {
    const sizesOf = (rows: readonly LogRow[]): number[] => [...chunks(rows)].map(({ length }) => length);
    expect(sizesOf(rowsOf(40, 300))).toEqual([16, 16, 8]);
    expect(sizesOf(rowsOf(5, 40_000))).toEqual([2, 2, 1]);
    expect([...chunks(rowsOf(40, 300))].flat().map(({ id }) => id)).toEqual([...Array(40).keys()]);
  });
});
