// Engineering 3: an entry that is written only if nobody has its stanza in time. Nothing is written before delivery; the sender's stanza
// counts as handled once a receiving session has it, or else once the entry is durable.
import type { Entry, Outcome, Write } from "../storage/writes.js";
import type { Append, Stamp } from "./flow.js";
import type { Session } from "./session.js";

/** What writing it needs. */
export interface Keeper {
  commit(writes: readonly (Write | Append)[]): Promise<Outcome>;
  /** The written entry needs no further delivery. */
  delivered(entry: Append): void;
}

export class Deferred implements Append {
  readonly op = "append";
  readonly owner: string;
  readonly stamp: Stamp | undefined;
  id = 0;
  /** The sessions that were given a copy. */
  readonly given = new Set<Session>();
  readonly #make: () => Entry;
  #entry: Entry | undefined;
  #state: "open" | "writing" | "kept" | "arrived" = "open";
  #writing: Promise<boolean> | undefined;
  #hasArrived = false;
  /** Copies of which soon more may be known. */
  #live = 0;
  #whenSettled: (() => void)[] = [];

  /** `make` is called only if it must be written: a hidden, pending entry. */
  constructor(owner: string, make: () => Entry, stamp?: Stamp) {
    this.owner = owner;
    this.stamp = stamp;
    this.#make = make;
  }

  get entry(): Entry {
    this.#entry ??= this.#make();
    return this.#entry;
  }

  /** A session has the stanza, or the store. */
  get isSettled(): boolean {
    return this.#state === "arrived" || this.#state === "kept";
  }

  /** A session has it; it needs no further delivery. */
  get hasArrived(): boolean {
    return this.#hasArrived;
  }

  /** Calls back, once, when it is settled. */
  whenSettled(callback: () => void): void {
    if (this.isSettled) callback();
    else this.#whenSettled.push(callback);
  }

  /** A copy goes to this session. */
  give(session: Session): void {
    this.given.add(session);
    this.#live++;
  }

  arrived(keeper: Keeper): void {
    if (this.#hasArrived) return;
    this.#hasArrived = true;
    if (this.#state === "kept") keeper.delivered(this);
    else if (this.#state === "open") this.#settle("arrived");
  }

  /** Of one copy nothing more will be known for long; if that was the last one, it is written. */
  fades(keeper: Keeper): void {
    this.#live--;
    if (this.#live <= 0 && !this.#hasArrived) void this.keep(keeper);
  }

  /** Writes it, unless it is settled. False if the store did not take it. */
  async keep(keeper: Keeper): Promise<boolean> {
    if (this.isSettled) return true;
    this.#writing ??= this.#write(keeper);
    return this.#writing;
  }

  /** Its stanza has gone another way. */
  giveUp(): void {
    if (!this.isSettled) this.#settle("arrived");
  }

  async #write(keeper: Keeper): Promise<boolean> {
    this.#state = "writing";
    const outcome = await keeper.commit([this]);
    this.#writing = undefined;
    const isKept = outcome === "done";
    if (outcome === "refused") this.id = 0; // ids are given in the order of the commits
    if (isKept && this.#hasArrived) keeper.delivered(this);
    if (isKept || this.#hasArrived) this.#settle(isKept ? "kept" : "arrived");
    else this.#state = "open";
    return isKept || this.#hasArrived;
  }

  #settle(state: "kept" | "arrived"): void {
    this.#state = state;
    for (const callback of this.#whenSettled.splice(0)) callback();
  }
}
