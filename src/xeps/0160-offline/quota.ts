// How much waits for one account (`limits.offline_messages`, `limits.offline_bytes`), and of it from one sender
// (`limits.offline_messages_per_sender`). The store is asked once, when the first message comes; from then on it is counted along. Until
// the store has answered, messages pass.
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Flow } from "../../core/flow.js";
import { RuntimeSlot } from "../../core/slot.js";

const PAGE = 200;

interface Part {
  readonly bytes: number;
  /** Bare JID. */
  readonly sender: string;
}

/** What waits, counted. */
class Amount {
  messages = 0;
  bytes = 0;
  readonly #senders = new Map<string, number>();

  add({ bytes, sender }: Part): void {
    this.messages++;
    this.bytes += bytes;
    this.#senders.set(sender, this.from(sender) + 1);
  }

  /** How many are from this sender. */
  from(sender: string): number {
    return this.#senders.get(sender) ?? 0;
  }
}

interface Usage {
  /** What is in the store; undefined until it has been counted. */
  stored: Amount | undefined;
  /** The count under way, if any; one that is no longer this one does not count. */
  count: object | undefined;
  /** What is on its way to the store. */
  readonly underway: Map<Flow, Part>;
}

type Room = "taken" | "full" | "full of this sender";

export class Quota {
  readonly #context: Context;
  readonly #usage = new RuntimeSlot<Usage>(() => ({ stored: undefined, count: undefined, underway: new Map() }));

  constructor(context: Context) {
    this.#context = context;
  }

  /** Reserves room for a message that the flow stores, if there is any. */
  take(account: Account, flow: Flow, bytes: number): Room {
    const usage = this.#usage.of(account);
    const part = { bytes, sender: flow.stanza.from?.bare.toString() ?? "" };
    const room = usage.stored ? this.#roomFor(part, usage, usage.stored) : "taken";
    if (room !== "taken") return room;
    usage.underway.set(flow, part);
    flow.atRelease(() => {
      usage.underway.delete(flow);
      if (usage.stored) usage.stored.add(part);
      else if (!usage.count) this.#count(account, usage); // it is in the store by now, and counted there
    });
    return room;
  }

  /** Messages of the account have been delivered: it is counted anew when the next one comes. */
  forget(account: Account): void {
    const usage = this.#usage.of(account);
    usage.stored = undefined;
    usage.count = undefined;
  }

  #roomFor({ bytes, sender }: Part, { underway }: Usage, stored: Amount): Room {
    const { offline_messages, offline_bytes, offline_messages_per_sender } = this.#context.config.limits;
    let messages = stored.messages + 1;
    let total = stored.bytes + bytes;
    let ofSender = stored.from(sender) + 1;
    for (const [flow, part] of underway) {
      if (flow.failure) {
        underway.delete(flow);
        continue;
      }
      messages++;
      total += part.bytes;
      if (part.sender === sender) ofSender++;
    }
    if (messages > offline_messages || total > offline_bytes) return "full";
    return ofSender > offline_messages_per_sender ? "full of this sender" : "taken";
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
    const amount = new Amount();
    for (let after = 0; ;) {
      const rows = await this.#context.storage.log(owner, { after, pending: true, limit: PAGE });
      for (const row of rows) amount.add({ bytes: row.stanza.length, sender: row.with });
      const last = rows.at(-1);
      if (!last || rows.length < PAGE || amount.messages >= this.#context.config.limits.offline_messages) return amount;
      after = last.id;
    }
  }
}
