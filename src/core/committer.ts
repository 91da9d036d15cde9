// Group commit: one batch of units on its way to the store, the next one filling. Nothing is released before its unit is durable.
import type { Storage } from "../storage/port.js";
import type { Outcome, Unit, Write } from "../storage/writes.js";
import type { Account } from "./account.js";
import type { Clock } from "./clock.js";
import type { Append } from "./flow.js";
import type { Ids } from "./ids.js";
import type { Log } from "./log.js";

/** The writes of one flow, waiting for their commit. */
export interface Pending {
  readonly writes: readonly (Write | Append)[];
  /** The accounts it changed in memory, with the generation they had then. */
  readonly touched: ReadonlyMap<Account, number>;
  /** Called once, with what became of it. Never "unknown" before `timeoutMs` of trying. */
  done(outcome: Outcome): void;
}

interface Queued extends Pending {
  since: number;
  bytes: number;
}

export interface CommitterPorts {
  readonly storage: Pick<Storage, "commit">;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes of waiting writes beyond which sockets pause (`limits.commit_queue`). */
  readonly queueBytes: number;
  /** How long a unit whose outcome is unknown is tried again (`storage.timeout`), in ms. */
  readonly timeoutMs: number;
  /** At most this many units in one batch. */
  readonly batchUnits: number;
}

const RETRY_MS = 250;
const NOTHING_TOUCHED: ReadonlyMap<Account, number> = new Map();

export class Committer {
  readonly #ports: CommitterPorts;
  #open: Queued[] = [];
  #bytes = 0;
  #underway = false;
  #scheduled = false;
  /** Called back when everything queued at the time has been settled, in order. */
  #barriers: (() => void)[] = [];

  constructor(ports: CommitterPorts) {
    this.#ports = ports;
  }

  /** More writes are waiting than the limit allows: sockets should pause. */
  get isFull(): boolean {
    return this.#bytes > this.#ports.queueBytes;
  }

  /** Joins the open batch. */
  enqueue(pending: Pending): void {
    const bytes = sizeOf(pending.writes);
    this.#bytes += bytes;
    this.#open.push({
      writes: pending.writes,
      touched: pending.touched,
      done: (outcome) => pending.done(outcome),
      since: this.#ports.clock.now(),
      bytes,
    });
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

  /** Resolves when nothing is waiting and nothing is under way. For an orderly stop. */
  idle(): Promise<void> {
    if (this.#open.length === 0 && !this.#underway) return Promise.resolve();
    return new Promise((resolve) => this.#barriers.push(resolve));
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
    const batch = this.#takeBatch();
    if (batch.length === 0) {
      if (this.#open.length > 0) this.#schedule();
      else for (const resolve of this.#barriers.splice(0)) resolve();
      return;
    }
    this.#underway = true;
    void this.#send(batch);
  }

  /**
   * Up to `batchUnits` from the queue; those that rest on a change that failed are refused here. A batch has at most one unit that
   * touches an account: what came of it must be known before another that rests on it goes to the store.
   */
  #takeBatch(): Queued[] {
    const batch: Queued[] = [];
    const touched = new Set<Account>();
    let taken = 0;
    for (const queued of this.#open) {
      if (batch.length >= this.#ports.batchUnits || restsOn(queued, touched)) break;
      taken++;
      if (isOutdated(queued)) this.#settle(queued, "refused");
      else batch.push(queued);
      for (const account of queued.touched.keys()) touched.add(account);
    }
    this.#open.splice(0, taken);
    for (const queued of batch)
      for (const write of queued.writes)
        if (write.op === "append" && write.id === 0) (write as Append).id = this.#ports.ids.next();
    return batch;
  }

  async #send(batch: readonly Queued[]): Promise<void> {
    const outcomes = await this.#commit(batch);
    const retry: Queued[] = [];
    batch.forEach((queued, i) => {
      const outcome = outcomes[i] ?? "unknown";
      if (outcome === "unknown" && this.#ports.clock.now() - queued.since < this.#ports.timeoutMs) retry.push(queued);
      else this.#settle(queued, outcome);
    });
    if (retry.length > 0) {
      this.#open.unshift(...retry);
      this.#ports.clock.after(RETRY_MS, () => this.#resume());
    } else this.#resume();
  }

  #resume(): void {
    this.#underway = false;
    this.#next();
  }

  async #commit(batch: readonly Unit[]): Promise<readonly Outcome[]> {
    const units = batch.filter((unit) => unit.writes.length > 0);
    if (units.length === 0) return batch.map(() => "done");
    try {
      const outcomes = await this.#ports.storage.commit(units.map((unit) => ({ writes: unit.writes })));
      let at = 0;
      return batch.map((unit) => (unit.writes.length === 0 ? "done" : (outcomes[at++] ?? "unknown")));
    } catch (error) {
      this.#ports.log.error({ ev: "store.commit_failed", units: units.length, err: error });
      return batch.map((unit) => (unit.writes.length === 0 ? "done" : "unknown"));
    }
  }

  #settle(queued: Queued, outcome: Outcome): void {
    this.#bytes -= queued.bytes;
    for (const account of queued.touched.keys()) {
      if (outcome !== "done") account.invalidate();
    }
    queued.done(outcome);
  }
}

function restsOn(queued: Queued, touched: ReadonlySet<Account>): boolean {
  for (const account of queued.touched.keys()) if (touched.has(account)) return true;
  return false;
}

/** True if an account it changed has been invalidated since: its decision rested on something that is not in the store. */
function isOutdated(queued: Queued): boolean {
  for (const [account, generation] of queued.touched) if (account.generation !== generation) return true;
  return false;
}

function sizeOf(writes: readonly (Write | Append)[]): number {
  let bytes = 0;
  for (const write of writes) bytes += write.op === "append" ? write.entry.stanza.length + 64 : 256;
  return bytes;
}
