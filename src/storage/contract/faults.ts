// A wrapped store for tests: commits can be held back until released, or made to fail by number.
import { type Storage, StoreFault } from "../port.js";
import type { Outcome, Unit } from "../writes.js";

/** What becomes of a commit that is made to fail. */
export interface Failure {
  /** The outcome of each of its units. */
  readonly outcome: Exclude<Outcome, "done">;
  /** Write it all the same, as when only the answer of a store is lost ("unknown"). */
  readonly written?: true;
}

/** Which commits fail, counted from 1. */
export type FailurePlan = ReadonlyMap<number, Failure>;

/** A store whose commits a test has in its hand. Reads, probe and close go straight through. */
export interface FailingStorage extends Storage {
  /** Commits wait, before anything of them is written, until release(). */
  hold(): void;
  /** Lets the held commits go, in their order, and holds no more. */
  release(): void;
  /** The next commits (one, unless told) fail with this outcome, before the plan is looked at. */
  failNext(outcome: Failure["outcome"], options?: { readonly commits?: number; readonly written?: true }): void;
  /** From now on, or no longer, the rows of owners cannot be read. */
  breakLoads(broken: boolean): void;
  /** Commits asked for so far. */
  readonly commits: number;
  /** Commits waiting for release(). */
  readonly held: number;
}

export function failing(storage: Storage, plan: FailurePlan = new Map()): FailingStorage {
  return new Failing(storage, plan);
}

class Failing implements FailingStorage {
  readonly #inner: Storage;
  readonly #plan: FailurePlan;
  readonly #failures: Failure[] = [];
  readonly #waiting: (() => void)[] = [];
  #holding = false;
  #broken = false;
  #commits = 0;

  constructor(inner: Storage, plan: FailurePlan) {
    this.#inner = inner;
    this.#plan = plan;
  }

  get commits(): number {
    return this.#commits;
  }

  get held(): number {
    return this.#waiting.length;
  }

  hold(): void {
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  failNext(outcome: Failure["outcome"], { commits = 1, written }: { commits?: number; written?: true } = {}): void {
    for (let n = 0; n < commits; n++) this.#failures.push(written ? { outcome, written } : { outcome });
  }

  async commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    const failure = this.#failures.shift() ?? this.#plan.get(this.#commits + 1);
    this.#commits++;
    if (this.#holding) await new Promise<void>((go) => this.#waiting.push(go));
    if (!failure) return this.#inner.commit(units);
    if (failure.written) await this.#inner.commit(units);
    return units.map(() => failure.outcome);
  }

  breakLoads(broken: boolean): void {
    this.#broken = broken;
  }

  load(...asked: Parameters<Storage["load"]>): ReturnType<Storage["load"]> {
    if (this.#broken) return Promise.reject(new StoreFault("failed", "the disk has a scratch", "get another"));
    return this.#inner.load(...asked);
  }

  get(...asked: Parameters<Storage["get"]>): ReturnType<Storage["get"]> {
    return this.#inner.get(...asked);
  }

  list(...asked: Parameters<Storage["list"]>): ReturnType<Storage["list"]> {
    return this.#inner.list(...asked);
  }

  find(...asked: Parameters<Storage["find"]>): ReturnType<Storage["find"]> {
    return this.#inner.find(...asked);
  }

  log(...asked: Parameters<Storage["log"]>): ReturnType<Storage["log"]> {
    return this.#inner.log(...asked);
  }

  countLog(...asked: Parameters<Storage["countLog"]>): Promise<number> {
    return this.#inner.countLog(...asked);
  }

  logOwners(...asked: Parameters<Storage["logOwners"]>): ReturnType<Storage["logOwners"]> {
    return this.#inner.logOwners(...asked);
  }

  measure(...asked: Parameters<Storage["measure"]>): ReturnType<Storage["measure"]> {
    return this.#inner.measure(...asked);
  }

  purge(...asked: Parameters<Storage["purge"]>): Promise<number> {
    return this.#inner.purge(...asked);
  }

  discard(): Promise<boolean> {
    return this.#inner.discard();
  }

  shrink(): Promise<boolean> {
    return this.#inner.shrink();
  }

  highestId(): Promise<number> {
    return this.#inner.highestId();
  }

  probe(): Promise<void> {
    return this.#inner.probe();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
