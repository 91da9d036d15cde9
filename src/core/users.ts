// The accounts people have: made, given passwords, listed, removed. Used by registration, the command line and logins alike.
import { isDeepStrictEqual } from "node:util";
import { JID } from "../stanza/jid.js";
import { StreamError } from "../stanza/errors.js";
import { presence } from "../stanza/build.js";
import { placeOf, StoreFault, type Storage } from "../storage/port.js";
import type { Json, Outcome, Put } from "../storage/writes.js";
import { ACCOUNT_STORE, type Account } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Clock } from "./clock.js";
import type { Committer } from "./committer.js";
import type { Erasures } from "./erasures.js";
import type { Feature } from "./feature.js";
import { Flow } from "./flow.js";

export interface UsersPorts {
  readonly storage: Pick<Storage, "find" | "get" | "list">;
  readonly accounts: Accounts;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly features: () => readonly Feature[];
  readonly start: (flow: Flow) => void;
  readonly erasures: Pick<Erasures, "begin">;
  /** What is stored of a password (never the password). */
  readonly derive: (password: string) => Promise<Json>;
}

const LIST_PAGE = 500;
const TEMPORARY = "temporary";

export class Users {
  readonly #ports: UsersPorts;

  constructor(ports: UsersPorts) {
    this.#ports = ports;
  }

  /** Makes an account. `conflict`: there is one already. Throws `PasswordError`-like faults of `derive` for unusable passwords. */
  async create(bare: JID, password: string): Promise<Outcome> {
    const credentials = await this.#ports.derive(password);
    const doc = { v: 1, created: this.#ports.clock.now(), credentials };
    const put = { op: "put", store: ACCOUNT_STORE, owner: bare.toString(), key: "", doc, ifAbsent: true } as const;
    return this.#commit(bare, put);
  }

  /** Makes an account that nobody can log in to again, for one anonymous session (XEP-0175). Who makes it removes it. */
  createTemporary(bare: JID): Promise<Outcome> {
    const doc = { v: 1, created: this.#ports.clock.now(), kind: TEMPORARY };
    const put = { op: "put", store: ACCOUNT_STORE, owner: bare.toString(), key: "", doc, ifAbsent: true } as const;
    return this.#commit(bare, put);
  }

  /** Removes the temporary accounts that a process left behind which did not end in order; if the store refuses, another start will. */
  async removeTemporary(): Promise<void> {
    for (;;) {
      const rows = await this.#ports.storage.find(ACCOUNT_STORE, "kind", TEMPORARY, LIST_PAGE);
      for (const { owner } of rows) if ((await this.remove(JID.parse(owner))) === "refused") return;
      if (rows.length < LIST_PAGE) return;
    }
  }

  /** Gives an existing account a new password. `conflict`: there is no such account, or it changed meanwhile. */
  async setPassword(bare: JID, password: string): Promise<Outcome> {
    const row = (await this.#ports.accounts.load(bare)).rows(ACCOUNT_STORE)[0];
    if (!row) return "conflict";
    const doc = { ...row.doc, credentials: await this.#ports.derive(password) };
    const put = {
      op: "put",
      store: ACCOUNT_STORE,
      owner: bare.toString(),
      key: "",
      doc,
      ifVersion: row.version,
    } as const;
    return this.#commit(bare, put);
  }

  /** What logins are checked against, or undefined if there is no such account. */
  async credentials(bare: JID): Promise<Json | undefined> {
    return (await this.#ports.accounts.load(bare)).rows(ACCOUNT_STORE)[0]?.doc["credentials"];
  }

  async exists(bare: JID): Promise<boolean> {
    return (await this.#ports.accounts.load(bare)).exists;
  }

  /** The bare JIDs of all accounts, in order. */
  async *list(): AsyncGenerator<string> {
    let after: string | undefined;
    for (;;) {
      const rows = await this.#ports.storage.list(
        ACCOUNT_STORE,
        after === undefined ? { limit: LIST_PAGE } : { after, limit: LIST_PAGE },
      );
      for (const row of rows) yield row.owner;
      const last = rows.at(-1);
      if (rows.length < LIST_PAGE || !last) return;
      after = placeOf(last);
    }
  }

  /** Removes an account and everything stored for it; contacts are told, its sessions end. `conflict`: there is none. */
  async remove(bare: JID): Promise<Outcome> {
    const account = await this.#ports.accounts.load(bare);
    if (!account.exists) return "conflict";
    return new Promise((resolve) => {
      const flow = new Flow(presence({ from: account.jid, type: "unavailable" }), { kind: "server" }, "received");
      this.removal(flow, account);
      flow.whenOver((failure) => resolve(failure ? "refused" : "done"));
      this.#ports.start(flow);
    });
  }

  /** Adds to a flow all that removing an account means (rulings 18). The sessions end once it is durable. */
  removal(flow: Flow, account: Account): void {
    for (const feature of this.#ports.features()) feature.removed?.(flow, account);
    flow.apply({
      owner: account,
      writes: [{ op: "erase", owner: account.jid.toString() }],
      effect: () => account.load([]),
    });
    const notAuthorized = new StreamError("not-authorized");
    flow.atRelease(() => {
      this.#ports.erasures.begin();
      for (const session of [...account.sessions.values()])
        if (session === flow.session) session.sink.dismiss(notAuthorized);
        else session.expel(notAuthorized);
    });
  }

  async #commit(bare: JID, write: Put): Promise<Outcome> {
    const outcome = await this.#ports.committer.commit([write]);
    this.#ports.accounts.invalidate(bare);
    return outcome === "unknown" ? this.#outcomeOf(write) : outcome;
  }

  /** What nobody could say at the time is seen in the store: the document is this one and no other, by its time and salts. */
  async #outcomeOf({ store, owner, key, doc }: Put): Promise<Outcome> {
    try {
      const row = await this.#ports.storage.get(store, owner, key);
      return row && isDeepStrictEqual(row.doc, doc) ? "done" : "refused";
    } catch (error) {
      if (error instanceof StoreFault) return "unknown";
      throw error;
    }
  }
}
