// What the scanner hands out: a whole stanza (or document) as verified bytes with the places of its parts, and the head of a stream.
import type { Context } from "./context.js";
import { unescape } from "./escape.js";
import type { Frame } from "./frame.js";
import { NS } from "./namespaces.js";
import { at, ATTRIBUTE, CHILD, DECLARATION, NONE, OUTER_DEFAULT, OUTER_PREFIX, SPECIAL, XML, XMLNS } from "./tables.js";
import { fromWire, type Wire } from "./wire.js";

/** A direct child: local name, namespace, and where it is in the fragment's text. */
export interface Span {
  readonly name: string;
  readonly ns: string;
  readonly start: number;
  readonly end: number;
}

export interface Attribute {
  /** As written, e.g. "xml:lang". */
  readonly name: string;
  /** "" without a prefix; the namespace of declarations themselves is NS.xmlns. */
  readonly ns: string;
  readonly local: string;
  /** Raw, still escaped; it may hold the kind of quotes it was not quoted with. */
  readonly value: Wire;
  /** Whether the value has no references, quotes or tabs and line ends, so that it can be written as it is. */
  readonly isPlain: boolean;
}

/** One whole element in verified bytes. */
export interface Fragment {
  /** From `<` to `>`: a flat copy of its own. */
  readonly text: Wire;
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly Attribute[];
  /** The offset after the `>` of the start tag. */
  readonly headEnd: number;
  /** The offset of the end tag, `headEnd` for an empty tag. */
  readonly bodyEnd: number;
  readonly children: readonly Span[];
  /** Whether the bytes below the head mean the same in any stream (ruling 14), and have no CDATA. */
  readonly canonical: boolean;
  /** What it inherits from its stream, for its tree (`elementOf`). */
  readonly context: Context;
}

/** The start tag of a stream. */
export interface StreamHead {
  readonly name: string;
  readonly ns: string;
  /** The default namespace, which stanzas inherit. */
  readonly contentNs: string;
  readonly attributes: readonly Attribute[];
  /** The decoded value of the attribute written like this. */
  attribute(name: string): string | undefined;
}

/** The fragment that a frame describes; `text` starts where its offsets count from. */
export function fragmentOf(text: Wire, frame: Frame, hasCdata: boolean): Fragment {
  return new ScannedFragment(text, frame, hasCdata);
}

/** The stream head that a frame describes. */
export function streamHeadOf(text: Wire, frame: Frame): StreamHead {
  return new ScannedHead(text, frame);
}

/** What the fragments of a stream inherit from its head, which the frame describes. */
export function contextOf(text: Wire, frame: Frame): Context {
  const { scopes } = frame;
  const prefixes = new Map<string, string>();
  for (let row = 0; row < scopes.count * DECLARATION; row += DECLARATION) {
    const prefix = text.slice(at(scopes.table, row), at(scopes.table, row + 1));
    const ns = unescape(text.slice(at(scopes.table, row + 2), at(scopes.table, row + 3)) as Wire);
    if (prefix !== "") prefixes.set(prefix, ns);
  }
  return { defaultNs: namespaceOf(text, frame, scopes.default, 0, 0), prefixes };
}

class ScannedFragment implements Fragment {
  readonly text: Wire;
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly Attribute[];
  readonly headEnd: number;
  readonly bodyEnd: number;
  readonly canonical: boolean;
  readonly context: Context;
  readonly #asciiNames: boolean;
  readonly #packed: readonly number[];
  #children: readonly Span[] | undefined;

  constructor(text: Wire, frame: Frame, hasCdata: boolean) {
    this.text = text;
    this.name = localName(text, frame.asciiNames, frame.headNameStart, frame.headColon, frame.headNameEnd);
    this.ns = namespaceOf(text, frame, frame.headNs, frame.headNameStart, frame.headColon);
    this.attributes = attributesOf(text, frame);
    this.headEnd = frame.headEnd;
    this.bodyEnd = frame.bodyEnd;
    this.canonical = frame.canonical && !hasCdata && !frame.scopes.reachesOut;
    this.context = frame.scopes.context;
    this.#asciiNames = frame.asciiNames;
    this.#packed = frame.children.slice(0, frame.childCount * CHILD);
  }

  get children(): readonly Span[] {
    this.#children ??= this.#spans();
    return this.#children;
  }

  #spans(): Span[] {
    const packed = this.#packed;
    const spans: Span[] = [];
    for (let row = 0; row < packed.length; row += CHILD) {
      const name = localName(this.text, this.#asciiNames, at(packed, row), at(packed, row + 2), at(packed, row + 1));
      spans.push({ name, ns: this.#childNs(row), start: at(packed, row + 6), end: at(packed, row + 7) });
    }
    return spans;
  }

  #childNs(row: number): string {
    const code = at(this.#packed, row + 3);
    if (code >= 0) {
      const raw = this.text.slice(code, at(this.#packed, row + 4)) as Wire;
      return at(this.#packed, row + 5) === 0 ? raw : unescape(raw);
    }
    const prefix = this.text.slice(at(this.#packed, row), Math.max(at(this.#packed, row + 2), 0));
    return outerNamespace(this.context, code, prefix);
  }
}

class ScannedHead implements StreamHead {
  readonly name: string;
  readonly ns: string;
  readonly contentNs: string;
  readonly attributes: readonly Attribute[];

  constructor(text: Wire, frame: Frame) {
    this.name = localName(text, frame.asciiNames, frame.headNameStart, frame.headColon, frame.headNameEnd);
    this.ns = namespaceOf(text, frame, frame.headNs, frame.headNameStart, frame.headColon);
    this.contentNs = namespaceOf(text, frame, frame.scopes.default, 0, 0);
    this.attributes = attributesOf(text, frame);
  }

  attribute(name: string): string | undefined {
    const found = this.attributes.find((attribute) => attribute.name === name);
    return found && unescape(found.value);
  }
}

function localName(text: Wire, ascii: boolean, start: number, colon: number, end: number): string {
  const name = text.slice(colon === NONE ? start : colon + 1, end) as Wire;
  return ascii ? name : fromWire(name);
}

function attributesOf(text: Wire, frame: Frame): Attribute[] {
  const table = frame.attributes;
  const found: Attribute[] = [];
  for (let row = 0; row < frame.headAttributes * ATTRIBUTE; row += ATTRIBUTE) {
    const start = at(table, row);
    const end = at(table, row + 1);
    const colon = at(table, row + 2);
    const value = text.slice(at(table, row + 3), at(table, row + 4)) as Wire;
    const isPlain = (at(table, row + 5) & SPECIAL) === 0;
    const written = text.slice(start, end) as Wire;
    const name = frame.asciiNames ? written : fromWire(written);
    if (colon === NONE) found.push({ name, ns: name === "xmlns" ? NS.xmlns : "", local: name, value, isPlain });
    else {
      const ns = namespaceOf(text, frame, at(table, row + 6), start, colon);
      found.push({ name, ns, local: localName(text, frame.asciiNames, start, colon, end), value, isPlain });
    }
  }
  return found;
}

function namespaceOf(text: Wire, frame: Frame, code: number, prefixStart: number, colon: number): string {
  const { scopes } = frame;
  if (code < 0) return outerNamespace(scopes.context, code, text.slice(prefixStart, Math.max(colon, 0)));
  const row = code * DECLARATION;
  const raw = text.slice(at(scopes.table, row + 2), at(scopes.table, row + 3)) as Wire;
  return at(scopes.table, row + 4) === 0 ? raw : unescape(raw);
}

function outerNamespace(context: Context, code: number, prefix: string): string {
  switch (code) {
    case OUTER_DEFAULT:
      return context.defaultNs;
    case OUTER_PREFIX:
      return context.prefixes.get(prefix) ?? "";
    case XML:
      return NS.xml;
    case XMLNS:
      return NS.xmlns;
    default:
      throw new RangeError("not the code of a namespace");
  }
}
