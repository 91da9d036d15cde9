// The content of a stanza: canonical wire text (ruling 14) with the places of its children, shared by all copies of the stanza.
import { type Element } from "../xml/element.js";
import { parseElement } from "../xml/document.js";
import type { Fragment, Span } from "../xml/fragment.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { contentToWire } from "../xml/serialize.js";
import { elementOf, treeOf } from "../xml/tree.js";
import { type Wire, w } from "../xml/wire.js";
import { StanzaError } from "./errors.js";

const WRAPPER = `<x xmlns='${NS.client}'>`;
const AROUND = { defaultNs: NS.client, prefixes: new Map<string, string>() };
const MAX_GROWTH = 4; // times the stanza as sent, when namespaces must be written out; stops a short prefix from becoming megabytes
const GROWTH_ALLOWED = 4096; // bytes, whatever the stanza's size

export class Payload {
  static readonly EMPTY = new Payload("" as Wire, 0, 0, []);

  readonly #text: Wire;
  readonly #start: number;
  readonly #end: number;
  #children: readonly Span[] | (() => readonly Span[]);
  #body: Wire | undefined;

  private constructor(text: Wire, start: number, end: number, children: readonly Span[] | (() => readonly Span[])) {
    this.#text = text;
    this.#start = start;
    this.#end = end;
    this.#children = children;
  }

  /** The content of a scanned stanza, as raw bytes where they are canonical, else as its tree says. Throws StanzaError. */
  static of(fragment: Fragment): Payload {
    if (!fragment.canonical) return Payload.#rewritten(fragment);
    const { text, headEnd, bodyEnd, ns } = fragment;
    return new Payload(text, headEnd, bodyEnd, () =>
      ns === NS.client ? fragment.children : renamed(fragment.children, ns),
    );
  }

  /** Wire text made by the server: any number of elements, those of the content namespace without a declaration. */
  static ofWire(text: Wire): Payload {
    return text === "" ? Payload.EMPTY : new Payload(text, 0, text.length, () => spansOf(text));
  }

  static #rewritten(fragment: Fragment): Payload {
    const text = contentToWire(elementOf(fragment), fragment.ns);
    checkGrowth(text, fragment);
    const { children } = parseElement(w`<x xmlns='${NS.client as Wire}'>${text}</x>`, UNLIMITED);
    return new Payload(text, 0, text.length, shifted(children, -WRAPPER.length));
  }

  /** The content as it goes into a stanza. */
  get body(): Wire {
    this.#body ??= this.#text.slice(this.#start, this.#end) as Wire;
    return this.#body;
  }

  /** Bytes. */
  get size(): number {
    return this.#end - this.#start;
  }

  get children(): readonly Span[] {
    if (typeof this.#children === "function") this.#children = this.#children();
    return this.#children;
  }

  raw(span: Span): Wire {
    return this.#text.slice(span.start, span.end) as Wire;
  }

  element(span: Span): Element {
    return treeOf(this.raw(span), AROUND);
  }

  /** Only what is added is read, and that not before it is asked for. */
  plus(xml: Wire): Payload {
    const text = (this.body + xml) as Wire;
    const { length } = this.body;
    const children = (): readonly Span[] => [...shifted(this.children, -this.#start), ...shifted(spansOf(xml), length)];
    return new Payload(text, 0, text.length, children);
  }

  /** Without the children that start at these places; in one go, as there may be thousands. */
  without(gone: ReadonlySet<number>): Payload {
    const kept: Span[] = [];
    let text = "";
    let from = this.#start;
    for (const child of this.children) {
      if (gone.has(child.start)) {
        text += this.#text.slice(from, child.start);
        from = child.end;
      } else {
        const by = text.length - from;
        kept.push({ ...child, start: child.start + by, end: child.end + by });
      }
    }
    text += this.#text.slice(from, this.#end);
    return new Payload(text as Wire, 0, text.length, kept);
  }
}

function spansOf(text: Wire): readonly Span[] {
  return shifted(parseElement(`${WRAPPER}${text}</x>` as Wire, UNLIMITED).children, -WRAPPER.length);
}

/** Refuses what would become far larger than it came, by namespaces that were declared once for many places. Throws StanzaError. */
export function checkGrowth(written: Wire, { text }: Fragment): void {
  if (written.length > MAX_GROWTH * text.length + GROWTH_ALLOWED)
    throw new StanzaError("policy-violation", "modify", "namespaces that grow too large");
}

/** Inside, the content namespace is always jabber:client, whatever the stream's. */
function renamed(spans: readonly Span[], content: string): readonly Span[] {
  return spans.map((span) => (span.ns === content ? { ...span, ns: NS.client } : span));
}

function shifted(spans: readonly Span[], by: number): readonly Span[] {
  return spans.map((span) => ({ ...span, start: span.start + by, end: span.end + by }));
}
