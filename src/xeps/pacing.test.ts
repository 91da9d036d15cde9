import { describe, expect, it } from "@jest/globals";
import type { LogRow } from "../storage/port.js";
import { toWire } from "../xml/wire.js";
import { chunks, Pace } from "./pacing.js";

/** A pace whose turns of the event loop the test ends; `log` says who had one. */
function paceOf() {
  const soon: (() => void)[] = [];
  const log: string[] = [];
  const pace = new Pace({ soon: (call) => void soon.push(call) });
  const endTurn = async (): Promise<void> => {
    for (const call of soon.splice(0)) call();
    await Promise.resolve(); // whose turn it is goes on
  };
  const read = async (name: string, times: number): Promise<void> => {
    for (let n = 0; n < times; n++) {
      await pace.turn();
      log.push(name);
    }
  };
  return { log, endTurn, read };
}

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
