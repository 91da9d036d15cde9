// Group commit: one batch of units on its way to the store, the next one filling. Nothing is released before its unit is durable.
import { StoreFault, type Storage } from "../storage/port.js";
import type { Outcome, Unit, Write } from "../storage/writes.js";
import { Batch, type Chain } from "./batch.js";
import type { Clock } from "./clock.js";
import type { Append } from "./flow.js";
import type { Ids } from "./ids.js";
import type { Log } from "./log.js";
import type { Owner } from "./owner.js";

/** The writes of one flow, waiting for their commit. */
export interface Pending {
  readonly writes: readonly (Write | Append)[];
  /** What it changed in memory, with the generation they had then. */
  readonly touched: ReadonlyMap<Owner, number>;
  /** Called once, with what became of it. "unknown" only after `timeoutMs` of trying or waiting: it may be in the store, now or later. */
  done(outcome: Outcome): void;
}

interface Queued extends Pending {
  readonly since: number;
  readonly bytes: number;
  /** Sent before, with an unknown outcome. */
  tried: boolean;
  /** The store has had it for too long: nobody waits for what becomes of it any more. */
  isGivenUp: boolean;
  /** Sent before, alone or with others. */
  isAgain: boolean;
}

export interface CommitterPorts {
  readonly storage: Pick<Storage, "commit" | "probe">;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes of waiting writes beyond which sockets pause (`limits.commit_queue`). */
  readonly queueBytes: number;
  /** How long a unit whose outcome is unknown is tried again, and an answer waited for (`storage.timeout`), in ms. */
  readonly timeoutMs: number;
  /** At most this many units in one batch. */
  readonly batchUnits: number;
}

const RETRY_MS = 250;
const NEW = { tried: false, isGivenUp: false, isAgain: false };
const NOTHING_TOUCHED: ReadonlyMap<Owner, number> = new Map();

export class Committer {
  readonly #ports: CommitterPorts;
  #open: Queued[] = [];
  #bytes = 0;
  #underway = false;
  /** While a batch is under way, or one of its units is to be tried again: the highest id given before it. */
  #before = 0;
  #scheduled = false;
  /** Called back when everything queued has been settled. */
  #whenIdle: (() => void)[] = [];
  /** Called back when less than half of the limit waits. */
  #whenRelieved: (() => void)[] = [];
  /** Since when the store has taken nothing that it was given. */
  #failingSince: number | undefined;
  #probing = false;
  /** The batch under way has been given up, and is not answered yet. */
  #isStuck = false;

  constructor(ports: CommitterPorts) {
    this.#ports = ports;
  }

  /** A log position below which nothing is on its way any more: entries up to it have been released, or will never be. */
  get position(): number {
    return this.#isOpen ? this.#before : this.#ports.ids.last;
  }

  get #isOpen(): boolean {
    return this.#underway || this.#open[0]?.isAgain === true;
  }

  /** More writes are waiting than the limit allows: sockets should pause. */
  get isFull(): boolean {
    return this.#bytes > this.#ports.queueBytes;
  }

  /** How long the store has not answered what it was given, in ms. */
  get unansweredMs(): number {
    return this.#failingSince === undefined ? 0 : this.#ports.clock.now() - this.#failingSince;
  }

  /** Calls back, once, when less than half of the limit waits. */
  whenRelieved(callback: () => void): void {
    this.#whenRelieved.push(callback);
  }

  /** Joins the open batch. Refused at once while the store has taken nothing for `timeoutMs` (engineering 4). */
  enqueue(pending: Pending): void {
    const { writes, touched } = pending;
    const bytes = sizeOf(writes);
    const done = (outcome: Outcome): void => pending.done(outcome);
    const queued: Queued = { writes, touched, done, since: this.#ports.clock.now(), bytes, ...NEW };
    this.#bytes += bytes;
    if (writes.length > 0 && this.#isDown) return this.#settle(queued, "refused");
    this.#open.push(queued);
    this.#schedule();
  }

  /** Commits writes that no lane waits for (registration, delivery cursors). */
  commit(writes: readonly (Write | Append)[]): Promise<Outcome> {
    return new Promise((resolve) => this.enqueue({ writes, touched: NOTHING_TOUCHED, done: resolve }));
  }

  /** Resolves when everything enqueued so far has been settled. */
  barrier(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open.length === 0 && !this.#underway) resolve();
      else this.enqueue({ writes: [], touched: NOTHING_TOUCHED, done: () => resolve() });
    });
  }

  /** Nothing is waiting and nothing is under way. */
  get isIdle(): boolean {
    return this.#open.length === 0 && !this.#underway;
  }

  /** Resolves when nothing is waiting and nothing is under way. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  get #isDown(): boolean {
    return this.#isStuck || this.unansweredMs > this.#ports.timeoutMs;
  }

  #schedule(): void {
    if (this.#underway || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#next();
    });
  }

  #next(): void {
    if (this.#underway) return;
    this.#before = this.position;
    const batch = this.#takeBatch();
    if (batch.length === 0) {
      if (this.#open.length > 0) return this.#schedule();
      for (const resolve of this.#whenIdle.splice(0)) resolve();
      this.#probe();
      return;
    }
    this.#underway = true;
    void this.#send(batch);
  }

  /** Up to `batchUnits` from the queue; those that rest on a change that failed are refused here. */
  #takeBatch(): readonly Chain<Queued>[] {
    const batch = new Batch<Queued>();
    let taken = 0;
    for (const queued of this.#open) {
      if (taken >= this.#ports.batchUnits || !batch.admits(queued)) break;
      taken++;
      if (queued.tried || !isOutdated(queued)) batch.add(queued);
      else {
        this.#settle(queued, "refused");
        batch.shut(queued);
      }
    }
    for (const { writes } of this.#open.splice(0, taken))
      for (const write of writes)
        if (write.op === "append" && write.id === 0) (write as Append).id = this.#ports.ids.next();
    return batch.chains;
  }

  async #send(chains: readonly Chain<Queued>[]): Promise<void> {
    const { clock, timeoutMs } = this.#ports;
    const timer = clock.after(timeoutMs, () => this.#giveUp(chains.flat()));
    const outcomes = await this.#commit(chains.map((chain) => ({ writes: chain.flatMap(({ writes }) => writes) })));
    timer.cancel();
    this.#isStuck = false;
    const retry: Queued[] = [];
    chains.forEach((chain, i) => this.#judge(chain, outcomes[i] ?? "unknown", retry));
    this.#open.unshift(...retry);
    if (retry.some(({ tried }) => tried)) clock.after(RETRY_MS, () => this.#resume());
    else this.#resume();
  }

  /**
   * The store does not answer: what it was given may be written, now or later; what it was not given is refused, as is what comes from now
   * on, until it has answered.
   */
  #giveUp(batch: readonly Queued[]): void {
    this.#isStuck = true;
    for (const queued of batch) {
      queued.isGivenUp = true;
      this.#settle(queued, queued.writes.length === 0 ? afterAll(queued) : "unknown");
    }
    for (const queued of this.#open.splice(0)) this.#settle(queued, afterAll(queued));
  }

  /** Settles what was sent together, or adds it to what is tried again. */
  #judge(chain: Chain<Queued>, outcome: Outcome, retry: Queued[]): void {
    const isShared = chain.filter(({ writes }) => writes.length > 0).length > 1;
    for (const queued of chain) {
      queued.isAgain = true;
      if (queued.isGivenUp) forget(queued);
      else if (queued.writes.length === 0) {
        // It is a barrier, or shows what is in memory: it waits for all before it, and falls with what it rests on.
        if (retry.length > 0) retry.push(queued);
        else this.#settle(queued, chain.length > 1 && isOutdated(queued) ? "refused" : "done");
      } else {
        if (this.#isTriedAgain(queued, outcome, isShared)) retry.push(queued);
        // The first try may have been written: that this one was not says nothing, and it may be what breaks the unit's own condition.
        else this.#settle(queued, queued.tried && outcome !== "done" ? "unknown" : outcome);
        queued.tried ||= outcome === "unknown";
      }
    }
  }

  /** Of units that were refused together nobody knows yet which one it was for. */
  #isTriedAgain(queued: Queued, outcome: Outcome, isShared: boolean): boolean {
    if (outcome === "refused" && isShared) return true;
    const isOpen = outcome === "unknown" || (outcome === "refused" && queued.tried);
    return isOpen && this.#ports.clock.now() - queued.since < this.#ports.timeoutMs;
  }

  /** Nothing is left to try, and the last that was tried failed: asks the store until it can write again. */
  #probe(): void {
    if (this.#failingSince === undefined || this.#probing) return;
    this.#probing = true;
    this.#ports.storage
      .probe()
      .then(() => (this.#failingSince = undefined))
      .catch(() => this.#ports.clock.after(RETRY_MS, () => this.#next())) // the failed commits have been logged
      .finally(() => (this.#probing = false));
  }

  #resume(): void {
    this.#underway = false;
    this.#next();
  }

  async #commit(batch: readonly Unit[]): Promise<readonly Outcome[]> {
    const units = batch.filter((unit) => unit.writes.length > 0);
    if (units.length === 0) return batch.map(() => "done");
    this.#failingSince ??= this.#ports.clock.now();
    const outcomes = await this.#store(units);
    if (outcomes.some((outcome) => outcome !== "unknown")) this.#failingSince = undefined;
    let at = 0;
    return batch.map((unit) => (unit.writes.length === 0 ? "done" : (outcomes[at++] ?? "unknown")));
  }

  /** A rejection is a mistake of ours in one of the units (storage port): nothing was written, and the others must not share its fate. */
  async #store(units: readonly Unit[]): Promise<readonly Outcome[]> {
    try {
      return await this.#ports.storage.commit(units.map(({ writes }) => ({ writes })));
    } catch (error) {
      this.#ports.log.error({ ev: "store.commit_failed", units: units.length, err: error });
      if (units.length === 1) return [error instanceof StoreFault ? "unknown" : "refused"];
      const outcomes: Outcome[] = [];
      for (const unit of units) outcomes.push(...(await this.#store([unit])));
      return outcomes;
    }
  }

  /**
   * An owner is invalidated if it has what the store has not, or, where it was loaded again while the unit was on its way, if it
   * may not have what the store has.
   */
  #settle(queued: Queued, outcome: Outcome): void {
    this.#bytes -= queued.bytes;
    for (const [owner, generation] of queued.touched) {
      const isAsDecided = owner.generation === generation;
      if (outcome === "unknown" || isAsDecided !== (outcome === "done")) owner.invalidate();
    }
    queued.done(outcome);
    if (this.#whenRelieved.length > 0 && this.#bytes <= this.#ports.queueBytes / 2)
      for (const callback of this.#whenRelieved.splice(0)) callback();
  }
}

/** True if an owner it changed has been invalidated since: its decision rested on something that is not in the store. */
export function isOutdated({ touched }: Pick<Pending, "touched">): boolean {
  for (const [owner, generation] of touched) if (owner.generation !== generation) return true;
  return false;
}

/** The outcome of what the store was not given, when all before it has been settled. */
function afterAll(queued: Queued): Outcome {
  if (queued.writes.length === 0 && !isOutdated(queued)) return "done";
  return queued.tried ? "unknown" : "refused";
}

/** The store has answered after all; the accounts may have been loaded meanwhile, without it. */
function forget({ touched }: Queued): void {
  for (const account of touched.keys()) account.invalidate();
}

function sizeOf(writes: readonly (Write | Append)[]): number {
  let bytes = 0;
  for (const write of writes) bytes += write.op === "append" ? write.entry.stanza.length + 64 : 256;
  return bytes;
}
