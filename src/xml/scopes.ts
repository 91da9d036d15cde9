// Namespaces in XML 1.0: the declarations in scope while a fragment is scanned, and what may be declared at all.
import { type Context, NOTHING_AROUND } from "./context.js";
import { unescape } from "./escape.js";
import { XmlFault } from "./faults.js";
import { CONTENT_NAMESPACES, NS } from "./namespaces.js";
import { at, DECLARATION, OUTER_DEFAULT, OUTER_PREFIX, sameBytes, SPECIAL, XML } from "./tables.js";
import { type Wire, wireOf } from "./wire.js";

const LOWER_X = 0x78; // begins "xml" and "xmlns"
const LOWER_M = 0x6d;
const LOWER_L = 0x6c;
const SPECIAL_LENGTHS: ReadonlySet<number> = new Set([...CONTENT_NAMESPACES, NS.xml, NS.xmlns].map((ns) => ns.length));

export class Scopes {
  context: Context = NOTHING_AROUND;
  /** Rows in scope; an element's own are dropped by setting this back. */
  count = 0;
  /** The default namespace in scope: a row or OUTER_DEFAULT. */
  default = OUTER_DEFAULT;
  /** Whether something needs the prefixes around the fragment. */
  reachesOut = false;
  readonly table: number[] = [];

  reset(context: Context): void {
    this.context = context;
    this.count = 0;
    this.default = OUTER_DEFAULT;
    this.reachesOut = false;
  }

  /** Adds a declaration, `prefixStart === prefixEnd` for the default namespace; true when it names a content namespace. */
  declare(
    bytes: Buffer,
    base: number,
    prefixStart: number,
    prefixEnd: number,
    start: number,
    end: number,
    flags: number,
  ): boolean {
    const row = this.count * DECLARATION;
    this.table[row] = prefixStart;
    this.table[row + 1] = prefixEnd;
    this.table[row + 2] = start;
    this.table[row + 3] = end;
    this.table[row + 4] = flags;
    const isDefault = prefixStart === prefixEnd;
    if (isDefault) this.default = this.count;
    this.count++;
    if (!isDefault && start === end) throw misdeclared("a prefix bound to no namespace");
    const ordinary = (flags & SPECIAL) === 0 && !SPECIAL_LENGTHS.has(end - start);
    if (ordinary && (isDefault || bytes[base + prefixStart] !== LOWER_X)) return false;
    const prefix = wireOf(bytes, base + prefixStart, base + prefixEnd);
    return isContent(prefix, unescape(wireOf(bytes, base + start, base + end)));
  }

  /** The namespace a prefix is bound to: a row, XML or OUTER_PREFIX. */
  resolve(bytes: Buffer, base: number, start: number, end: number): number {
    const length = end - start;
    for (let i = this.count - 1; i >= 0; i--) {
      const row = i * DECLARATION;
      const from = at(this.table, row);
      if (at(this.table, row + 1) - from === length && sameBytes(bytes, base + from, base + start, length)) return i;
    }
    if (length === 3 && isXml(bytes, base + start)) return XML;
    const prefix = wireOf(bytes, base + start, base + end);
    if (!this.context.prefixes.has(prefix)) throw new XmlFault("not-well-formed", "a prefix that is not bound");
    this.reachesOut = true;
    return OUTER_PREFIX;
  }

  /** The namespace behind a code, as ordinary text; a prefix around the fragment is looked up by its name. */
  text(bytes: Buffer, base: number, code: number, prefixStart: number, prefixEnd: number): string {
    if (code === OUTER_DEFAULT) return this.context.defaultNs;
    if (code === XML) return NS.xml;
    if (code === OUTER_PREFIX)
      return this.context.prefixes.get(wireOf(bytes, base + prefixStart, base + prefixEnd)) ?? "";
    const row = code * DECLARATION;
    return unescape(wireOf(bytes, base + at(this.table, row + 2), base + at(this.table, row + 3)));
  }
}

function isXml(bytes: Buffer, start: number): boolean {
  return bytes[start] === LOWER_X && bytes[start + 1] === LOWER_M && bytes[start + 2] === LOWER_L;
}

/** Checks the reserved prefixes and namespaces (Namespaces in XML §3); true for a content namespace. */
function isContent(prefix: Wire, ns: string): boolean {
  if (prefix === "xmlns" || ns === NS.xmlns) throw misdeclared("the prefix xmlns or its namespace");
  if ((prefix === "xml") !== (ns === NS.xml)) throw misdeclared("the prefix xml or its namespace bound to another");
  return CONTENT_NAMESPACES.has(ns);
}

function misdeclared(what: string): XmlFault {
  return new XmlFault("not-well-formed", `a namespace declaration that is not allowed: ${what}`);
}
