// The generator of moderate chat, a process of its own: pairs whose messages become due one after the other at a fixed rate, far below
// what a server can do, so that the time each message takes means something.
import { setTimeout as delay } from "node:timers/promises";
import { inChild, serve } from "./child.js";
import { Connection, type Target } from "./connection.js";
import { PASSWORD, receiver, sender } from "./load.js";
import { Pair, type Pipe } from "./pair.js";

export interface ChatJob {
  readonly target: Target;
  /** The number of the first pair. */
  readonly first: number;
  readonly pairs: number;
  /** Messages a second, of all pairs together. */
  readonly rate: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Chats in a child process. Answers how many milliseconds each message after the warm-up took to its receiver. */
export const chat = (job: ChatJob): Promise<readonly number[]> => inChild("chat.js", job);

const STALL_MS = 10_000; // a message that takes longer is lost

/** A pair with one message in flight. The time of one that had to wait for the one before it counts from when it was due. */
export class TimedPair {
  readonly #pair: Pair;
  readonly #now: () => number;
  readonly #due: number[] = [];

  /** `took` is told the milliseconds of each message. */
  constructor(
    [from, to, address]: readonly [from: Pipe, to: Pipe, address: string],
    now: () => number,
    took: (ms: number) => void,
    failed: (reason: string) => void,
  ) {
    this.#now = now;
    const ready = (): void => {
      took(now() - (this.#due.shift() ?? NaN));
      if (this.#due.length > 0) this.#pair.send();
    };
    this.#pair = new Pair(from, to, address, 1, { ready, failed });
  }

  /** Whether all that was due has arrived. */
  get settled(): boolean {
    return this.#due.length === 0;
  }

  /** A message is due now. */
  due(): void {
    if (this.#due.push(this.#now()) === 1) this.#pair.send();
  }
}

async function run(job: ChatJob): Promise<readonly number[]> {
  const times: number[] = [];
  let failure: string | undefined;
  let isMeasuring = false;
  const took = (ms: number): void => {
    if (isMeasuring) times.push(ms);
  };
  const check = (): void => {
    if (failure !== undefined) throw new Error(failure);
  };
  const ends = await Promise.all(Array.from({ length: job.pairs }, (_, at) => connect(job, job.first + at)));
  const failed = (reason: string): void => void (failure ??= reason);
  const pairs = ends.map((one) => new TimedPair(one, () => performance.now(), took, failed));
  await atRate(job, job.warmUpMs, pairs, check);
  isMeasuring = true;
  await atRate(job, job.measureMs, pairs, check);
  for (const deadline = performance.now() + STALL_MS; !pairs.every(({ settled }) => settled); await delay(20)) {
    check();
    if (performance.now() > deadline) throw new Error("messages are missing at the end");
  }
  for (const [from, to] of ends) for (const connection of [from, to]) connection.close();
  return times;
}

async function connect({ target }: ChatJob, number: number): Promise<readonly [Connection, Connection, string]> {
  const [from, to] = await Promise.all([Connection.open(target), Connection.open(target)]);
  const address = await to.login(target.domain, receiver(number), PASSWORD);
  await from.login(target.domain, sender(number), PASSWORD);
  return [from, to, address];
}

/** Makes messages due, pair after pair, at the rate of the job. */
async function atRate({ rate }: ChatJob, ms: number, pairs: readonly TimedPair[], check: () => void): Promise<void> {
  const start = performance.now();
  for (let sent = 0; performance.now() < start + ms; await delay(1)) {
    check();
    for (; sent < ((performance.now() - start) / 1000) * rate; sent++) pairs[sent % pairs.length]?.due();
  }
}

serve(import.meta.url, run);
