import { describe, expect, it } from "@jest/globals";
import { TimedPair } from "./chat.js";
import { percentile } from "./histories.js";
import type { Pipe } from "./pair.js";

/** A timed pair; `arrives` delivers what was sent last, at a time. */
function timedPair() {
  const written: string[] = [];
  const [times, failures]: [number[], string[]] = [[], []];
  let now = 0;
  let deliver: (text: string) => void = () => undefined;
  const from: Pipe = { write: (text) => void written.push(text), listen: () => undefined };
  const to: Pipe = { write: () => undefined, listen: (handler) => void (deliver = handler) };
  const ends = [from, to, "juliet@localhost/load"] as const;
  const pair = new TimedPair(
    ends,
    () => now,
    (ms) => void times.push(ms),
    (reason) => void failures.push(reason),
  );
  const at = (time: number, what: () => void): void => {
    now = time;
    what();
  };
  return {
    ...{ pair, times, failures, written },
    due: (time: number) => at(time, () => pair.due()),
    arrives: (time: number) => at(time, () => deliver(written.at(-1) ?? "")),
  };
}

describe("a pair that is timed", () => {
  it("tells how long a message took @2.show4", () => {
    const { pair, due, arrives, times } = timedPair();
    due(100);
    arrives(104);
    due(200);
    arrives(202);
    expect([times, pair.settled]).toEqual([[4, 2], true]);
  });

  it("counts from when a message was due, also if the one before it was late @2.show4", () => {
    const { pair, due, arrives, times, written } = timedPair();
    due(100);
    due(110);
    expect([written.length, pair.settled]).toEqual([1, false]);
    arrives(130);
    arrives(131);
    expect([times, pair.settled, written.length]).toEqual([[30, 21], true, 2]);
  });

  it("fails at what was not sent", () => {
    const { due, arrives, failures } = timedPair();
    due(0);
    arrives(1);
    arrives(2);
    expect(failures).toHaveLength(1);
  });
});

describe("a percentile", () => {
  it("is the time that so many of a hundred did not exceed", () => {
    const times = Array.from({ length: 200 }, (_, n) => 200 - n);
    expect([50, 99, 100].map((percent) => percentile(times, percent))).toEqual([100, 198, 200]);
    expect(percentile([7], 99)).toBe(7);
  });
});
