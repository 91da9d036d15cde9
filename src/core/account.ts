// An account as the core holds it: the stored documents its features read, and its sessions. Kept while a session lives, else in an LRU.
import type { Row } from "../storage/port.js";
import { Owner } from "./owner.js";
import type { Session } from "./session.js";

/** Store of the account document itself (key ""): its presence means that the account exists. */
export const ACCOUNT_STORE = "account";

export class Account extends Owner {
  /** The sessions bound now, by resource. */
  readonly sessions = new Map<string, Session>();
  #exists = false;

  get exists(): boolean {
    return this.#exists;
  }

  override load(rows: readonly Row[]): void {
    super.load(rows);
    this.#exists = this.rows(ACCOUNT_STORE).length > 0;
  }

  /** True if a session is available with a priority of zero or more (RFC 6121 §8.5.2.1). */
  hasNonNegative(): boolean {
    for (const session of this.sessions.values()) if (session.isNonNegative) return true;
    return false;
  }
}
