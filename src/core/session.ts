// A bound resource: its address, its presence, its lane and where its stanzas go. With stream management it outlives its stream.
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { StreamError } from "../stanza/errors.js";
import type { Wire } from "../xml/wire.js";
import type { Account } from "./account.js";
import type { Copy, Receipt } from "./copies.js";
import type { Append } from "./flow.js";
import type { Lane } from "./lane.js";
import type { Management } from "./management.js";

/** Where a session's stanzas go: a stream of some transport, or nowhere while it waits to be resumed. */
export interface Sink {
  send(stanza: Stanza): void;
  /** Sends what is no stanza, and not counted. */
  tell(element: Wire): void;
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
const MAX_EARLY = 1000; // entries remembered, the last ones: as many as a session may have without an answer (`limits.sm_queue`)

type HeldCopy = Omit<Copy, "after">;

export class Session {
  readonly jid: JID;
  readonly account: Account;
  readonly lane: Lane;
  /** The last available presence sent without a `to`; undefined while the session is not available (RFC 6121 §4.2). */
  presence: Stanza | undefined;
  /** Priority of that presence, −128…127. */
  priority = 0;
  /** False once the session has ended: nothing may be sent to it any more. */
  open = true;
  /** Log position its offline read reaches to: entries up to it come only from that read (engineering: sessions are picked at release). */
  readUpTo = 0;
  /** Counts and keeps what is sent, once the client has asked for that (XEP-0198). */
  management: Management | undefined;
  /** Stanzas sent while nothing was counted: the answer to the binding, and what came before `<enabled/>`. */
  sentBefore = 1;
  #sink: Sink;
  #held: HeldCopy[] | undefined;
  #heldBytes = 0;
  /** Of copies that nobody counts: until the socket has taken them. */
  #undrained: Set<Receipt> | undefined;
  #early: Set<Append> | undefined;
  /** While live stanzas are held back, and until they are sent: the log position that what is sent counts for. */
  #floor: number | undefined;
  #whenReleased: (() => void)[] = [];

  constructor(jid: JID, account: Account, sink: Sink, makeLane: (session: Session) => Lane) {
    this.jid = jid;
    this.account = account;
    this.#sink = sink;
    this.lane = makeLane(this);
  }

  /** Where its stanzas go now. */
  get sink(): Sink {
    return this.#sink;
  }

  get isAvailable(): boolean {
    return this.open && this.presence !== undefined;
  }

  /** May receive messages addressed to the bare JID (RFC 6121 §8.5.2.1.1). */
  get isNonNegative(): boolean {
    return this.isAvailable && this.priority >= 0;
  }

  /** Wants no message but those to its full JID; that it has one settles nothing (rulings 2). */
  get isNegative(): boolean {
    return this.isAvailable && this.priority < 0;
  }

  /**
   * Sends a stanza. While live ones are held back, messages and whatever comes from others queue (RFC 6120 §10.1: in the order they came).
   * `receipt` is told what becomes of it. `again`: nobody else was given it, and it is not kept; should the session end before the
   * client has it, it is decided anew.
   */
  send(stanza: Stanza, receipt?: Receipt, again = false): void {
    if (!this.open) return receipt?.lost();
    if (this.#held && this.#mustWait(stanza)) return this.#hold(this.#held, { stanza, receipt, again });
    this.#pass({ stanza, receipt, again });
  }

  /** Sends a stored message, or the answer to what the client has sent itself, ahead of the live stanzas that are held back. */
  overtake(stanza: Stanza, receipt?: Receipt): void {
    if (this.open) this.#pass({ stanza, receipt, again: false });
    else receipt?.lost();
  }

  /** It is given what belongs to this entry before it has sent presence: its offline read is not to give it again. */
  givenEarly(entry: Append): void {
    this.#early ??= new Set();
    this.#early.add(entry);
    for (const oldest of this.#early) {
      if (this.#early.size <= MAX_EARLY) break;
      this.#early.delete(oldest);
    }
  }

  /** The entries it was given before it sent presence. They are not remembered any longer. */
  takeEarly(): ReadonlySet<Append> {
    const early = this.#early ?? new Set();
    this.#early = undefined;
    return early;
  }

  /** Calls back once there is room for more: its stream has sent everything, or it has none. `false`: it has ended. */
  whenDrained(callback: (goesOn: boolean) => void): void {
    this.#sink.drained((sent) => callback(sent || (this.open && this.management !== undefined)));
  }

  /** A log position: what is for the client up to it, it has acknowledged, or it waits in the log as pending. */
  get position(): number {
    return this.management?.copies.oldest?.after ?? this.#floor ?? this.lane.position;
  }

  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** Holds live stanzas of others back, so that stored ones come first. `floor`: what lies above it in the log may be missing still. */
  holdLive(floor = this.readUpTo): void {
    this.#held ??= [];
    this.#floor = floor;
  }

  /** Calls back when nothing is held back. */
  whenReleased(callback: () => void): void {
    if (this.#held) this.#whenReleased.push(callback);
    else callback();
  }

  /** Sends what was held back, in order, and ends the holding. */
  releaseLive(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const { stanza, receipt, again } of held ?? []) this.send(stanza, receipt, again);
    this.#floor = undefined;
    this.#tellReleased();
  }

  #tellReleased(): void {
    for (const callback of this.#whenReleased.splice(0)) callback();
  }

  /** Goes on with another stream, or with none. The lane is told to stop reading there if it had done so here. */
  attach(sink: Sink): void {
    this.#sink = sink;
    if (this.lane.isPaused) sink.pause();
  }

  /** Ends the stream and the session with it, also one that could be resumed. */
  expel(error: StreamError): void {
    this.management?.giveUpResumption();
    this.#sink.close(error);
  }

  /** The session has ended: what the client was not given, or has not acknowledged, in order. */
  leaveBehind(): readonly HeldCopy[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const receipt of this.#undrained ?? []) receipt.ending?.();
    this.#tellReleased();
    return [...(this.management?.leaveBehind() ?? []), ...held];
  }

  #pass({ stanza, receipt, again }: HeldCopy): void {
    if (this.management)
      return this.management.send({ stanza, receipt, again, after: this.#floor ?? this.lane.position });
    this.sentBefore++;
    this.#sink.send(stanza);
    if (receipt) this.#follow(receipt);
  }

  #follow(receipt: Receipt): void {
    this.#undrained ??= new Set();
    this.#undrained.add(receipt);
    this.#sink.drained((sent) => {
      this.#undrained?.delete(receipt);
      if (sent) receipt.arrived();
      else receipt.lost();
    });
  }

  #hold(held: HeldCopy[], one: HeldCopy): void {
    held.push(one);
    this.#heldBytes += one.stanza.size + HELD_OVERHEAD_BYTES;
    if (this.#heldBytes > MAX_HELD_BYTES)
      this.expel(new StreamError("resource-constraint", "too much at once behind stored messages"));
  }

  /** Messages, what comes from others, and pushes about them, which must not overtake what they follow from (RFC 6121 §3.1.6, §3.2.3). */
  #mustWait({ kind, type, from }: Stanza): boolean {
    if (kind === "message") return true;
    if (from === undefined) return kind === "iq" && type === "set";
    return from.local !== "" && !from.bare.equals(this.jid.bare);
  }
}
