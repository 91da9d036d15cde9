// What reading long histories costs those who chat: the times of messages at a fixed rate, alone and while readers page through all of
// their archives, in turn. Readers and chat are processes of their own. Only a message or a page that is missing fails.
import { chat } from "./chat.js";
import { type Contestant, type Named, withServers } from "./compare.js";
import { load } from "./load.js";
import { reading } from "./reading.js";
import { idle, usageOf } from "./usage.js";

export interface HistoriesPlan {
  readonly pairs: number;
  /** Messages a second, of all pairs together. */
  readonly rate: number;
  readonly readers: number;
  /** Messages in the archive of each reader. */
  readonly history: number;
  readonly pageSize: number;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Milliseconds of each message, over all rounds. */
export interface Disturbance {
  readonly alone: readonly number[];
  readonly beside: readonly number[];
  /** Messages the readers got a second. */
  readonly readPerSecond: number;
}

/** Measures one server. `say` gets a line per round. */
export function disturbance(
  server: Contestant,
  plan: HistoriesPlan,
  say: (line: string) => void,
): Promise<Disturbance> {
  return withServers([server], plan.readers + plan.pairs, async ([running]) => {
    if (running === undefined) throw new Error("no server was started");
    await fill(running, plan);
    await idle(() => usageOf(running.server.pid).cpuSeconds); // words are indexed behind the commits
    const [alone, beside, read]: [number[], number[], number[]] = [[], [], []];
    for (let round = 1; round <= plan.rounds; round++) {
      const quiet = await talk(running, plan);
      const [busy, { messages, seconds }] = await Promise.all([talk(running, plan), page(running, plan)]);
      alone.push(...quiet);
      beside.push(...busy);
      read.push(messages / seconds);
      say(`round ${round} ${running.name} chat: p99 ${ms(quiet, 99)} ms alone, ${ms(busy, 99)} ms beside readers`);
    }
    return { alone, beside, readPerSecond: Math.round(read.reduce((sum, one) => sum + one, 0) / read.length) };
  });
}

/** The time that so many of a hundred messages did not exceed. */
export function percentile(times: readonly number[], percent: number): number {
  const rising = times.toSorted((a, b) => a - b);
  return rising[Math.max(0, Math.ceil((rising.length * percent) / 100) - 1)] ?? NaN;
}

export const ms = (times: readonly number[], percent: number): string => percentile(times, percent).toFixed(1);

const targetOf = ({ server: { host, domain, port } }: Named) => ({ host, domain, port });

/** The receivers of these messages are the readers. */
async function fill(one: Named, { readers, history }: HistoriesPlan): Promise<void> {
  const job = { target: targetOf(one), serverPid: one.server.pid, warmUpMs: 0, measureMs: 0 };
  await load({ ...job, pairs: readers, inFlight: IN_FLIGHT, archived: true, each: history });
}

const IN_FLIGHT = 250; // a thousand or so over all readers fill batches well

function talk(one: Named, { readers, pairs, rate, warmUpMs, measureMs }: HistoriesPlan): Promise<readonly number[]> {
  return chat({ target: targetOf(one), first: readers, pairs, rate, warmUpMs, measureMs });
}

/** Twice the warm-up, as the chat has more logins before it: so the readers go on to its end, and each ends with a whole history. */
function page(one: Named, { readers, history, pageSize, warmUpMs, measureMs }: HistoriesPlan) {
  const job = { target: targetOf(one), serverPid: one.server.pid, readers, pageSize, expected: history };
  return reading({ ...job, isPolite: true, warmUpMs: 2 * warmUpMs, measureMs });
}
