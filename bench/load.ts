// The load generator, a process of its own: N pairs, each sender keeps W chat messages in flight to its receiver's full JID.
// Senders and receivers live in the same process, so a received message gives its sender a new credit without further traffic.
import { setTimeout as delay } from "node:timers/promises";
import { Connection, type Target } from "./connection.js";
import { inChild, serve } from "./child.js";
import { ArchiveReader } from "./pages.js";
import { Pair, type PairEvents } from "./pair.js";
import { usageOf } from "./usage.js";

export interface Job {
  readonly target: Target;
  readonly serverPid: number;
  readonly pairs: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Each archive must have grown by what was sent. */
  readonly archived?: boolean;
  /** Each pair sends so many messages and no more; nothing is timed. */
  readonly each?: number;
}

export interface Measured {
  readonly messages: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
  readonly serverResidentBytes: number;
}

export const PASSWORD = "load-generator";
export const sender = (pair: number): string => `sender${pair}`;
export const receiver = (pair: number): string => `receiver${pair}`;

/** Loads a server from a child process. */
export const load = (job: Job): Promise<Measured> => inChild("load.js", job);

const STALL_MS = 10_000; // no message in this time: the run has failed

class Load {
  readonly #job: Job;
  readonly #pairs: Pair[] = [];
  readonly #connections: Connection[] = [];
  readonly #events: PairEvents = {
    ready: (pair) => this.#wake(pair),
    failed: (reason) => void (this.#failure ??= reason),
  };
  #ready: Pair[] = [];
  #failure: string | undefined;
  #sending = false;

  constructor(job: Job) {
    this.#job = job;
  }

  async run(): Promise<Measured> {
    for (let pair = 0; pair < this.#job.pairs; pair++) this.#pairs.push(await this.#connect(pair));
    const archived = this.#job.archived === true ? await this.#archived() : undefined;
    this.#sending = true;
    for (const pair of this.#pairs) this.#wake(pair);
    const measured = await this.#measure();
    this.#sending = false;
    await this.#drain();
    const residentBytes = usageOf(this.#job.serverPid).residentBytes;
    for (const connection of this.#connections) connection.close();
    if (archived !== undefined) this.#compare(archived, await this.#archived());
    return { ...measured, serverResidentBytes: residentBytes };
  }

  async #measure(): Promise<Measured> {
    const { each, pairs, warmUpMs, measureMs } = this.#job;
    if (each !== undefined) {
      const start = this.#snapshot();
      await this.#until(() => this.#total() >= each * pairs);
      return difference(start, this.#snapshot());
    }
    await this.#during(warmUpMs);
    const before = this.#snapshot();
    await this.#during(measureMs);
    return difference(before, this.#snapshot());
  }

  /** What the archives of all senders and receivers say they hold, in the order of the pairs; asked on connections of their own. */
  async #archived(): Promise<readonly number[]> {
    const counts: number[] = [];
    for (let pair = 0; pair < this.#job.pairs; pair++)
      for (const user of [sender(pair), receiver(pair)]) counts.push(await archiveCount(this.#job.target, user));
    return counts;
  }

  #compare(before: readonly number[], after: readonly number[]): void {
    for (const [index, count] of after.entries()) {
      const sent = this.#pairs[index >> 1]?.received ?? 0;
      const grown = count - (before[index] ?? 0);
      if (grown !== sent) throw new Error(`${grown} messages in an archive that was to get ${sent}`);
    }
  }

  async #connect(pair: number): Promise<Pair> {
    const { target, inFlight } = this.#job;
    const [from, to] = await Promise.all([Connection.open(target), Connection.open(target)]);
    this.#connections.push(from, to);
    const [address] = await Promise.all([
      to.login(target.domain, receiver(pair), PASSWORD),
      from.login(target.domain, sender(pair), PASSWORD),
    ]);
    return new Pair(from, to, address, inFlight, this.#events, this.#job.each);
  }

  /** Pairs that may send do so at the end of this turn of the event loop, each with one write. */
  #wake(pair: Pair): void {
    if (this.#ready.push(pair) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const ready = this.#ready;
    this.#ready = [];
    if (this.#sending && this.#failure === undefined) for (const pair of ready) pair.send();
  }

  #during(ms: number): Promise<void> {
    const until = performance.now() + ms;
    return this.#until(() => performance.now() >= until);
  }

  async #until(isOver: () => boolean): Promise<void> {
    for (let last = this.#total(), seen = performance.now(); !isOver();) {
      await delay(50);
      this.#check();
      if (this.#total() > last) [last, seen] = [this.#total(), performance.now()];
      else if (performance.now() - seen > STALL_MS) throw new Error(`no message for ${STALL_MS} ms`);
    }
  }

  async #drain(): Promise<void> {
    const deadline = performance.now() + STALL_MS;
    while (!this.#pairs.every((pair) => pair.settled)) {
      this.#check();
      if (performance.now() > deadline) throw new Error("messages are missing at the end");
      await delay(20);
    }
    await delay(100); // a surplus message would come now and break the count
    this.#check();
    if (!this.#pairs.every((pair) => pair.settled)) throw new Error("more messages came than were sent");
  }

  #check(): void {
    if (this.#failure !== undefined) throw new Error(this.#failure);
  }

  #total(): number {
    return this.#pairs.reduce((sum, pair) => sum + pair.received, 0);
  }

  #snapshot(): Measured {
    return snapshot(this.#job.serverPid, this.#total());
  }
}

async function archiveCount(target: Target, user: string): Promise<number> {
  const connection = await Connection.open(target);
  await connection.login(target.domain, user, PASSWORD, "count");
  const count = await new ArchiveReader(connection).count();
  connection.close();
  return count;
}

/** What the server and this process have done and used up to now. */
export function snapshot(serverPid: number, messages: number): Measured {
  const server = usageOf(serverPid);
  const client = process.cpuUsage();
  return {
    messages,
    seconds: performance.now() / 1000,
    serverCpuSeconds: server.cpuSeconds,
    clientCpuSeconds: (client.user + client.system) / 1e6,
    serverResidentBytes: server.residentBytes,
  };
}

/** What came to pass between two snapshots. */
export function difference(before: Measured, after: Measured): Measured {
  return {
    messages: after.messages - before.messages,
    seconds: after.seconds - before.seconds,
    serverCpuSeconds: after.serverCpuSeconds - before.serverCpuSeconds,
    clientCpuSeconds: after.clientCpuSeconds - before.clientCpuSeconds,
    serverResidentBytes: after.serverResidentBytes,
  };
}

serve(import.meta.url, (job: Job) => new Load(job).run());
