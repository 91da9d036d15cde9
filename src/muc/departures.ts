// Accounts that are removed (rulings 18): a document says so from the removal on, until every room has let go of the account; so whoever gets
// the same address one day owns nothing by it, whenever the process ends.
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import { Errand } from "../core/errand.js";
import type { Flow } from "../core/flow.js";
import { JID } from "../stanza/jid.js";
import { DEPARTURE_STORE, GIVEN, putDeparture, removeDeparture } from "./documents.js";

const RETRY_MS = 60_000; // after a fault of the store
const PAGE = 100;

/** Has a room let go of an account. False: it could not. */
export type Depart = (account: JID, room: JID) => Promise<boolean>;

export class Departures {
  readonly #context: Context;
  readonly #depart: Depart;
  readonly #errand: Errand;

  constructor(context: Context, depart: Depart) {
    this.#context = context;
    this.#depart = depart;
    const terms = { event: "muc.departure_unfinished", retryMs: RETRY_MS, work: () => this.#work() };
    this.#errand = new Errand(context, terms);
  }

  /** Adds to an account's removal. */
  removed(flow: Flow, account: Account): void {
    flow.write(putDeparture(account.jid));
    flow.atRelease(() => this.begin());
  }

  /** After each removal, and after a start, as a crash may have come in between. */
  begin(): void {
    this.#errand.begin();
  }

  /** Page after page: those whom all rooms have let go of are listed no more. */
  async #work(): Promise<boolean> {
    const next = () => this.#context.storage.list(DEPARTURE_STORE, { limit: PAGE });
    for (let rows = await next(); rows.length > 0; rows = await next())
      for (const { key } of rows) if (!(await this.#free(JID.parse(key)))) return false;
    return true;
  }

  /** Each room takes back what it has given to the account, so that it is not found again. */
  async #free(account: JID): Promise<boolean> {
    const { storage, committer } = this.#context;
    for (const { store, field } of GIVEN) {
      const find = () => storage.find(store, field, account.toString(), PAGE);
      for (let rows = await find(); rows.length > 0; rows = await find())
        for (const { owner } of rows) if (!(await this.#depart(account, JID.parse(owner)))) return false;
    }
    return (await committer.commit([removeDeparture(account)])) === "done";
  }
}
