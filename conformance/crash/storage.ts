// A store in which the server can be killed before and after every call, which fails when told to, and which can be told to lie:
// to call durable what it has not written yet. Around any driver.
import { type Storage, StoreFault } from "#rookery/storage/port.js";
import type { Outcome, Unit } from "#rookery/storage/writes.js";
import type { Failpoints, StoreFaultMode } from "./failpoints.js";

/** Between a false acknowledgement and the commit: many messages long, and short enough that a round is not held up. */
const LIE_MS = 150;

export class Commits {
  readonly #inner: Storage;
  readonly #points: Failpoints;
  #mode: StoreFaultMode = "none";
  #lies = false;
  #whenWell: (() => void)[] = [];
  /** The commits that were called durable too early, in order. */
  #owed: Promise<unknown> = Promise.resolve();

  constructor(inner: Storage, points: Failpoints) {
    this.#inner = inner;
    this.#points = points;
  }

  /** Everything but a stall is over at once when the mode changes; a stall ends with it, too. */
  setMode(mode: StoreFaultMode): void {
    this.#mode = mode;
    if (mode !== "stalls") for (const go of this.#whenWell.splice(0)) go();
  }

  lie(): void {
    this.#lies = true;
  }

  async commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    this.#points.at("commit.before");
    if (this.#mode === "stalls") await this.#recovery();
    if (this.#mode === "refuses") return units.map(() => "refused");
    if (this.#lies) return this.#promise(units);
    const underway = this.#inner.commit(units);
    this.#points.at("commit.handed");
    const outcomes = await underway;
    this.#points.at("commit.durable");
    return this.#mode === "forgets the answer" ? units.map(() => "unknown") : outcomes;
  }

  async probe(): Promise<void> {
    if (this.#mode === "stalls") await this.#recovery();
    if (this.#mode !== "none") throw new StoreFault("failed", "the store is made to fail", "wait");
    return this.#inner.probe();
  }

  async close(): Promise<void> {
    await this.#owed;
    return this.#inner.close();
  }

  #recovery(): Promise<void> {
    return new Promise((go) => this.#whenWell.push(go));
  }

  /** The lie: durable, it says. */
  #promise(units: readonly Unit[]): readonly Outcome[] {
    const later = new Promise((resolve) => setTimeout(resolve, LIE_MS));
    const before = this.#owed;
    this.#owed = later.then(() => before).then(() => this.#inner.commit(units));
    return units.map(() => "done");
  }
}

/** The store with these commits; every other call passes `storage.NAME.before` and `storage.NAME.after`. */
export function withFailpoints(inner: Storage, commits: Commits, points: Failpoints): Storage {
  return new Proxy(inner, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== "function" || typeof name !== "string") return method;
      if (name === "commit") return (units: readonly Unit[]) => commits.commit(units);
      const own = name === "probe" ? () => commits.probe() : name === "close" ? () => commits.close() : undefined;
      return async (...asked: readonly unknown[]): Promise<unknown> => {
        points.at(`storage.${name}.before`);
        const answer: unknown = await (own ? own() : Reflect.apply(method, target, asked));
        points.at(`storage.${name}.after`);
        return answer;
      };
    },
  });
}
