// The MongoDB driver: the storage port in front of one writing and one reading side.
import type { Clock } from "../../core/clock.js";
import { DeclaredStores } from "../lookups.js";
import type { LogQuery, LogRange, LogRow, LogSize, OwnerPage, Page, Row, Storage, StoreSpec } from "../port.js";
import type { StoreFault } from "../port.js";
import type { Outcome, Unit } from "../writes.js";
import { Erasures } from "./erasures.js";
import { closedFault } from "./faults.js";
import { type Holder, Lease } from "./lease.js";
import { Link, type Patience } from "./link.js";
import { Numbers } from "./numbers.js";
import { inspect, prepare } from "./prepare.js";
import { Queue } from "./queue.js";
import { Reader } from "./reader.js";
import { WordIndex } from "./search.js";
import { Writer } from "./writer.js";

export interface MongoOptions {
  readonly clock: Clock;
  /** For the lease: which installation this is, and which run of it. Asked once the database has been found usable. */
  readonly holder: () => Holder;
  /** Told of each fault that refused units or left their outcome unknown, and of a lease that is lost. */
  readonly report?: (fault: StoreFault) => void;
  readonly patience?: Patience;
}

/** How long after a commit, and after the last slice, the full-text index follows, in ms. */
const UPKEEP_MS = 1000;
/** Entries indexed at a time between two commits: as many as take this many ms, within these bounds. */
const SLICE = { ms: 10, least: 4, most: 500 } as const;
/** Entries indexed at a time when a search waits for it. */
const SEARCH_SLICE = 200;

/** Opens the database, making or migrating it. Rejects with a StoreFault; a foreign or newer database is left as it is. */
export async function openMongo(url: string, stores: readonly StoreSpec[], options: MongoOptions): Promise<Storage> {
  const { clock, holder, patience, report = () => undefined } = options;
  const declared = new DeclaredStores(stores);
  const link = await Link.open(url, patience);
  let lease: Lease | undefined;
  try {
    await link.ask(inspect);
    lease = await Lease.take({ link, clock, holder: holder(), report });
    await link.ask((at) => prepare(at, stores));
    const words = await link.ask((at) => WordIndex.open(at));
    const erasures = await link.ask((at) => Erasures.open(at));
    const numbers = await link.ask((at) => Numbers.open(at, Math.max(words.upTo, erasures.highest)));
    const writer = new Writer({ link, declared, lease, numbers, erasures, report });
    return new MongoStorage({ link, declared, lease, numbers, words, erasures, writer, clock });
  } catch (error) {
    await lease?.release();
    await link.close();
    throw error;
  }
}

/** Rejects with a StoreFault if the database cannot be reached or had by this program; nothing is written. */
export async function inspectMongo(url: string): Promise<void> {
  const link = await Link.open(url);
  await link.ask(inspect).finally(() => link.close());
}

interface Parts {
  readonly link: Link;
  readonly declared: DeclaredStores;
  readonly lease: Lease;
  readonly numbers: Numbers;
  readonly words: WordIndex;
  readonly erasures: Erasures;
  readonly writer: Writer;
  readonly clock: Clock;
}

class MongoStorage implements Storage {
  readonly #parts: Parts;
  readonly #reader: Reader;
  readonly #queue = new Queue();
  #upkeep = false;
  #slice = 50;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#reader = new Reader(parts.link, parts.erasures);
    this.#keepUp();
  }

  async commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    for (const unit of units)
      for (const write of unit.writes) if ("store" in write) this.#parts.declared.fieldsOf(write.store);
    if (this.#closing) return units.map(() => "refused");
    const outcomes = await this.#queue.run(() => this.#parts.writer.commit(units));
    this.#keepUp();
    return outcomes;
  }

  async load(owners: readonly string[], stores: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    for (const store of stores) this.#parts.declared.fieldsOf(store);
    return this.#read((reader) => reader.load(owners, stores));
  }

  async get(store: string, owner: string, key: string): Promise<Row | undefined> {
    this.#parts.declared.fieldsOf(store);
    return this.#read((reader) => reader.get(store, owner, key));
  }

  async list(store: string, page: Page): Promise<readonly Row[]> {
    this.#parts.declared.fieldsOf(store);
    return this.#read((reader) => reader.list(store, page));
  }

  async find(store: string, field: string, value: string, limit: number): Promise<readonly Row[]> {
    this.#parts.declared.checkField(store, field);
    return this.#read((reader) => reader.find(store, field, value, limit));
  }

  async log(owner: string, query: LogQuery): Promise<readonly LogRow[]> {
    if (query.text !== undefined) await this.#catchUp();
    return this.#read((reader) => reader.log(owner, query));
  }

  async countLog(owner: string, range: LogRange): Promise<number> {
    if (range.text !== undefined) await this.#catchUp();
    return this.#read((reader) => reader.countLog(owner, range));
  }

  logOwners(page: OwnerPage): Promise<readonly string[]> {
    return this.#read((reader) => reader.logOwners(page));
  }

  measure(owner: string, page: { readonly after?: number; readonly limit: number }): Promise<LogSize> {
    return this.#read((reader) => reader.measure(owner, page));
  }

  purge(owner: string, { before, limit }: { readonly before: number; readonly limit: number }): Promise<number> {
    return this.#turn(() => this.#parts.writer.purge(owner, before, limit));
  }

  discard(): Promise<boolean> {
    const { link, lease, erasures } = this.#parts;
    return this.#turn(async () => {
      await lease.renewIfExpired();
      return link.ask(() => erasures.discard());
    });
  }

  /** Nothing to do: the database uses the space of removed rows again (to give it back is `compact`, an operator's decision). */
  shrink(): Promise<boolean> {
    return this.#read(() => Promise.resolve(false));
  }

  highestId(): Promise<number> {
    return this.#read(() => Promise.resolve(this.#parts.numbers.highest));
  }

  /** Renews the lease: a write that a majority must confirm, and the proof that this server may write at all. */
  async probe(): Promise<void> {
    if (this.#closing) throw closedFault();
    await this.#parts.lease.renew();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { numbers, link, lease } = this.#parts;
    await this.#queue.run(async () => {
      if (lease.isHeld) await link.ask(() => numbers.save()).catch(() => undefined); // then the next start finds it by the rows
      await lease.release();
      await link.close();
    });
  }

  async #read<T>(question: (reader: Reader) => Promise<T>): Promise<T> {
    if (this.#closing) throw closedFault();
    return this.#parts.link.ask(() => question(this.#reader));
  }

  async #turn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closing) throw closedFault();
    return this.#queue.run(task);
  }

  /** A search first brings the full-text index up to date. */
  async #catchUp(): Promise<void> {
    const { numbers, words } = this.#parts;
    for (const last = numbers.last; words.upTo < last;) await this.#turn(() => this.#index(SEARCH_SLICE));
  }

  async #index(slice: number): Promise<void> {
    const { link, lease, numbers, words } = this.#parts;
    await lease.renewIfExpired();
    await link.ask(() => words.advance(numbers.last, slice));
  }

  /** Now and then between commits: the index follows, and what a crash must not forget is written down. */
  #keepUp(): void {
    if (this.#upkeep) return;
    this.#upkeep = true;
    this.#parts.clock.after(UPKEEP_MS, () => {
      this.#upkeep = false;
      if (this.#closing) return;
      void this.#turn(() => this.#keepUpNow()).then(
        (more) => {
          if (more) this.#keepUp();
        },
        () => undefined, // the next commit meets the same fault, says so, and comes here again
      );
    });
  }

  async #keepUpNow(): Promise<boolean> {
    const { clock, numbers, words, link } = this.#parts;
    const started = clock.now();
    if (words.upTo < numbers.last) await this.#index(this.#slice);
    const isShort = clock.now() - started < SLICE.ms;
    this.#slice = Math.round(Math.min(SLICE.most, Math.max(SLICE.least, this.#slice * (isShort ? 1.5 : 0.5))));
    await link.ask(() => numbers.save());
    return words.upTo < numbers.last;
  }
}
