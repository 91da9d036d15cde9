// What was sent to a client and not acknowledged yet (XEP-0198 "Acks"), with both ends of the count. Numbers run to 2^32 and begin again at 0.
import type { Stanza } from "../stanza/stanza.js";
import type { Append } from "./flow.js";

/** Told what becomes of one copy of a stanza. */
export interface Receipt {
  /** The log entry that it is a copy of. Without an id: one that is not written. */
  readonly entry: Pick<Append, "owner" | "id">;
  /** The client has it: it has acknowledged it or, where it acknowledges nothing, its socket has taken it. */
  arrived(): void;
  /** The session goes on without a stream: it may take long. */
  parked(): void;
  /** The session has ended; whether the client has it is known soon. Then one of the other two follows. */
  ending?(): void;
  /** The session has ended, and nobody knows whether the client has it. */
  lost(): void;
}

/** A stanza on its way to a client. */
export interface Copy {
  readonly stanza: Stanza;
  readonly receipt: Receipt | undefined;
  /** Nobody else was given it, and it is not kept; should the session end without it, it is decided anew. */
  readonly again: boolean;
  /** A log position: whatever of the log up to it is for this client, and does not wait there, was sent before. */
  readonly after: number;
}

export interface CopyLimits {
  /** `limits.sm_queue` */
  readonly stanzas: number;
  /** `limits.sm_queue_bytes` */
  readonly bytes: number;
}

/** What an acknowledgement says: something new or nothing, a little too much that is overlooked (rulings 5), or more than was sent. */
export type Acknowledged = "fine" | "clamped" | "too-high";

const OVERHEAD_BYTES = 200; // of a stanza beside its content
const HALF = 2 ** 31; // an `h` that seems to be further ahead than that is behind
const COMPACT_AT = 64; // acknowledged places at the front of the list, before it is copied

export class UnacknowledgedCopies {
  readonly #limits: CopyLimits;
  #copies: (Copy | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #sent = 0;
  #acknowledged = 0;

  constructor(limits: CopyLimits) {
    this.#limits = limits;
  }

  /** Stanzas sent since counting began. */
  get sent(): number {
    return this.#sent;
  }

  /** The last `h` of the client. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Stanzas sent and not acknowledged, also those that are no longer held. */
  get outstanding(): number {
    return (this.#sent - this.#acknowledged) >>> 0;
  }

  /** Begins with other numbers than 0: for a session that goes on in another process. */
  continueAt(sent: number, acknowledged: number): void {
    this.#sent = sent >>> 0;
    this.#acknowledged = acknowledged >>> 0;
  }

  /** The client has had `h`, whatever was sent to it in another process; what is held comes next. */
  rebase(h: number): void {
    this.continueAt(h + this.#copies.length - this.#head, h);
  }

  /** The first that is not acknowledged. */
  get oldest(): Copy | undefined {
    return this.#copies[this.#head];
  }

  /** Notes a copy that is being sent. Above the limits the oldest ones are given up and returned. */
  add(copy: Copy): readonly Copy[] {
    this.#sent = (this.#sent + 1) >>> 0;
    return this.restore(copy);
  }

  /** Notes a copy that was counted before. */
  restore(copy: Copy): readonly Copy[] {
    this.#copies.push(copy);
    this.#bytes += sizeOf(copy);
    const { stanzas, bytes } = this.#limits;
    const dropped: Copy[] = [];
    while (this.#copies.length - this.#head > stanzas || this.#bytes > bytes) {
      const oldest = this.#shift();
      if (!oldest) break;
      dropped.push(oldest);
    }
    return dropped;
  }

  /**
   * The client says that it has handled `h` stanzas. `arrived` is called for each copy that this acknowledges, in order. An `h` of
   * before changes nothing. One above the count by no more than `allowance` acknowledges everything.
   */
  acknowledge(h: number, allowance: number, arrived: (copy: Copy) => void): Acknowledged {
    const news = (h - this.#acknowledged) >>> 0;
    const excess = news - this.outstanding;
    if (excess > 0 && news >= HALF) return "fine";
    if (excess > allowance) return "too-high";
    this.#acknowledged = excess > 0 ? this.#sent : h >>> 0;
    while (this.#copies.length - this.#head > this.outstanding) {
      const copy = this.#shift();
      if (copy) arrived(copy);
    }
    return excess > 0 ? "clamped" : "fine";
  }

  /** True if `h` is less than what was acknowledged before: what comes after it is no longer held. */
  isBehind(h: number): boolean {
    return ((h - this.#acknowledged) | 0) < 0;
  }

  /** The copies that are held, oldest first. */
  *[Symbol.iterator](): Iterator<Copy> {
    for (let at = this.#head; at < this.#copies.length; at++) {
      const copy = this.#copies[at];
      if (copy) yield copy;
    }
  }

  /** Gives all copies up. */
  clear(): readonly Copy[] {
    const all = [...this];
    this.#copies = [];
    this.#head = 0;
    this.#bytes = 0;
    return all;
  }

  #shift(): Copy | undefined {
    const copy = this.#copies[this.#head];
    if (!copy) return undefined;
    this.#copies[this.#head++] = undefined;
    this.#bytes -= sizeOf(copy);
    if (this.#head === this.#copies.length) {
      this.#copies = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#copies.length) {
      this.#copies = this.#copies.slice(this.#head);
      this.#head = 0;
    }
    return copy;
  }
}

function sizeOf({ stanza }: Copy): number {
  return stanza.size + OVERHEAD_BYTES;
}
