// The load generator, a process of its own: N pairs, each sender keeps W chat messages in flight to its receiver's full JID.
// Senders and receivers live in the same process, so a received message gives its sender a new credit without further traffic.
import { setTimeout as delay } from "node:timers/promises";
import { Connection, type Target } from "./connection.js";
import { Pair, type PairEvents } from "./pair.js";
import { usageOf } from "./usage.js";

export interface Job {
  readonly target: Target;
  readonly serverPid: number;
  readonly pairs: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Measured {
  readonly messages: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
  readonly serverResidentBytes: number;
}

export type Answer = { readonly measured: Measured } | { readonly error: string };

export const PASSWORD = "load-generator";
export const sender = (pair: number): string => `sender${pair}`;
export const receiver = (pair: number): string => `receiver${pair}`;

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
    this.#sending = true;
    for (const pair of this.#pairs) this.#wake(pair);
    await this.#during(this.#job.warmUpMs);
    const before = this.#snapshot();
    await this.#during(this.#job.measureMs);
    const measured = difference(before, this.#snapshot());
    this.#sending = false;
    await this.#drain();
    const residentBytes = usageOf(this.#job.serverPid).residentBytes;
    for (const connection of this.#connections) connection.close();
    return { ...measured, serverResidentBytes: residentBytes };
  }

  async #connect(pair: number): Promise<Pair> {
    const { target, inFlight } = this.#job;
    const [from, to] = await Promise.all([Connection.open(target), Connection.open(target)]);
    this.#connections.push(from, to);
    const [address] = await Promise.all([
      to.login(target.domain, receiver(pair), PASSWORD),
      from.login(target.domain, sender(pair), PASSWORD),
    ]);
    return new Pair(from, to, address, inFlight, this.#events);
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

  async #during(ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (let last = this.#total(), seen = performance.now(); performance.now() < until;) {
      await delay(Math.min(100, Math.max(1, until - performance.now())));
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
    const server = usageOf(this.#job.serverPid);
    const client = process.cpuUsage();
    return {
      messages: this.#total(),
      seconds: performance.now() / 1000,
      serverCpuSeconds: server.cpuSeconds,
      clientCpuSeconds: (client.user + client.system) / 1e6,
      serverResidentBytes: server.residentBytes,
    };
  }
}

function difference(before: Measured, after: Measured): Measured {
  return {
    messages: after.messages - before.messages,
    seconds: after.seconds - before.seconds,
    serverCpuSeconds: after.serverCpuSeconds - before.serverCpuSeconds,
    clientCpuSeconds: after.clientCpuSeconds - before.clientCpuSeconds,
    serverResidentBytes: after.serverResidentBytes,
  };
}

/** The process part: one job in over IPC, one answer out. */
function serve(): void {
  process.once("message", (job) => {
    const answer = (reply: Answer): void => void process.send?.(reply, () => process.exit(0));
    new Load(job as Job).run().then(
      (measured) => answer({ measured }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
}

if (process.argv[2] === "--serve") serve();
