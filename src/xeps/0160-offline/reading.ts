// Who gets the pending entries of an account, once (rulings 2): the first resource with a non-negative presence reads all of them; one
// that comes meanwhile only takes over if the first went away before it had everything. Live messages wait behind the stored ones.
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Receipt } from "../../core/copies.js";
import type { Flow } from "../../core/flow.js";
import { timeOf } from "../../core/ids.js";
import type { Session } from "../../core/session.js";
import { RuntimeSlot, Slot } from "../../core/slot.js";
import { delay } from "../../stanza/delay.js";
import { JID } from "../../stanza/jid.js";
import { Stanza } from "../../stanza/stanza.js";
import type { LogRow } from "../../storage/port.js";
import { parseElement } from "../../xml/document.js";
import { UNLIMITED } from "../../xml/limits.js";
import { w } from "../../xml/wire.js";
import { stanzaId } from "../0359-stable-ids.api.js";
import { chunks, drained } from "../pacing.js";
import { wasShown } from "./api.js";
import type { Quota } from "./quota.js";

export const PAGE = 64; // rows in memory at once: 16 MiB with the largest stanzas

interface Readers {
  /** Reads now. */
  reader: Session | undefined;
  /** Came meanwhile, and takes what is still there afterwards. */
  next: Session | undefined;
  /** Entries may be left that no session there has been given. */
  left: boolean;
}

type End = "done" | "gone" | "failed";

export class Reading {
  readonly #context: Context;
  readonly #quota: Quota;
  readonly #readers = new RuntimeSlot<Readers>(() => ({ reader: undefined, next: undefined, left: false }));
  readonly #wasNonNegative = new Slot(() => false);

  constructor(context: Context, quota: Quota) {
    this.#context = context;
    this.#quota = quota;
  }

  /**
   * For each presence without a `to`, in the turn in which it took effect: up to this log position a new non-negative session gets
   * entries from its reading only, beyond it only live ones (engineering 2). What is to be done at release is added to the flow.
   */
  presenceChanged(flow: Flow, session: Session): void {
    const was = this.#wasNonNegative.get(session);
    this.#wasNonNegative.set(session, session.isNonNegative);
    if (was && !session.isNonNegative) flow.atRelease(() => this.#wentAway(session));
    if (was || !session.isNonNegative) return;
    session.readUpTo = this.#context.ids.last;
    if (!this.#isFirst(session)) return;
    this.#begin(session);
    flow.atRelease(() => void this.#read(session));
  }

  /** The session goes on from another process. Should it end, what waits in the log is for those that are there then. */
  restored(session: Session): void {
    this.#wasNonNegative.set(session, session.isNonNegative);
  }

  #isFirst(session: Session): boolean {
    const { account } = session;
    const readers = this.#readers.of(account);
    if (!readers.reader?.open) return readers.left || !otherNonNegative(account, session);
    readers.next = session;
    return false;
  }

  #begin(session: Session): void {
    this.#readers.of(session.account).reader = session;
    session.holdLive();
  }

  /** What it had been sent but did not take is for a session that is still there. */
  #wentAway(session: Session): void {
    if (!this.#readers.of(session.account).reader?.open)
      this.#handOver(session.account, otherNonNegative(session.account, session));
  }

  #handOver(account: Account, heir: Session | undefined): void {
    this.#readers.of(account).reader = undefined;
    if (!heir?.isNonNegative) return;
    this.#begin(heir);
    void this.#read(heir);
  }

  async #read(session: Session): Promise<void> {
    const { account } = session;
    const end = await this.#sendAll(session);
    session.releaseLive();
    this.#quota.forget(account);
    const readers = this.#readers.of(account);
    if (readers.reader !== session) return; // it went away, and another one has taken over
    const { next } = readers;
    readers.next = undefined;
    readers.left = end === "failed";
    this.#handOver(account, end === "gone" ? otherNonNegative(account, session) : end === "done" ? next : undefined);
  }

  async #sendAll(session: Session): Promise<End> {
    const early = session.takeEarly();
    try {
      // Entries below the position may still be on their way to the store.
      await this.#context.committer.barrier();
      for (let after: number | undefined = 0; after !== undefined;) {
        const rows = await this.#page(session, after);
        const had = new Set([...early].map(({ id }) => id));
        const missing = had.size > 0 ? rows.filter(({ id }) => !had.has(id)) : rows;
        if (!(await this.#send(session, missing))) return "gone";
        after = rows.length < PAGE ? undefined : rows.at(-1)?.id;
      }
      return "done";
    } catch (error) {
      this.#context.log.warn({ ev: "offline.read_failed", jid: session.jid, err: error });
      return "failed";
    }
  }

  #page({ account, readUpTo }: Session, after: number): Promise<readonly LogRow[]> {
    const range = { after, before: readUpTo + 1, pending: true, limit: PAGE } as const;
    return this.#context.storage.log(account.jid.toString(), range);
  }

  /** False if the session went away before it had all of them. */
  #send(session: Session, rows: readonly LogRow[]): Promise<boolean> {
    return sendStored(
      this.#context,
      session,
      rows,
      (row) => !wasShown(session, row, () => this.#context.delivered(row)),
    );
  }
}

/** Sends the entries that `pick` accepts. False if the session went away before it had all of them. */
export async function sendStored(
  context: Context,
  session: Session,
  rows: readonly LogRow[],
  pick: (row: LogRow, stanza: Stanza) => boolean,
): Promise<boolean> {
  const domain = JID.of("", session.jid.domain);
  for (const chunk of chunks(rows)) {
    if (!session.open) return false;
    for (const row of chunk) {
      const stanza = stored(context, session, row, domain);
      if (stanza && pick(row, stanza)) session.overtake(stanza, receiptFor(context, row));
    }
    if (!(await drained(session))) return false;
  }
  return session.open;
}

/** A damaged entry stays where it is; the others are not held up by it. */
function stored(context: Context, session: Session, row: LogRow, domain: JID): Stanza | undefined {
  try {
    return delayed(row, session.account.jid, domain);
  } catch (error) {
    context.log.error({ ev: "offline.entry_damaged", jid: session.jid.bare, id: row.id, err: error });
    return undefined;
  }
}

/** What does not arrive stays pending, for whoever takes over. */
function receiptFor(context: Context, row: LogRow): Receipt {
  return {
    entry: row,
    arrived: () => context.delivered(row),
    parked: () => undefined,
    lost: () => undefined,
  };
}

/** The stored stanza, scanned again (engineering 10), with its id in the archive and the time it was kept. */
function delayed(row: LogRow, owner: JID, domain: JID): Stanza {
  const late = delay(domain, timeOf(row.id), "Offline Storage");
  return Stanza.of(parseElement(row.stanza, UNLIMITED), {}).plus(w`${stanzaId(owner, row.id)}${late}`);
}

function otherNonNegative(account: Account, but: Session): Session | undefined {
  for (const session of account.sessions.values()) if (session !== but && session.isNonNegative) return session;
  return undefined;
}
