// What owns documents and is in memory (accounts, rooms): what is in use, and an LRU of others. Cold ones are loaded once however many ask,
// boundedly and with a time limit.
import { LRUCache } from "lru-cache";
import type { JID } from "../stanza/jid.js";
import type { Row, Storage } from "../storage/port.js";
import { Account } from "./account.js";
import type { Clock } from "./clock.js";
import type { Home, Owner } from "./owner.js";

export interface OwnersPorts {
  readonly storage: Pick<Storage, "load">;
  readonly clock: Clock;
  /** The stores whose rows belong to an owner in memory. */
  readonly stores: readonly string[];
  /** Bytes of unused ones kept (`limits.account_cache`). */
  readonly cacheBytes: number;
  /** Loads under way at once (`limits.loads`); more wait. */
  readonly loads: number;
  /** Loads that may wait (`limits.load_queue`); more are refused. */
  readonly queue: number;
  /** A load that waits or takes longer is given up, in ms. */
  readonly timeoutMs: number;
}

/** The account, or whatever owns documents, could not be loaded now; the stanza that needed it is refused with `resource-constraint`/`wait`. */
export class LoadFault extends Error {
  override readonly name = "LoadFault";
}

const EMPTY_BYTES = 500; // what an owner with its maps costs before any row

interface Loading<T> {
  readonly owner: T;
  readonly loaded: Promise<T>;
}

export class Owners<T extends Owner> implements Home {
  readonly #ports: OwnersPorts;
  readonly #create: (jid: JID) => T;
  readonly #held = new Map<string, T>();
  readonly #cold: LRUCache<string, T>;
  readonly #loading = new Map<string, Loading<T>>();
  /** Loads that wait for one of those under way to end, in order. */
  readonly #waiting = new Set<() => void>();
  #reads = 0;

  /** `create` makes one that has not been loaded. */
  constructor(ports: OwnersPorts, create: (jid: JID) => T) {
    this.#ports = ports;
    this.#create = create;
    this.#cold = new LRUCache<string, T>({
      maxSize: Math.min(ports.cacheBytes, Number.MAX_SAFE_INTEGER), // Infinity is not taken
      sizeCalculation: sizeOf,
    });
  }

  /** It, if it is in memory and fresh. Never reads the store. */
  peek(bare: JID): T | undefined {
    const key = bare.toString();
    const owner = this.#held.get(key) ?? this.#cold.get(key);
    return owner && !owner.isStale ? owner : undefined;
  }

  /** It, loaded if need be. Throws `LoadFault` when too many loads are under way, one takes too long, or the store fails. */
  async load(bare: JID): Promise<T> {
    const known = this.peek(bare);
    if (known) return known;
    const key = bare.toString();
    const underway = this.#loading.get(key);
    if (underway) return underway.loaded;
    if (this.#waiting.size >= this.#ports.queue) throw new LoadFault("too many owners are waiting to be loaded");
    const owner = this.#held.get(key) ?? this.#make(bare.bare);
    const loaded = this.#inTurn(key, () => this.#read(owner, key)).finally(() => this.#loading.delete(key));
    this.#loading.set(key, { owner, loaded });
    return loaded;
  }

  /** Reads many at once, for their use in a moment: one read of the store in place of one for each. Rejects with a StoreFault. */
  async preload(bares: readonly JID[]): Promise<void> {
    const cold = new Map(bares.map((bare) => [bare.toString(), bare] as const));
    for (const [key, bare] of cold)
      if (this.peek(bare) || this.isInUse(bare) || this.#loading.has(key)) cold.delete(key);
    const rows = await this.#ports.storage.load([...cold.keys()], this.#ports.stores);
    for (const [key, bare] of cold) {
      const owner = this.#make(bare);
      owner.load(rows.get(key) ?? []);
      this.#cold.set(key, owner);
    }
  }

  #make(jid: JID): T {
    const made = this.#create(jid);
    made.home = this;
    return made;
  }

  /**
   * Keeps it in memory until as many `release` calls. Returns the one to use: another one of the same address if that has
   * been taken into use since this one was loaded.
   */
  hold(loaded: T): T {
    const owner = this.current(loaded);
    this.keep(owner);
    return owner;
  }

  keep(owner: T): void {
    if (owner.holders++ > 0) return;
    const key = owner.jid.toString();
    this.#cold.delete(key);
    this.#held.set(key, owner);
  }

  release(owner: T): void {
    if (--owner.holders > 0) return;
    const key = owner.jid.toString();
    this.#held.delete(key);
    if (!owner.isStale) this.#cold.set(key, owner);
  }

  /** The one in use, where that is not the one that was loaded a moment ago. */
  current(loaded: T): T {
    return this.#held.get(loaded.jid.toString()) ?? loaded;
  }

  /** It has sessions, occupants or uncommitted changes, even if it must be loaded again before it is used. */
  isInUse(bare: JID): boolean {
    return this.#held.has(bare.toString());
  }

  /** Those that are in use now. */
  inUse(): Iterable<T> {
    return this.#held.values();
  }

  /** What memory holds of this owner may no longer be what the store holds. */
  invalidate(bare: JID): void {
    const key = bare.toString();
    this.#held.get(key)?.invalidate();
    this.#cold.peek(key)?.invalidate(); // somebody may just have been given it
    this.#cold.delete(key);
    this.#loading.get(key)?.owner.invalidate();
  }

  /** Reads when one of the loads under way has ended. */
  async #inTurn(key: string, read: () => Promise<T>): Promise<T> {
    if (this.#reads < this.#ports.loads) this.#reads++;
    else await this.#turn(key);
    try {
      return await read();
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#reads--;
    }
  }

  #turn(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        timer.cancel();
        this.#waiting.delete(go);
        resolve();
      };
      const timer = this.#ports.clock.after(this.#ports.timeoutMs, () => {
        this.#waiting.delete(go);
        reject(new LoadFault(`${key} waited too long to be loaded`));
      });
      this.#waiting.add(go);
    });
  }

  async #read(owner: T, key: string): Promise<T> {
    for (;;) {
      const generation = owner.generation;
      const rows = await this.#withTimeout(this.#ports.storage.load([key], this.#ports.stores), key);
      const held = this.#held.get(key);
      if (held && held !== owner && !held.isStale) return held; // taken into use while we read
      if (held && held !== owner) return this.#read(held, key);
      if (owner.generation !== generation) continue; // invalidated while we read: read again
      owner.load(rows.get(key) ?? []);
      if (owner.holders === 0) this.#cold.set(key, owner);
      return owner;
    }
  }

  #withTimeout(
    read: Promise<ReadonlyMap<string, readonly Row[]>>,
    key: string,
  ): Promise<ReadonlyMap<string, readonly Row[]>> {
    return new Promise((resolve, reject) => {
      const timer = this.#ports.clock.after(this.#ports.timeoutMs, () =>
        reject(new LoadFault(`loading ${key} took too long`)),
      );
      read
        .then(resolve, (cause: unknown) => reject(new LoadFault(`loading ${key} failed`, { cause })))
        .finally(() => timer.cancel());
    });
  }
}

export class Accounts extends Owners<Account> {
  constructor(ports: OwnersPorts) {
    super(ports, (jid) => new Account(jid));
  }
}

function sizeOf(owner: Owner): number {
  return EMPTY_BYTES + owner.bytes;
}
