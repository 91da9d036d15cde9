// The structure of the fragment being scanned: its head, open elements and direct children, and the limits on all of them.
import type { Context } from "./context.js";
import { XmlFault } from "./faults.js";
import { BEFORE_LOGIN, type ScannerLimits } from "./limits.js";
import { Scopes } from "./scopes.js";
import { at, ATTRIBUTE, CHILD, DECLARATION, NONE, OPEN, OUTER_DEFAULT, sameBytes, XMLNS } from "./tables.js";

const KEEP_ENTRIES = 4096; // longer tables are not kept for the next fragment

export class Frame {
  readonly scopes = new Scopes();
  readonly attributes: number[] = [];
  readonly children: number[] = [];
  /** The number of open elements. */
  depth = 0;
  childCount = 0;
  /** False once something below the head makes the raw bytes unfit for other streams (ruling 14). */
  canonical = true;
  /** False once a name has characters that are not ASCII. */
  asciiNames = true;
  headEnd = 0;
  bodyEnd = 0;
  headNameStart = 0;
  headNameEnd = 0;
  headColon = NONE;
  headNs = OUTER_DEFAULT;
  headAttributes = 0;
  readonly #open: number[] = [];
  #limits: ScannerLimits = BEFORE_LOGIN;
  #attributes = 0;
  #attributesSeen = 0;
  #elementsSeen = 0;
  // As they were around the start tag being read.
  #outerCount = 0;
  #outerDefault = OUTER_DEFAULT;

  /** Begins another fragment. */
  reset(context: Context, limits: ScannerLimits): void {
    this.scopes.reset(context);
    this.#limits = limits;
    this.depth = 0;
    this.childCount = 0;
    this.canonical = true;
    this.asciiNames = true;
    this.headAttributes = 0;
    this.#attributes = 0;
    this.#attributesSeen = 0;
    this.#elementsSeen = 0;
    this.#outerCount = 0;
    this.#outerDefault = OUTER_DEFAULT;
  }

  get isSmall(): boolean {
    const { attributes, children } = this;
    return Math.max(attributes.length, children.length, this.#open.length, this.scopes.table.length) < KEEP_ENTRIES;
  }

  /** An attribute of the start tag being read; `colon` is the offset of the name's colon or NONE. */
  attribute(
    bytes: Buffer,
    base: number,
    start: number,
    end: number,
    colon: number,
    from: number,
    to: number,
    flags: number,
  ): void {
    if (this.#attributes - this.headAttributes >= this.#limits.attributes) throw tooMany("attributes of one element");
    if (++this.#attributesSeen > this.#limits.totalAttributes) throw tooMany("attributes");
    if (end - start > this.#limits.nameBytes) throw tooLong("name");
    const table = this.attributes;
    const row = this.#attributes++ * ATTRIBUTE;
    table[row] = start;
    table[row + 1] = end;
    table[row + 2] = colon;
    table[row + 3] = from;
    table[row + 4] = to;
    table[row + 5] = flags;
    table[row + 6] = NONE;
    const prefixEnd = colon === NONE ? end : colon;
    if (prefixEnd - start !== 5 || !isXmlns(bytes, base + start)) return;
    table[row + 6] = XMLNS;
    this.#declare(bytes, base, colon === NONE ? end : colon + 1, end, from, to, flags);
  }

  #declare(bytes: Buffer, base: number, start: number, end: number, from: number, to: number, flags: number): void {
    if (this.scopes.count >= this.#limits.namespaces) throw tooMany("namespace declarations");
    if (to - from > this.#limits.namespaceBytes) throw tooLong("namespace");
    const isContent = this.scopes.declare(bytes, base, start, end, from, to, flags);
    if (this.depth === 0 ? end > start : isContent) this.canonical = false;
  }

  /** The start tag is whole: resolves its namespaces, then opens the element, or only notes it when it is empty. */
  open(
    bytes: Buffer,
    base: number,
    start: number,
    nameEnd: number,
    colon: number,
    tagEnd: number,
    empty: boolean,
  ): void {
    if (++this.#elementsSeen > this.#limits.elements) throw tooMany("elements");
    if (this.depth >= this.#limits.depth) throw tooMany("elements inside each other");
    if (nameEnd - start - 1 > this.#limits.nameBytes) throw tooLong("name");
    const ns = colon === NONE ? this.scopes.default : this.#elementNs(bytes, base, start + 1, colon);
    if (this.#attributes > this.headAttributes) this.#checkAttributes(bytes, base);
    if (this.depth === 0) this.#noteHead(start + 1, nameEnd, colon, ns, tagEnd);
    else if (this.depth === 1) this.#noteChild(start, nameEnd, colon, ns, tagEnd);
    this.#attributes = this.headAttributes;
    if (!empty) this.#push(start + 1, nameEnd);
    else if (this.depth > 0) this.#leaveScope();
  }

  /** The end tag from `start` to `end` is whole and matches. */
  close(start: number, end: number): void {
    const row = --this.depth * OPEN;
    this.#outerDefault = at(this.#open, row + 2);
    this.#outerCount = at(this.#open, row + 3);
    if (this.depth > 0) this.#leaveScope();
    if (this.depth === 1) this.children[this.childCount * CHILD - 1] = end;
    else if (this.depth === 0) this.bodyEnd = start;
  }

  /** Where the name of the innermost open element begins and ends. */
  get openNameStart(): number {
    return at(this.#open, (this.depth - 1) * OPEN);
  }

  get openNameEnd(): number {
    return at(this.#open, (this.depth - 1) * OPEN + 1);
  }

  #push(nameStart: number, nameEnd: number): void {
    const row = this.depth++ * OPEN;
    this.#open[row] = nameStart;
    this.#open[row + 1] = nameEnd;
    this.#open[row + 2] = this.#outerDefault;
    this.#open[row + 3] = this.#outerCount;
    this.#outerDefault = this.scopes.default;
    this.#outerCount = this.scopes.count;
  }

  #leaveScope(): void {
    this.scopes.default = this.#outerDefault;
    this.scopes.count = this.#outerCount;
  }

  #elementNs(bytes: Buffer, base: number, start: number, colon: number): number {
    if (colon - start === 5 && isXmlns(bytes, base + start))
      throw new XmlFault("not-well-formed", "an element named xmlns:…");
    if (this.depth === 0) this.canonical = false;
    return this.scopes.resolve(bytes, base, start, colon);
  }

  #checkAttributes(bytes: Buffer, base: number): void {
    const table = this.attributes;
    const first = this.headAttributes * ATTRIBUTE;
    const end = this.#attributes * ATTRIBUTE;
    for (let row = first; row < end; row += ATTRIBUTE) {
      const colon = at(table, row + 2);
      if (colon !== NONE && at(table, row + 6) === NONE)
        table[row + 6] = this.scopes.resolve(bytes, base, at(table, row), colon);
      for (let other = first; other < row; other += ATTRIBUTE)
        if (this.#areSame(bytes, base, row, other)) throw new XmlFault("not-well-formed", "an attribute given twice");
    }
  }

  #areSame(bytes: Buffer, base: number, a: number, b: number): boolean {
    const table = this.attributes;
    const length = at(table, a + 1) - at(table, a);
    if (
      at(table, b + 1) - at(table, b) === length &&
      sameBytes(bytes, base + at(table, a), base + at(table, b), length)
    )
      return true;
    const colonA = at(table, a + 2);
    const colonB = at(table, b + 2);
    if (colonA === NONE || colonB === NONE || at(table, a + 6) === XMLNS || at(table, b + 6) === XMLNS) return false;
    const local = at(table, a + 1) - colonA;
    if (at(table, b + 1) - colonB !== local || !sameBytes(bytes, base + colonA, base + colonB, local)) return false;
    return this.#attributeNs(bytes, base, a) === this.#attributeNs(bytes, base, b);
  }

  #attributeNs(bytes: Buffer, base: number, row: number): string {
    const table = this.attributes;
    return this.scopes.text(bytes, base, at(table, row + 6), at(table, row), at(table, row + 2));
  }

  #noteHead(nameStart: number, nameEnd: number, colon: number, ns: number, tagEnd: number): void {
    this.headNameStart = nameStart;
    this.headNameEnd = nameEnd;
    this.headColon = colon;
    this.headNs = ns;
    this.headAttributes = this.#attributes;
    this.headEnd = tagEnd;
    this.bodyEnd = tagEnd;
  }

  #noteChild(start: number, nameEnd: number, colon: number, ns: number, tagEnd: number): void {
    const declared = this.scopes.table;
    const row = this.childCount++ * CHILD;
    this.children[row] = start + 1;
    this.children[row + 1] = nameEnd;
    this.children[row + 2] = colon;
    this.children[row + 3] = ns < 0 ? ns : at(declared, ns * DECLARATION + 2);
    this.children[row + 4] = ns < 0 ? 0 : at(declared, ns * DECLARATION + 3);
    this.children[row + 5] = ns < 0 ? 0 : at(declared, ns * DECLARATION + 4);
    this.children[row + 6] = start;
    this.children[row + 7] = tagEnd;
  }
}

function isXmlns(bytes: Buffer, start: number): boolean {
  return (
    bytes[start] === 0x78 &&
    bytes[start + 1] === 0x6d &&
    bytes[start + 2] === 0x6c &&
    bytes[start + 3] === 0x6e &&
    bytes[start + 4] === 0x73
  );
}

function tooMany(what: string): XmlFault {
  return new XmlFault("policy-violation", `too many ${what}`);
}

function tooLong(what: string): XmlFault {
  return new XmlFault("policy-violation", `a ${what} that is too long`);
}
