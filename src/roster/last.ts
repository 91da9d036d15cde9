// RFC 6121 §4.3.2 with XEP-0203: a probe of somebody who is away is answered with when and how they went. Who asks at the same time is
// answered from one read of the store.
import type { Context } from "../core/context.js";
import { Flow } from "../core/flow.js";
import { presence } from "../stanza/build.js";
import { delay } from "../stanza/delay.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Row } from "../storage/port.js";
import { xml } from "../xml/element.js";

/** Store of the last logout: one document per account, key "". Written by last activity (XEP-0012). */
export const LAST_STORE = "last";

export interface LastSeen {
  /** When the last available resource went, in ms since 1970. */
  readonly at: number;
  /** The status it left, "" for none. */
  readonly status: string;
}

/** What a row of the store says; undefined if the account never was available. */
export function lastSeenIn(row: Row | undefined): LastSeen | undefined {
  const at = row?.doc["at"];
  const status = row?.doc["status"];
  return typeof at === "number" ? { at, status: typeof status === "string" ? status : "" } : undefined;
}

export type AbsencePorts = Pick<Context, "accounts" | "committer" | "log" | "start" | "storage">;

interface Question {
  readonly absent: JID;
  readonly asker: JID;
  /** Of the probe. */
  readonly id: string | undefined;
}

const OWNERS_PER_READ = 256; // one read of a few milliseconds
const MAX_WAITING = 100_000; // beyond it an asker is left without an answer, which RFC 6121 §4.3.2 allows; some 10 MB

export class Absences {
  readonly #ports: AbsencePorts;
  /** By whom they are about: those that wait, and those being answered. */
  #waiting = new Map<string, Question[]>();
  #asked = new Map<string, Question[]>();
  #count = 0;
  #reading = false;

  constructor(ports: AbsencePorts) {
    this.#ports = ports;
  }

  /** Tells the asker, in a while, how the account went away. The asker may know. `id`: of the probe. */
  tell(absent: JID, asker: JID, id: string | undefined): void {
    if (this.#count >= MAX_WAITING) return;
    const key = absent.toString();
    const others = this.#waiting.get(key);
    if (others) others.push({ absent, asker, id });
    else this.#waiting.set(key, [{ absent, asker, id }]);
    this.#count++;
    if (this.#reading) return;
    this.#reading = true;
    void this.#work();
  }

  /** The account has become available, which tells the askers more: an answer about the time before must not come after it. */
  cameBack(account: JID): void {
    const key = account.toString();
    this.#count -= this.#waiting.get(key)?.length ?? 0;
    this.#waiting.delete(key);
    this.#asked.delete(key);
  }

  async #work(): Promise<void> {
    await this.#ports.committer.barrier(); // a logout may be on its way to the store
    while (this.#waiting.size > 0) {
      this.#asked = this.#waiting;
      this.#waiting = new Map();
      this.#count = 0;
      const owners = [...this.#asked.keys()];
      for (let i = 0; i < owners.length; i += OWNERS_PER_READ) await this.#answer(owners.slice(i, i + OWNERS_PER_READ));
    }
    this.#reading = false;
  }

  async #answer(owners: readonly string[]): Promise<void> {
    const rows = await this.#read(owners);
    for (const owner of owners)
      for (const question of this.#asked.get(owner) ?? []) {
        if (this.#isBack(question.absent)) continue; // since before it was asked
        const stanza = farewell(question, lastSeenIn(rows.get(owner)?.[0]));
        this.#ports.start(new Flow(stanza, { kind: "server" }, "received"));
      }
  }

  async #read(owners: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    try {
      return await this.#ports.storage.load(owners, [LAST_STORE]);
    } catch (error) {
      this.#ports.log.warn({ ev: "presence.last_not_read", owners: owners.length, err: error });
      return new Map();
    }
  }

  #isBack(absent: JID): boolean {
    const sessions = this.#ports.accounts.peek(absent)?.sessions.values() ?? [];
    return [...sessions].some((session) => session.isAvailable);
  }
}

/** Unavailable presence of the account, with the time if it is known. */
function farewell({ absent, asker, id }: Question, last: LastSeen | undefined): Stanza {
  const head = { from: absent, to: asker, type: "unavailable", id } as const;
  if (!last) return presence(head);
  const stamp = delay(absent, last.at);
  return last.status === "" ? presence(head, stamp) : presence(head, xml("status", {}, last.status), stamp);
}
