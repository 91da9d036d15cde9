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
  /** Loads under way at once (`limits.loads`); more are refused. */
  readonly loads: number;
  /** A load that takes longer is given up, in ms. */
  readonly timeoutMs: number;
}

/** The account could not be loaded now; the stanza that needed it is refused with `resource-constraint`/`wait`. */
export class LoadFault extends Error {
  override readonly name = "LoadFault";
}

const EMPTY_ACCOUNT_BYTES = 500; // what an Account with its maps costs before any row

export class Accounts {
  readonly #ports: AccountsPorts;
  readonly #held = new Map<string, Account>();
  readonly #cold: LRUCache<string, Account>;
  readonly #loading = new Map<string, Promise<Account>>();

  constructor(ports: AccountsPorts) {
    this.#ports = ports;
    this.#cold = new LRUCache({ maxSize: ports.cacheBytes, sizeCalculation: sizeOf });
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
    if (underway) return underway;
    if (this.#loading.size >= this.#ports.loads) throw new LoadFault("too many accounts are being loaded");
    const loading = this.#read(bare, key).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  /** Keeps the account in memory until as many `release` calls. */
  hold(account: Account): void {
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

  /** Keeps the accounts a flow changed in memory until `releaseFor`: they are ahead of the store. */
  holdFor({ touched, held }: Pick<Flow, "touched" | "held">): void {
    for (const account of touched.keys()) {
      if (held.has(account)) continue;
      held.add(account);
      this.hold(account);
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
    this.#cold.delete(key);
  }

  async #read(bare: JID, key: string): Promise<Account> {
    for (;;) {
      const account = this.#held.get(key) ?? new Account(bare.bare);
      const generation = account.generation;
      const rows = await this.#withTimeout(this.#ports.storage.load([key], this.#ports.stores), key);
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
