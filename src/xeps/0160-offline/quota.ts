// How much is kept for one account (`limits.offline_messages`, `limits.offline_bytes`). The store is asked once, when the first message
// comes; from then on it is counted along. Until the store has answered, messages pass.
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Flow } from "../../core/flow.js";
import { RuntimeSlot } from "../../core/slot.js";

const PAGE = 200;

interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

interface Usage {
  /** What is in the store; undefined until it has been counted. */
  stored: Amount | undefined;
  /** The count under way, if any; one that is no longer this one does not count. */
  count: object | undefined;
  /** Bytes of what is on its way to the store. */
  readonly underway: Map<Flow, number>;
}

const NOTHING: Amount = { messages: 0, bytes: 0 };

export class Quota {
  readonly #context: Context;
  readonly #usage = new RuntimeSlot<Usage>(() => ({ stored: undefined, count: undefined, underway: new Map() }));

  constructor(context: Context) {
    this.#context = context;
  }

  /** Reserves room for a message that the flow stores; false if there is none. */
  take(account: Account, flow: Flow, bytes: number): boolean {
    const usage = this.#usage.of(account);
    if (usage.stored && !this.#hasRoom(usage, usage.stored, bytes)) return false;
    if (!usage.stored && !usage.count) this.#count(account, usage);
    usage.underway.set(flow, bytes);
    flow.atRelease(() => {
      usage.underway.delete(flow);
      if (usage.stored) usage.stored = plus(usage.stored, bytes);
    });
    return true;
  }

  /** Messages of the account have been delivered: it is counted anew when the next one comes. */
  forget(account: Account): void {
    const usage = this.#usage.of(account);
    usage.stored = undefined;
    usage.count = undefined;
  }

  #hasRoom(usage: Usage, stored: Amount, bytes: number): boolean {
    const { offline_messages, offline_bytes } = this.#context.config.limits;
    let all = plus(stored, bytes);
    for (const [flow, size] of usage.underway) {
      if (flow.failure) usage.underway.delete(flow);
      else all = plus(all, size);
    }
    return all.messages <= offline_messages && all.bytes <= offline_bytes;
  }

  #count(account: Account, usage: Usage): void {
    const count = {};
    usage.count = count;
    void this.#read(account.jid.toString())
      .then((amount) => {
        if (usage.count === count) usage.stored = amount;
      })
      .catch((error: unknown) => this.#context.log.warn({ ev: "offline.count_failed", jid: account.jid, err: error }))
      .finally(() => {
        if (usage.count === count) usage.count = undefined;
      });
  }

  async #read(owner: string): Promise<Amount> {
    await this.#context.committer.barrier();
    let amount = NOTHING;
    for (let after = 0; ;) {
      const rows = await this.#context.storage.log(owner, { after, pending: true, limit: PAGE });
      for (const row of rows) amount = plus(amount, row.stanza.length);
      const last = rows.at(-1);
      if (!last || rows.length < PAGE || amount.messages >= this.#context.config.limits.offline_messages) return amount;
      after = last.id;
    }
  }
}

function plus({ messages, bytes }: Amount, more: number): Amount {
  return { messages: messages + 1, bytes: bytes + more };
}
