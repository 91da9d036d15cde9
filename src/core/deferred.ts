// Engineering 3: an entry that is written only if nobody has its stanza in time. Nothing is written before delivery; the sender's stanza
// counts as handled once a receiving session has it, or else once the entry is durable.
import type { Entry, Outcome, Write } from "../storage/writes.js";
import type { Append, Flow, Stamp } from "./flow.js";
import type { Session } from "./session.js";

/** What writing it needs. */
export interface Keeper {
  commit(writes: readonly (Write | Append)[]): Promise<Outcome>;
  /** The written entry needs no further delivery. */
  delivered(entry: Append): void;
}

/** What became of a message whose entry was not written. */
export interface Fate {
  /** It went another way, or was refused: nothing says that its recipient has it. */
  isGone: boolean;
}

export class Deferred implements Append {
  readonly op = "append";
  readonly owner: string;
  readonly stamp: Stamp | undefined;
  id = 0;
  /** The sessions that were given a copy. */
  readonly given = new Set<Session>();
  /** For who remembers the message, without its entry. */
  readonly fate: Fate = { isGone: false };
  readonly #make: () => Entry;
  readonly #also: () => readonly Append[];
  #entry: Entry | undefined;
  #state: "open" | "writing" | "kept" | "arrived" = "open";
  #writing: Promise<boolean> | undefined;
  #hasArrived = false;
  /** Copies of which soon more may be known. */
  #live = 0;
  #whenSettled: (() => void)[] = [];
  /** Those of the same sender and owner that are not written either, in order. */
  #queue: Set<Deferred> | undefined;
  #whenOutOfQueue: () => void = () => undefined;

  /** `make` is called only if it must be written: a hidden, pending entry; `also`: what is written behind it, in the same unit. */
  constructor(owner: string, make: () => Entry, stamp?: Stamp, also: () => readonly Append[] = () => []) {
    this.owner = owner;
    this.stamp = stamp;
    this.#make = make;
    this.#also = also;
  }

  /** It is in this queue until it is written, or need not be. */
  lineUp(queue: Set<Deferred>, whenOut: () => void): void {
    queue.add(this);
    this.#queue = queue;
    this.#whenOutOfQueue = whenOut;
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

  /** Writes it, unless it is settled, behind those before it. False if the store did not take it. */
  async keep(keeper: Keeper): Promise<boolean> {
    if (this.isSettled) return true;
    if (!this.#writing) this.#keepEarlier(keeper);
    this.#writing ??= this.#write(keeper.commit([this, ...this.#also()]), keeper);
    return this.#writing;
  }

  #keepEarlier(keeper: Keeper): void {
    if (!this.#queue?.has(this)) return;
    for (const earlier of this.#queue) {
      if (earlier === this) return;
      void earlier.keep(keeper);
    }
  }

  /** It is written with this flow, before that entry of a later message. */
  writeWith(flow: Flow, later: Append, keeper: Keeper): void {
    const outcome = new Promise<Outcome>((resolve) => flow.whenOver(() => resolve(outcomeOf(flow))));
    flow.writes.splice(flow.writes.indexOf(later), 0, this, ...this.#also());
    this.#writing = this.#write(outcome, keeper);
  }

  /** Its stanza has gone another way. */
  giveUp(): void {
    this.fate.isGone ||= !this.isSettled;
    if (!this.isSettled) this.#settle("arrived");
  }

  async #write(written: Promise<Outcome>, keeper: Keeper): Promise<boolean> {
    this.#state = "writing";
    this.#leaveQueue();
    const outcome = await written;
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
    this.#leaveQueue();
    for (const callback of this.#whenSettled.splice(0)) callback();
  }
  #leaveQueue(): void {
    if (this.#queue?.delete(this)) this.#whenOutOfQueue();
    this.#queue = undefined;
  }
}

function outcomeOf({ failure, cause }: Flow): Outcome {
  if (!failure) return "done";
  return cause === "unknown" ? "unknown" : "refused";
}
