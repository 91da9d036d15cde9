// The strict incremental scanner of a stream (RFC 6120 §4 and §11): bytes in, in any pieces; stream head, whole stanzas and end out.
// Work is linear in the bytes whatever their pieces: state survives between chunks, and the part of a split stanza is copied once
// (and again only when its buffer doubles). Between stanzas a connection keeps no buffer and no tables; those are shared.
import { byteAt, LESS, skipSpace } from "./bytes.js";
import { type Context, NOTHING_AROUND } from "./context.js";
import { declarationEnd } from "./declaration.js";
import { XmlFault } from "./faults.js";
import { contextOf, type Fragment, fragmentOf, type StreamHead, streamHeadOf } from "./fragment.js";
import type { ScannerLimits } from "./limits.js";
import { Pending } from "./pending.js";
import { giveBack, takeTokens } from "./spare.js";
import { FRAGMENT, HEAD, MORE, type Tokens } from "./tokens.js";
import { wireOf } from "./wire.js";

export { XmlFault } from "./faults.js";
export type { Attribute, Fragment, Span, StreamHead } from "./fragment.js";
export type { ScannerLimits } from "./limits.js";

export interface ScannerHandler {
  head(head: StreamHead): void;
  fragment(fragment: Fragment): void;
  /** The peer's end tag of the stream. */
  end(): void;
}

type Phase = "gap" | "declaration" | "prolog" | "between" | "inside" | "epilog";

export class Scanner {
  /** May be replaced at any time; holds from the next fragment on. */
  limits: ScannerLimits;
  readonly #handler: ScannerHandler;
  #phase: Phase = "declaration";
  #context: Context = NOTHING_AROUND;
  #rootName = "";
  #prologBytes = 0;
  #limitBytes = 0; // of the fragment being read
  #tokens: Tokens | undefined; // only while writing or inside a fragment
  #pending: Pending | undefined;
  #resume = 0; // where in the pending bytes to go on
  #isStopped = false;
  #held: Buffer[] | undefined; // while suspended: what has not been read
  #dropRest = false;
  #isWriting = false;
  #work = 0;

  constructor(handler: ScannerHandler, limits: ScannerLimits) {
    this.#handler = handler;
    this.limits = limits;
  }

  /** Bytes looked at plus bytes kept for later since the start: at most a small multiple of those written, however they were cut. */
  get work(): number {
    return this.#work;
  }

  /** Reads a chunk and calls the handler for all that it completes. Throws XmlFault; after that everything is ignored. */
  write(bytes: Buffer): void {
    if (this.#isStopped) return;
    if (this.#held) {
      this.#held.push(Buffer.from(bytes));
      return;
    }
    if (this.#isWriting) throw new Error("the scanner was written to by its own handler");
    this.#isWriting = true;
    this.#dropRest = false;
    try {
      this.#read(bytes);
    } catch (error) {
      this.stop();
      throw error;
    } finally {
      this.#isWriting = false;
    }
  }

  /**
   * The next byte begins a new document (RFC 6120 §4.3.3); called by the handler, that is the next byte of the chunk. With "after a gap"
   * white space in front of it is taken as the end of the old one.
   */
  restart(begins: "at once" | "after a gap" = "at once"): void {
    this.#forget();
    this.#isStopped = false;
    this.#phase = begins === "at once" ? "declaration" : "gap";
    this.#context = NOTHING_AROUND;
    this.#rootName = "";
    this.#prologBytes = 0;
  }

  /** Reads nothing more, after the present callback, until `resume`: what follows, of this chunk too, is kept. */
  suspend(): void {
    this.#held ??= [];
  }

  /**
   * Goes on with what was kept. Throws XmlFault as `write` does. Not to be called by the handler. What was kept counts as one chunk:
   * a stop in the midst of it drops all the rest, also what came later in the clear (RFC 6120 §5.4.3.3).
   */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && held.length > 0) this.write(Buffer.concat(held));
  }

  /** Drops the rest of this chunk, and all that follows until a restart. */
  stop(): void {
    this.#forget();
    this.#held = undefined;
    this.#isStopped = true;
    this.#dropRest = true;
  }

  #forget(): void {
    this.#pending = undefined;
    this.#release();
  }

  #release(): void {
    if (this.#tokens !== undefined) giveBack(this.#tokens);
    this.#tokens = undefined;
  }

  #read(chunk: Buffer): void {
    let bytes = chunk;
    let i = 0;
    if (this.#pending !== undefined) {
      if (this.#phase === "declaration") bytes = this.#rejoined(this.#pending, chunk);
      else i = this.#continue(this.#pending, chunk);
    }
    while (i < bytes.length && !this.#dropRest && !this.#held) i = this.#step(bytes, i);
    if (this.#held && i < bytes.length) this.#held.push(Buffer.from(bytes.subarray(i)));
    if (this.#phase !== "inside") this.#release();
  }

  /** A declaration in pieces is read again from its start: at most some 130 bytes. */
  #rejoined(pending: Pending, chunk: Buffer): Buffer {
    this.#pending = undefined;
    return Buffer.concat([pending.bytes.subarray(0, pending.length), chunk]);
  }

  /** Goes on with a split fragment; returns the index in the chunk after it. */
  #continue(pending: Pending, chunk: Buffer): number {
    const before = pending.length;
    let taken = 0;
    while (taken < chunk.length) {
      const next = Math.min(chunk.length, taken + pending.step);
      this.#work += pending.append(chunk, taken, next);
      taken = next;
      const position = this.#scan(pending.bytes, 0, this.#resume, pending.length);
      if (position >= 0) return position - before;
    }
    return taken;
  }

  #step(bytes: Buffer, from: number): number {
    if (this.#phase === "gap") return this.#gap(bytes, from);
    if (this.#phase === "declaration") return this.#declaration(bytes, from);
    const i = skipSpace(bytes, from, bytes.length);
    this.#work += i - from;
    if (this.#phase === "prolog") this.#countProlog(i - from);
    if (i === bytes.length) return i;
    if (this.#phase === "epilog") throw new XmlFault("not-well-formed", "something after the end of the stream");
    if (byteAt(bytes, i) !== LESS) throw this.#textOutside();
    this.#begin();
    const position = this.#scan(bytes, i, i + 1, bytes.length);
    if (position >= 0) return position;
    this.#keep(bytes, i);
    return bytes.length;
  }

  #gap(bytes: Buffer, from: number): number {
    const i = skipSpace(bytes, from, bytes.length);
    this.#work += i - from;
    this.#countProlog(i - from);
    if (i < bytes.length) this.#phase = "declaration";
    return i;
  }

  #declaration(bytes: Buffer, from: number): number {
    const end = declarationEnd(bytes, from, bytes.length);
    if (end < 0) {
      this.#keep(bytes, from);
      return bytes.length;
    }
    this.#phase = "prolog";
    this.#countProlog(end - from);
    return end;
  }

  #countProlog(bytes: number): void {
    this.#prologBytes += bytes;
    if (this.#prologBytes > this.limits.bytes) throw tooLarge();
  }

  #textOutside(): XmlFault {
    if (this.#phase === "prolog") return new XmlFault("not-well-formed", "something else than XML");
    return new XmlFault("bad-format", "text between stanzas");
  }

  #begin(): void {
    const isHead = this.#phase === "prolog";
    this.#tokens ??= takeTokens();
    this.#tokens.begin(this.#context, this.limits, isHead, this.#rootName);
    this.#limitBytes = this.limits.bytes - (isHead ? this.#prologBytes : 0);
    this.#phase = "inside";
  }

  #keep(bytes: Buffer, from: number): void {
    this.#pending = new Pending();
    this.#work += this.#pending.append(bytes, from, bytes.length);
  }

  /** Scans on from `from`; returns the index after what is now whole, or -1 when more bytes are needed. */
  #scan(bytes: Buffer, base: number, from: number, end: number): number {
    const tokens = (this.#tokens ??= takeTokens());
    const event = tokens.run(bytes, base, from, Math.min(end, base + this.#limitBytes));
    const { position } = tokens;
    this.#work += position - from;
    if (event === MORE) {
      if (end - base > this.#limitBytes) throw tooLarge();
      this.#resume = position - base;
      return -1;
    }
    this.#pending = undefined;
    if (event === FRAGMENT) this.#fragment(tokens, bytes, base);
    else if (event === HEAD) this.#head(tokens, bytes, base);
    else this.#end();
    return position;
  }

  #fragment(tokens: Tokens, bytes: Buffer, base: number): void {
    this.#phase = "between";
    this.#handler.fragment(fragmentOf(wireOf(bytes, base, tokens.position), tokens.frame, tokens.hasCdata));
  }

  #head(tokens: Tokens, bytes: Buffer, base: number): void {
    const { frame, isEmpty } = tokens;
    const text = wireOf(bytes, base, tokens.position);
    const context = contextOf(text, frame);
    this.#phase = "between";
    this.#context = context;
    this.#rootName = text.slice(frame.headNameStart, frame.headNameEnd);
    this.#handler.head(streamHeadOf(text, frame));
    if (isEmpty && this.#context === context && !this.#dropRest) this.#end();
  }

  #end(): void {
    this.#phase = "epilog";
    this.#handler.end();
  }
}

function tooLarge(): XmlFault {
  return new XmlFault("policy-violation", "more bytes than one stanza may have");
}
