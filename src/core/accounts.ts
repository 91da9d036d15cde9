// The accounts in memory: those in use, and an LRU of others. Cold ones are loaded once however many ask, boundedly and with a time limit.
import { LRUCache } from "lru-cache";
import type { JID } from "../stanza/jid.js";
import type { Row, Storage } from "../storage/port.js";
import { Account } from "./account.js";
import type { Clock } from "./clock.js";
import type { Flow } from "./flow.js";

export interface AccountsPorts {
  readonly storage: Pick<Storage, "load">;
  readonly clock: Clock;
  /** The stores whose rows belong to an account in memory. */
  readonly stores: readonly string[];
  /** Bytes of unused accounts kept (`limits.account_cache`). */
  readonly cacheBytes: number;
  /** Loads under way at once (`limits.loads`); more wait. */
  readonly loads: number;
  /** Loads that may wait (`limits.load_queue`); more are refused. */
  readonly queue: number;
  /** A load that waits or takes longer is given up, in ms. */
  readonly timeoutMs: number;
}

/** The account could not be loaded now; the stanza that needed it is refused with `resource-constraint`/`wait`. */
export class LoadFault extends Error {
  override readonly name = "LoadFault";
}

const EMPTY_ACCOUNT_BYTES = 500; // what an Account with its maps costs before any row

interface Loading {
  readonly account: Account;
  readonly loaded: Promise<Account>;
}

export class Accounts {
  readonly #ports: AccountsPorts;
  readonly #held = new Map<string, Account>();
  readonly #cold: LRUCache<string, Account>;
  readonly #loading = new Map<string, Loading>();
  /** Loads that wait for one of those under way to end, in order. */
  readonly #waiting = new Set<() => void>();
  #reads = 0;

  constructor(ports: AccountsPorts) {
    this.#ports = ports;
    this.#cold = new LRUCache({
      maxSize: Math.min(ports.cacheBytes, Number.MAX_SAFE_INTEGER), // Infinity is not taken
      sizeCalculation: sizeOf,
    });
  }

  /** The account if it is in memory and fresh. Never reads the store. */
  peek(bare: JID): Account | undefined {
    const key = bare.toString();
    const account = this.#held.get(key) ?? this.#cold.get(key);
    return account && !account.isStale ? account : undefined;
  }

  /** The account, loaded if need be. Throws `LoadFault` when too many loads are under way, one takes too long, or the store fails. */
  async load(bare: JID): Promise<Account> {
    const known = this.peek(bare);
    if (known) return known;
    const key = bare.toString();
    const underway = this.#loading.get(key);
    if (underway) return underway.loaded;
    if (this.#waiting.size >= this.#ports.queue) throw new LoadFault("too many accounts are waiting to be loaded");
    const account = this.#held.get(key) ?? new Account(bare.bare);
    const loaded = this.#inTurn(key, () => this.#read(account, key)).finally(() => this.#loading.delete(key));
    this.#loading.set(key, { account, loaded });
    return loaded;
  }

  /** Reads many at once, for their use in a moment: one read of the store in place of one for each. Rejects with a StoreFault. */
  async preload(bares: readonly JID[]): Promise<void> {
    const cold = new Map(bares.map((bare) => [bare.toString(), bare] as const));
    for (const [key, bare] of cold)
      if (this.peek(bare) || this.isInUse(bare) || this.#loading.has(key)) cold.delete(key);
    const rows = await this.#ports.storage.load([...cold.keys()], this.#ports.stores);
    for (const [key, bare] of cold) {
      const account = new Account(bare);
      account.load(rows.get(key) ?? []);
      this.#cold.set(key, account);
    }
  }

  /**
   * Keeps the account in memory until as many `release` calls. Returns the one to use: another one of the same address if that has
   * been taken into use since this one was loaded.
   */
  hold(loaded: Account): Account {
    const account = this.current(loaded);
    this.#keep(account);
    return account;
  }

  #keep(account: Account): void {
    if (account.holders++ > 0) return;
    const key = account.jid.toString();
    this.#cold.delete(key);
    this.#held.set(key, account);
  }

  release(account: Account): void {
    if (--account.holders > 0) return;
    const key = account.jid.toString();
    this.#held.delete(key);
    if (!account.isStale) this.#cold.set(key, account);
  }

  /** The one in use, where that is not the one that was loaded a moment ago. */
  current(loaded: Account): Account {
    return this.#held.get(loaded.jid.toString()) ?? loaded;
  }

  /** Keeps the accounts a flow changed in memory until `releaseFor`: they are ahead of the store. */
  holdFor({ touched, held }: Pick<Flow, "touched" | "held">): void {
    for (const account of touched.keys()) {
      if (held.has(account)) continue;
      held.add(account);
      this.#keep(account);
    }
  }

  releaseFor({ held }: Pick<Flow, "held">): void {
    for (const account of held) this.release(account);
    held.clear();
  }

  /** It has sessions or uncommitted changes, even if it must be loaded again before it is used. */
  isInUse(bare: JID): boolean {
    return this.#held.has(bare.toString());
  }

  /** The accounts that are in use now (with sessions or uncommitted changes). */
  inUse(): Iterable<Account> {
    return this.#held.values();
  }

  /** What memory holds of this account may no longer be what the store holds. */
  invalidate(bare: JID): void {
    const key = bare.toString();
    this.#held.get(key)?.invalidate();
    this.#cold.peek(key)?.invalidate(); // somebody may just have been given it
    this.#cold.delete(key);
    this.#loading.get(key)?.account.invalidate();
  }

  /** Reads when one of the loads under way has ended. */
  async #inTurn(key: string, read: () => Promise<Account>): Promise<Account> {
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

  async #read(account: Account, key: string): Promise<Account> {
    for (;;) {
      const generation = account.generation;
      const rows = await this.#withTimeout(this.#ports.storage.load([key], this.#ports.stores), key);
      const held = this.#held.get(key);
      if (held && held !== account && !held.isStale) return held; // taken into use while we read
      if (held && held !== account) return this.#read(held, key);
      if (account.generation !== generation) continue; // invalidated while we read: read again
      account.load(rows.get(key) ?? []);
      if (account.holders === 0) this.#cold.set(key, account);
      return account;
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

function sizeOf(account: Account): number {
  return EMPTY_ACCOUNT_BYTES + account.bytes;
}
