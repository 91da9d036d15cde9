// All that is stored about an account: to show it, to count it, to erase it. Complete by construction: whatever lies under the account's
// bare JID in any store that holds accounts' data (`FeatureStore.data`), and its log. What others own and is about it (`FeatureStore.about`) is
// shown, and looked after by who keeps it.
import { timestamp } from "../stanza/delay.js";
import type { JID } from "../stanza/jid.js";
import type { LogRow, Storage } from "../storage/port.js";
import type { Json, Outcome } from "../storage/writes.js";
import { fromWire } from "../xml/wire.js";
import type { Accounts } from "./accounts.js";
import type { Committer } from "./committer.js";
import type { Erasures } from "./erasures.js";
import type { FeatureStore } from "./feature.js";
import { idToText, timeOf } from "./ids.js";
import type { Users } from "./users.js";

export interface PersonalPorts {
  readonly storage: Pick<Storage, "countLog" | "find" | "load" | "log">;
  readonly accounts: Accounts;
  readonly committer: Committer;
  readonly users: Pick<Users, "remove">;
  readonly erasures: Pick<Erasures, "finished">;
  readonly stores: readonly FeatureStore[];
}

/** A line of an export. */
export type PersonalRecord = Readonly<Record<string, Json>>;

const PAGE = 200;
const MOST_ELSEWHERE = 10_000; // documents of one store about one account

export class Personal {
  readonly #ports: PersonalPorts;
  readonly #stores: readonly string[];

  constructor(ports: PersonalPorts) {
    this.#ports = ports;
    this.#stores = ports.stores.filter(({ data }) => data === "account").map(({ name }) => name);
  }

  /** How much is stored. Rejects with a StoreFault. */
  async measure(bare: JID): Promise<{ readonly documents: number; readonly messages: number }> {
    const owner = bare.toString();
    const rows = await this.#ports.storage.load([owner], this.#stores);
    return {
      documents: rows.get(owner)?.length ?? 0,
      messages: await this.#ports.storage.countLog(owner, {}),
    };
  }

  /** Documents first, those of others about it after its own, then messages from the oldest on. Rejects with a StoreFault. */
  async *export(bare: JID): AsyncGenerator<PersonalRecord> {
    const owner = bare.toString();
    const rows = await this.#ports.storage.load([owner], this.#stores);
    for (const { store, key, doc } of rows.get(owner) ?? []) yield { store, key, doc };
    yield* this.#elsewhere(owner);
    for (let after = -1; ;) {
      const page = await this.#ports.storage.log(owner, { after, limit: PAGE });
      for (const row of page) yield messageOf(row);
      const last = page.at(-1);
      if (!last || page.length < PAGE) return;
      after = last.id;
    }
  }

  async *#elsewhere(account: string): AsyncGenerator<PersonalRecord> {
    for (const { name, about } of this.#ports.stores) {
      if (about === undefined) continue;
      const rows = await this.#ports.storage.find(name, about, account, MOST_ELSEWHERE);
      for (const { store, owner, key, doc } of rows) yield { store, owner, key, doc };
    }
  }

  /**
   * Removes the account, if there is one, as its owner could, and whatever is stored under its address. Resolves when the last entry is
   * out of the store; rejects with a StoreFault if that has to be taken up again.
   */
  async erase(bare: JID): Promise<Outcome> {
    const outcome = await this.#eraseRows(bare);
    if (outcome === "done") await this.#ports.erasures.finished();
    return outcome;
  }

  async #eraseRows(bare: JID): Promise<Outcome> {
    const outcome = await this.#ports.users.remove(bare);
    if (outcome !== "conflict") return outcome;
    const erased = await this.#ports.committer.commit([{ op: "erase", owner: bare.toString() }]);
    this.#ports.accounts.invalidate(bare);
    return erased;
  }
}

function messageOf({ id, with: peer, resource, originId, pending, hidden, stanza }: LogRow): PersonalRecord {
  return {
    id: idToText(id),
    time: timestamp(timeOf(id)),
    with: resource === undefined ? peer : `${peer}/${resource}`,
    ...(originId !== undefined && { originId }),
    pending,
    hidden,
    stanza: fromWire(stanza),
  };
}
