// Group commit: one batch of units on its way to the store, the next one filling. Nothing is released before its unit is durable.
import { StoreFault, type Storage } from "../storage/port.js";
import type { Outcome, Unit, Write } from "../storage/writes.js";
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
const NEW = { tried: false, isGivenUp: false };
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
    return this.#underway || this.#open[0]?.tried === true;
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

  /**
   * Up to `batchUnits` from the queue; those that rest on a change that failed are refused here. A batch has at most one unit that
   * touches an owner: what came of it must be known before another that rests on it goes to the store.
   */
  #takeBatch(): Queued[] {
    const batch: Queued[] = [];
    const touched = new Set<Owner>();
    let taken = 0;
    for (const queued of this.#open) {
      if (batch.length >= this.#ports.batchUnits || restsOn(queued, touched)) break;
      taken++;
      if (!queued.tried && isOutdated(queued)) this.#settle(queued, "refused");
      else batch.push(queued);
      for (const owner of queued.touched.keys()) touched.add(owner);
    }
    this.#open.splice(0, taken);
    for (const queued of batch)
      for (const write of queued.writes)
        if (write.op === "append" && write.id === 0) (write as Append).id = this.#ports.ids.next();
    return batch;
  }

  async #send(batch: readonly Queued[]): Promise<void> {
    const { clock, timeoutMs } = this.#ports;
    const timer = clock.after(timeoutMs, () => this.#giveUp(batch));
    const outcomes = await this.#commit(batch);
    timer.cancel();
    this.#isStuck = false;
    const retry: Queued[] = [];
    batch.forEach((queued, i) => {
      const outcome = outcomes[i] ?? "unknown";
      if (queued.isGivenUp) forget(queued);
      else if (this.#isTriedAgain(queued, outcome, retry.length > 0)) retry.push(queued);
      // The first try may have been written: that this one was not says nothing, and it may be what breaks the unit's own condition.
      else this.#settle(queued, queued.tried && outcome !== "done" ? "unknown" : outcome);
      queued.tried ||= outcome === "unknown";
    });
    if (retry.length > 0) {
      this.#open.unshift(...retry);
      clock.after(RETRY_MS, () => this.#resume());
    } else this.#resume();
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

  /** What writes nothing is a barrier, or shows what is in memory: it waits for all before it. */
  #isTriedAgain(queued: Queued, outcome: Outcome, afterOthers: boolean): boolean {
    if (queued.writes.length === 0) return afterOthers;
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

function restsOn(queued: Queued, touched: ReadonlySet<Owner>): boolean {
  for (const owner of queued.touched.keys()) if (touched.has(owner)) return true;
  return false;
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
