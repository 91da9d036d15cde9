// A bound resource: its address, its presence, its lane and where its stanzas go. It outlives its stream once resumption exists.
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { StreamError } from "../stanza/errors.js";
import type { Account } from "./account.js";
import type { Lane } from "./lane.js";

/** Where a session's stanzas go: a stream of some transport. */
export interface Sink {
  send(stanza: Stanza): void;
  /** Calls back once everything sent so far has left the process (`true`) or the stream ended before (`false`). */
  drained(callback: (sent: boolean) => void): void;
  /** Ends the stream, with an error if one is given. */
  close(error?: StreamError): void;
  /** The session is over as its own client wished: that may close the stream itself; the error is for one that does not. */
  dismiss(error: StreamError): void;
  /** Reading is stopped until `resume`: the peer has too much in flight. */
  pause(): void;
  resume(): void;
}

/** Live stanzas that may wait behind stored messages: as much as a slow reader may leave in its outbox. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
const HELD_OVERHEAD_BYTES = 200; // of a stanza beside its content

interface Held {
  readonly stanza: Stanza;
  readonly drained: Drained | undefined;
  readonly again: boolean;
}

/** Called once: the stanza has left the process, or (`false`) the stream ended before. */
export type Drained = (sent: boolean) => void;

export class Session {
  readonly jid: JID;
  readonly account: Account;
  readonly lane: Lane;
  readonly sink: Sink;
  /** The last available presence sent without a `to`; undefined while the session is not available (RFC 6121 §4.2). */
  presence: Stanza | undefined;
  /** Priority of that presence, −128…127. */
  priority = 0;
  /** False once the session has ended: nothing may be sent to it any more. */
  open = true;
  /** Log position its offline read reaches to: entries up to it come only from that read (engineering: sessions are picked at release). */
  readUpTo = 0;
  #held: Held[] | undefined;
  #heldBytes = 0;

  constructor(jid: JID, account: Account, sink: Sink, makeLane: (session: Session) => Lane) {
    this.jid = jid;
    this.account = account;
    this.sink = sink;
    this.lane = makeLane(this);
  }

  get isAvailable(): boolean {
    return this.open && this.presence !== undefined;
  }

  /** May receive messages addressed to the bare JID (RFC 6121 §8.5.2.1.1). */
  get isNonNegative(): boolean {
    return this.isAvailable && this.priority >= 0;
  }

  /**
   * Sends a stanza. While live ones are held back, messages and whatever comes from others queue (RFC 6120 §10.1: in the order they came).
   * `again`: nobody else was given it, and it is not kept; should the session end before it could be sent, it is decided anew.
   */
  send(stanza: Stanza, drained?: Drained, again = false): void {
    if (!this.open) return;
    if (this.#held && this.#mustWait(stanza)) return this.#hold(this.#held, { stanza, drained, again });
    this.sink.send(stanza);
    if (drained) this.sink.drained(drained);
  }

  /** Sends a stored message, ahead of the live stanzas that are held back. */
  overtake(stanza: Stanza): void {
    if (this.open) this.sink.send(stanza);
  }

  /** Holds live stanzas of others back, so that stored ones come first. */
  holdLive(): void {
    this.#held ??= [];
  }

  /** Sends what was held back, in order, and ends the holding. */
  releaseLive(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const { stanza, drained } of held ?? []) this.send(stanza, drained);
  }

  /** The session has ended: what it held back and nobody else was given. */
  leaveBehind(): readonly Stanza[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held.flatMap(({ stanza, again }) => (again ? stanza : []));
  }

  #hold(held: Held[], one: Held): void {
    held.push(one);
    this.#heldBytes += one.stanza.size + HELD_OVERHEAD_BYTES;
    if (this.#heldBytes > MAX_HELD_BYTES)
      this.sink.close(new StreamError("resource-constraint", "too much at once behind stored messages"));
  }

  /** Messages, what comes from others, and pushes about them, which must not overtake what they follow from (RFC 6121 §3.1.6, §3.2.3). */
  #mustWait({ kind, type, from }: Stanza): boolean {
    if (kind === "message") return true;
    if (from === undefined) return kind === "iq" && type === "set";
    return from.local !== "" && !from.bare.equals(this.jid.bare);
  }
}
