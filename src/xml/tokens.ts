// The byte loop: reads one fragment (or the stream head, or the end of the stream) token by token and reports it to its Frame.
// All state is in fields and all offsets count from the fragment's first byte, so it goes on where the last chunk ended: no byte is
// looked at twice but those of a split UTF-8 character, reference or `<![CDATA[` (at most 32 bytes each).
import * as b from "./bytes.js";
import type { Context } from "./context.js";
import { XmlFault } from "./faults.js";
import { Frame } from "./frame.js";
import type { ScannerLimits } from "./limits.js";
import { badName, checkName } from "./names.js";
import { referenceEnd } from "./references.js";
import { NON_ASCII, NONE, SPECIAL } from "./tables.js";

/** What run() came to: the bytes ran out, or this was read whole. */
export const MORE = 0;
export const HEAD = 1;
export const FRAGMENT = 2;
export const END = 3;
const STARVED = -1; // as MORE, in the middle of something that is read as a whole

const MARKUP = 0; // after `<`
const NAME = 1;
const BETWEEN = 2; // in a start tag, before an attribute
const ATTRIBUTE_NAME = 3;
const EQUALS = 4;
const QUOTE = 5;
const VALUE = 6;
const EMPTY = 7; // after the `/` of a start tag
const TEXT = 8;
const CDATA = 9;
const END_NAME = 10;
const END_TAIL = 11;

const CDATA_OPEN = "![CDATA[";

export class Tokens {
  readonly frame = new Frame();
  /** Where run() stopped; from here the next run goes on. */
  position = 0;
  /** Whether the fragment has a CDATA section. */
  hasCdata = false;
  /** Whether the head was an empty tag. */
  isEmpty = false;
  #state = MARKUP;
  #event = MORE;
  #isHead = false;
  #rootName = "";
  // Of the tag being read.
  #start = 0;
  #nameEnd = 0;
  #nameColon = NONE;
  // Of the attribute or name being read.
  #mark = 0;
  #markEnd = 0;
  #colon = NONE;
  #isAscii = true;
  #spaced = false;
  #quote = 0;
  #value = 0;
  #flags = 0;

  /**
   * Begins with the `<` at the fragment's first byte. `isHead`: only the start tag is read. `rootName`: the name the end tag of the
   * stream must have, as written.
   */
  begin(context: Context, limits: ScannerLimits, isHead: boolean, rootName: string): void {
    this.frame.reset(context, limits);
    this.hasCdata = false;
    this.isEmpty = false;
    this.#isHead = isHead;
    this.#rootName = rootName;
    this.#start = 0;
    this.#state = MARKUP;
  }

  /** Reads on from the absolute index `from`; `base` is that of the fragment's first byte. Throws XmlFault. */
  run(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from;
    this.#event = MORE;
    while (i < end && this.#event === MORE) {
      const state = this.#state;
      if (state === TEXT) i = this.#text(bytes, base, i, end);
      else if (state === MARKUP) i = this.#markup(bytes, base, i, end);
      else if (state <= EMPTY) i = this.#startTag(bytes, base, i, end);
      else if (state === CDATA) i = this.#cdata(bytes, base, i, end);
      else i = this.#endTag(bytes, base, i, end);
    }
    this.position = i;
    return this.#event === STARVED ? MORE : this.#event;
  }

  /** Text up to and with the next `<`. */
  #text(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from;
    while (i < end) {
      i = b.skipText(bytes, i, end);
      if (i === end) break;
      const byte = b.byteAt(bytes, i);
      if (byte === b.LESS) {
        this.#start = i - base;
        this.#state = MARKUP;
        return i + 1;
      }
      if (byte === b.GREATER) {
        if (bytes[i - 1] === b.BRACKET && bytes[i - 2] === b.BRACKET)
          throw new XmlFault("not-well-formed", "]]> in text");
        i++;
        continue;
      }
      const next = byte === b.AMPERSAND ? referenceEnd(bytes, i, end) : b.characterEnd(bytes, i, end);
      if (next === 0) return this.#starve(i);
      i = next;
    }
    return i;
  }

  #starve(i: number): number {
    this.#event = STARVED;
    return i;
  }

  /** What follows a `<`. */
  #markup(bytes: Buffer, base: number, i: number, end: number): number {
    const byte = b.byteAt(bytes, i);
    if (b.startsName(byte)) {
      this.#beginName(i - base);
      this.#state = NAME;
      return i;
    }
    if (byte === b.SLASH && !this.#isHead) return this.#beginEndTag(i + 1 - base) + base;
    if (byte === b.BANG) return this.#bang(bytes, i, end);
    if (byte === b.QUESTION) throw new XmlFault("restricted-xml", "a processing instruction");
    throw badName();
  }

  #beginName(offset: number): void {
    this.#mark = offset;
    this.#colon = NONE;
    this.#isAscii = true;
  }

  #beginEndTag(offset: number): number {
    const { frame } = this;
    if (frame.depth === 0 && this.#rootName === "") throw badName();
    this.#mark = 0;
    this.#markEnd = frame.depth === 0 ? this.#rootName.length : frame.openNameEnd - frame.openNameStart;
    this.#state = END_NAME;
    return offset;
  }

  #bang(bytes: Buffer, bang: number, end: number): number {
    for (let i = 0; i < CDATA_OPEN.length; i++) {
      if (bang + i === end) return this.#starve(bang);
      if (b.byteAt(bytes, bang + i) !== CDATA_OPEN.charCodeAt(i))
        throw new XmlFault("restricted-xml", "a comment or a DTD");
    }
    if (this.frame.depth === 0) throw new XmlFault("not-well-formed", "CDATA outside an element");
    this.hasCdata = true;
    this.#state = CDATA;
    this.#mark = -1;
    return bang + CDATA_OPEN.length;
  }

  /** From the tag's name to its `>`, as far as the bytes reach. */
  #startTag(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from;
    let state = this.#state;
    while (i < end) {
      if (state === NAME || state === ATTRIBUTE_NAME) {
        i = this.#name(bytes, base, i, end);
        if (i === end) break;
        state = state === NAME ? this.#nameRead() : EQUALS;
      }
      if (state === BETWEEN) {
        const gap = i;
        i = b.skipSpace(bytes, i, end);
        if (i > gap) this.#spaced = true;
        if (i === end) break;
        const byte = b.byteAt(bytes, i);
        if (byte === b.GREATER) return this.#opened(bytes, base, i + 1, false);
        if (byte === b.SLASH) {
          state = EMPTY;
          i++;
          continue;
        }
        if (!this.#spaced) throw new XmlFault("not-well-formed", "no white space before an attribute");
        if (!b.startsName(byte)) throw badName();
        this.#beginName(i - base);
        state = ATTRIBUTE_NAME;
        continue;
      }
      if (state === EQUALS) {
        i = b.skipSpace(bytes, i, end);
        if (i === end) break;
        if (bytes[i++] !== b.EQUALS) throw new XmlFault("not-well-formed", "an attribute without a value");
        state = QUOTE;
        if (i === end) break;
      }
      if (state === QUOTE) {
        i = b.skipSpace(bytes, i, end);
        if (i === end) break;
        this.#quote = b.byteAt(bytes, i++);
        if (this.#quote !== b.SINGLE_QUOTE && this.#quote !== b.DOUBLE_QUOTE)
          throw new XmlFault("not-well-formed", "an attribute value without quotes");
        this.#value = i - base;
        this.#flags = 0;
        state = VALUE;
      }
      if (state === VALUE) {
        i = this.#attributeValue(bytes, base, i, end);
        if (this.#quote !== 0) break; // not at its end
        this.#spaced = false;
        state = BETWEEN;
      } else if (state === EMPTY) {
        if (bytes[i] !== b.GREATER) throw new XmlFault("not-well-formed", "a / in a start tag");
        return this.#opened(bytes, base, i + 1, true);
      }
    }
    this.#state = state;
    return i;
  }

  /** A name up to the byte after it; on that byte the name is checked. */
  #name(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from;
    for (;;) {
      i = b.skipName(bytes, i, end);
      if (i === end) return i;
      const byte = b.byteAt(bytes, i);
      if (byte === b.COLON && this.#colon === NONE) this.#colon = i - base;
      else if (byte >= 0x80) this.#isAscii = false;
      else break;
      i++;
    }
    const colon = this.#colon === NONE ? NONE : base + this.#colon;
    checkName(bytes, base + this.#mark, colon, i, this.#isAscii);
    if (!this.#isAscii) this.frame.asciiNames = false;
    this.#markEnd = i - base;
    return i;
  }

  #nameRead(): number {
    this.#nameEnd = this.#markEnd;
    this.#nameColon = this.#colon;
    this.#spaced = false;
    return BETWEEN;
  }

  /** The value up to and with its closing quote, after which the quote is 0. */
  #attributeValue(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from;
    while (i < end) {
      i = b.skipValue(bytes, i, end);
      if (i === end) break;
      const byte = b.byteAt(bytes, i);
      if (byte === this.#quote) {
        this.#quote = 0;
        this.frame.attribute(bytes, base, this.#mark, this.#markEnd, this.#colon, this.#value, i - base, this.#flags);
        return i + 1;
      }
      if (byte === b.LESS) throw new XmlFault("not-well-formed", "a < in an attribute value");
      const next = this.#special(bytes, byte, i, end);
      if (next === 0) return this.#starve(i);
      i = next;
    }
    return i;
  }

  #special(bytes: Buffer, byte: number, i: number, end: number): number {
    if (byte >= 0x80) {
      this.#flags |= NON_ASCII;
      return b.characterEnd(bytes, i, end);
    }
    this.#flags |= SPECIAL;
    if (byte === b.AMPERSAND) return referenceEnd(bytes, i, end);
    if (byte < 0x20 && byte !== b.TAB && byte !== b.LF && byte !== b.CR) throw b.forbiddenCharacter();
    return i + 1;
  }

  #opened(bytes: Buffer, base: number, end: number, empty: boolean): number {
    const { frame } = this;
    frame.open(bytes, base, this.#start, this.#nameEnd, this.#nameColon, end - base, empty);
    this.isEmpty = empty;
    this.#state = TEXT;
    if (this.#isHead) this.#event = HEAD;
    else if (frame.depth === 0) this.#event = FRAGMENT;
    return end;
  }

  #cdata(bytes: Buffer, base: number, from: number, end: number): number {
    let i = from;
    if (this.#mark < 0) this.#mark = i - base;
    while (i < end) {
      i = b.skipCdata(bytes, i, end);
      if (i === end) break;
      if (bytes[i] !== b.GREATER) {
        const next = b.characterEnd(bytes, i, end);
        if (next === 0) return this.#starve(i);
        i = next;
        continue;
      }
      const closes = i - 2 >= base + this.#mark && bytes[i - 1] === b.BRACKET && bytes[i - 2] === b.BRACKET;
      i++;
      if (!closes) continue;
      this.#state = TEXT;
      break;
    }
    return i;
  }

  /** The name of an end tag must be that of the innermost open element, byte for byte. */
  #endTag(bytes: Buffer, base: number, from: number, end: number): number {
    const { frame } = this;
    let i = from;
    if (this.#state === END_NAME) {
      const name = frame.depth === 0 ? NONE : base + frame.openNameStart;
      while (i < end && this.#mark < this.#markEnd) {
        const expected = name === NONE ? this.#rootName.charCodeAt(this.#mark) : bytes[name + this.#mark];
        if (bytes[i] !== expected) throw mismatch();
        this.#mark++;
        i++;
      }
      if (this.#mark < this.#markEnd || i === end) return i;
      this.#state = END_TAIL;
    }
    i = b.skipSpace(bytes, i, end);
    if (i === end) return i;
    if (bytes[i] !== b.GREATER) throw mismatch();
    return this.#closed(i + 1 - base) + base;
  }

  #closed(end: number): number {
    const { frame } = this;
    this.#state = TEXT;
    if (frame.depth === 0) {
      this.#event = END;
      return end;
    }
    frame.close(this.#start, end);
    if (frame.depth === 0) this.#event = FRAGMENT;
    return end;
  }
}

function mismatch(): XmlFault {
  return new XmlFault("not-well-formed", "an end tag that does not match");
}
