import { describe, expect, it } from "@jest/globals";
import type { Mode, Series } from "./compare.js";
import { document, timesTable } from "./report.js";

const plan = { pairs: 50, inFlight: 10, rounds: 1, warmUpMs: 1000, measureMs: 2000 };

function series(server: string, mode: Mode, messages: number): Series {
  const usage = { serverCpuSeconds: 1, clientCpuSeconds: 0.5, serverResidentBytes: 2 ** 20 };
  return { server, mode, rounds: [{ messages, seconds: 2, ...usage }] };
}

const histories = { alone: [1, 2, 3, 4], beside: [2, 3, 4, 6], readPerSecond: 30_000 };

describe("the page of results", () => {
  const page = document(
    {
      ...{ plan, histories },
      plain: [series("rookery", "plain", 8000), series("prosody", "plain", 1000)],
      archives: [series("rookery", "archiving", 6000), series("prosody", "archiving", 500)],
      archivePlan: { ...plan, readers: 5, history: 1000, pageSize: 50 },
      rooms: [],
      roomsPlan: { ...plan, rooms: 10, occupants: 50 },
      historiesPlan: { ...plan, rate: 200, readers: 4, history: 50_000, pageSize: 100 },
    },
    new Date(Date.UTC(2030, 0, 1)),
  );

  it("names the day and the versions of all servers, or says that one is not there @2.show4", () => {
    expect(page).toMatch(
      /^- 2030-01-01, commit .*, Node v.*, \d+ × .*, (Prosody \d\S*|no Prosody), (ejabberd \d\S*|no ejabberd)$/m,
    );
  });

  it("compares each server with Prosody in each mode @2.show4", () => {
    expect(page).toMatch(/\| rookery +\| plain +\| 4000 +\|.*\| 8\.00 × /);
    expect(page).toMatch(/\| rookery +\| archiving +\| 3000 +\|.*\| 12\.00 × /);
  });

  it("ends with the times of chat beside readers, and their ratio @2.show4", () => {
    expect(page).toContain("4 readers page through 50000 messages each, 100 a page");
    expect(page.endsWith(timesTable(histories))).toBe(true);
    expect(timesTable(histories).split("\n").slice(2)).toEqual([
      "| alone          | 4        | 2.0    | 4.0    |",
      "| beside readers | 4        | 3.0    | 6.0    |",
      "| ratio          |          | 1.50 × | 1.50 × |",
      "",
    ]);
  });
});
