// A feature's own typed state on a session or an account, so that neither becomes an open bag that any module writes to.
import type { Row } from "../storage/port.js";
import type { Account } from "./account.js";
import type { Session } from "./session.js";

/** A feature's typed state on a session. Gone with the session. */
export class Slot<T> {
  readonly #values = new WeakMap<Session, T>();
  readonly #initial: () => T;

  /** `initial` makes the value a session starts with. */
  constructor(initial: () => T) {
    this.#initial = initial;
  }

  get(session: Session): T {
    const known = this.#values.get(session);
    if (known !== undefined) return known;
    const value = this.#initial();
    this.#values.set(session, value);
    return value;
  }

  set(session: Session, value: T): void {
    this.#values.set(session, value);
  }
}

/**
 * A feature's typed view of an account's stored documents. It is made from the rows when first asked for, changed in memory by
 * `flow.apply`, and thrown away and made anew when a commit failed (promise: memory = store).
 */
export class AccountSlot<T> {
  readonly store: string;
  readonly #read: (rows: readonly Row[]) => T;

  /** `store` names the storage store whose rows of this account `read` turns into the value. */
  constructor(store: string, read: (rows: readonly Row[]) => T) {
    this.store = store;
    this.#read = read;
  }

  of(account: Account): T {
    return account.view(this, () => this.#read(account.rows(this.store)));
  }
}

/** A feature's typed runtime state on an account (not stored): kept while any session of the account lives. */
export class RuntimeSlot<T> {
  readonly #initial: () => T;
  readonly #values = new WeakMap<Account, T>();

  constructor(initial: () => T) {
    this.#initial = initial;
  }

  of(account: Account): T {
    const known = this.#values.get(account);
    if (known !== undefined) return known;
    const value = this.#initial();
    this.#values.set(account, value);
    return value;
  }
}
