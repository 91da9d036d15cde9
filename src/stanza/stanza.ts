// A message, presence or iq (RFC 6120 §8). Immutable: addresses are parsed once, the payload is shared by all copies, and a copy
// with other addresses costs a new head only.
import type { Element } from "../xml/element.js";
import { escapeAttribute, unescape } from "../xml/escape.js";
import type { Attribute, Fragment, Span } from "../xml/fragment.js";
import { NOTHING_AROUND } from "../xml/context.js";
import { NS } from "../xml/namespaces.js";
import { treeOf } from "../xml/tree.js";
import { fromWire, toWire, type Wire } from "../xml/wire.js";
import { StanzaError } from "./errors.js";
import { JID } from "./jid.js";
import { checkGrowth, Payload } from "./payload.js";
import { refusalHead } from "./refusal.js";
import { isStanzaKind, type StanzaKind, type StanzaType, typeOf } from "./types.js";

export type { StanzaKind, StanzaType } from "./types.js";

/** The addressing and description of a stanza; what is absent is not written. */
export interface StanzaHead {
  readonly from?: JID | undefined;
  readonly to?: JID | undefined;
  readonly id?: string | undefined;
  readonly type?: StanzaType | undefined;
  readonly lang?: string | undefined;
}

/** What a stanza takes from its stream where it says nothing itself. */
export interface StanzaDefaults {
  readonly lang?: string | undefined;
}

/** A stanza that cannot be taken; `answer` is undefined where RFC 6120 §8.3.1 allows none. */
export interface Unreadable {
  readonly error: StanzaError;
  readonly answer: Stanza | undefined;
}

/** As on the wire: the type as written, and attributes nobody here knows, escaped, with what their prefixes need. */
interface Written {
  readonly type: string | undefined;
  readonly extra: Wire;
  /** All attributes but the addresses, for every copy with other addresses. */
  readonly tail: Wire;
}

export class Stanza {
  readonly kind: StanzaKind;
  /** For messages "normal" when absent or unknown (RFC 6121 §5.2.2); undefined is available presence. */
  readonly type: StanzaType | undefined;
  readonly id: string | undefined;
  readonly from: JID | undefined;
  readonly to: JID | undefined;
  readonly lang: string | undefined;
  readonly #written: Written;
  readonly #payload: Payload;
  #wire: Wire | undefined;

  private constructor(kind: StanzaKind, head: StanzaHead, written: Written, payload: Payload) {
    this.kind = kind;
    this.type = head.type;
    this.id = head.id;
    this.from = head.from;
    this.to = head.to;
    this.lang = head.lang;
    this.#written = written;
    this.#payload = payload;
  }

  /** A stanza of our own; `body` is wire text whose elements of the content namespace declare none. */
  static make(kind: StanzaKind, head: StanzaHead, body: Wire): Stanza {
    const type = kind === "message" ? (head.type ?? "normal") : head.type;
    return new Stanza(
      kind,
      { ...head, type },
      writtenOf(head.id, head.type, head.lang, NO_EXTRA),
      Payload.ofWire(body),
    );
  }

  /**
   * The stanza that a fragment is. Throws StanzaError: `jid-malformed` for an address, `bad-request` for an unknown type of presence
   * or iq and for an iq without id or, being a request, without exactly one child (RFC 6120 §8.2.3, RFC 6121 §4.7.1).
   */
  static of(fragment: Fragment, defaults: StanzaDefaults): Stanza {
    const { name: kind } = fragment;
    if (!isStanzaKind(kind)) throw new TypeError(`<${kind}/> is not a stanza`);
    const found = attributesOf(fragment);
    const type = typeOf(kind, found.type);
    if (kind === "iq") checkIq(found, type, fragment);
    const lang = found.lang ?? defaults.lang;
    const head = { type, id: found.id, from: addressOf(found.from), to: addressOf(found.to), lang };
    return new Stanza(kind, head, writtenOf(found.id, found.type, lang, found.extra), Payload.of(fragment));
  }

  /** As of(), but what cannot be taken comes back with the answer it deserves. */
  static read(fragment: Fragment, defaults: StanzaDefaults): Stanza | Unreadable {
    try {
      return Stanza.of(fragment, defaults);
    } catch (error) {
      if (!(error instanceof StanzaError) || !isStanzaKind(fragment.name)) throw error;
      const head = refusalHead(fragment);
      return { error, answer: head && Stanza.make(fragment.name, head, error.toWire()) };
    }
  }

  /** The direct children; their namespaces say jabber:client for the content namespace of any stream. */
  get children(): readonly Span[] {
    return this.#payload.children;
  }

  /** About how many bytes it has, for limits: those of its content. */
  get size(): number {
    return this.#payload.size;
  }

  /** The first direct child of this name and namespace as a tree, parsed at each call. */
  child(name: string, ns: string): Element | undefined {
    const span = this.#span(name, ns);
    return span && this.#payload.element(span);
  }

  has(name: string, ns: string): boolean {
    return this.#span(name, ns) !== undefined;
  }

  /** The verified bytes of a direct child; it inherits jabber:client as its default namespace. */
  raw(span: Span): Wire {
    return this.#payload.raw(span);
  }

  /** A direct child as a tree. */
  elementOf(span: Span): Element {
    return this.#payload.element(span);
  }

  /** The whole stanza as a tree in jabber:client, parsed at each call. */
  get element(): Element {
    return treeOf(this.toWire(NS.client), NOTHING_AROUND);
  }

  readdress(from: JID | undefined, to: JID | undefined): Stanza {
    const { type, id, lang } = this;
    return new Stanza(this.kind, { type, id, from, to, lang }, this.#written, this.#payload);
  }

  withId(id: string | undefined): Stanza {
    const { type, extra } = this.#written;
    const written = writtenOf(id, type, this.lang, extra);
    return new Stanza(this.kind, { ...this.#head(), id }, written, this.#payload);
  }

  withType(type: StanzaType | undefined): Stanza {
    const head = { ...this.#head(), type: this.kind === "message" ? (type ?? "normal") : type };
    const written = writtenOf(this.id, type, this.lang, this.#written.extra);
    return new Stanza(this.kind, head, written, this.#payload);
  }

  /** With more children at the end, as wire text whose elements of the content namespace declare none. */
  plus(xml: Wire): Stanza {
    return new Stanza(this.kind, this.#head(), this.#written, this.#payload.plus(xml));
  }

  /** Without these of its `children`. */
  without(...spans: readonly Span[]): Stanza {
    return new Stanza(
      this.kind,
      this.#head(),
      this.#written,
      this.#payload.without(new Set(spans.map(({ start }) => start))),
    );
  }

  /** For streams whose default namespace is the content namespace; with `xmlns`, for places where it is not (ruling 14). */
  toWire(xmlns?: string): Wire {
    if (xmlns !== undefined) return this.#write(xmlns);
    this.#wire ??= this.#write(undefined);
    return this.#wire;
  }

  #write(xmlns: string | undefined): Wire {
    const { body } = this.#payload;
    const head = this.#headWire(xmlns);
    return (body === "" ? `${head}/>` : `${head}>${body}</${this.kind}>`) as Wire;
  }

  #headWire(xmlns: string | undefined): string {
    let head = `<${this.kind}`;
    if (xmlns !== undefined) head += ` xmlns='${escapeAttribute(xmlns)}'`;
    if (this.from !== undefined) head += ` from='${this.from.wire}'`;
    if (this.to !== undefined) head += ` to='${this.to.wire}'`;
    return head + this.#written.tail;
  }

  #head(): StanzaHead {
    return { type: this.type, id: this.id, from: this.from, to: this.to, lang: this.lang };
  }

  #span(name: string, ns: string): Span | undefined {
    for (const child of this.#payload.children) if (child.name === name && child.ns === ns) return child;
    return undefined;
  }
}

const NO_EXTRA = "" as Wire;

function writtenOf(id: string | undefined, type: string | undefined, lang: string | undefined, extra: Wire): Written {
  let tail = "";
  if (id !== undefined) tail += ` id='${escapeAttribute(id)}'`;
  if (type !== undefined) tail += ` type='${escapeAttribute(type)}'`;
  if (lang !== undefined) tail += ` xml:lang='${escapeAttribute(lang)}'`;
  return { type, extra, tail: (tail + extra) as Wire };
}

interface Found {
  from: Attribute | undefined;
  to: Attribute | undefined;
  id: string | undefined;
  type: string | undefined;
  lang: string | undefined;
  extra: Wire;
}

function attributesOf(fragment: Fragment): Found {
  const found: Found = {
    from: undefined,
    to: undefined,
    id: undefined,
    type: undefined,
    lang: undefined,
    extra: "" as Wire,
  };
  const unknown: Attribute[] = [];
  for (const attribute of fragment.attributes) {
    if (attribute.name === "from") found.from = attribute;
    else if (attribute.name === "to") found.to = attribute;
    else if (attribute.name === "id") found.id = valueOf(attribute);
    else if (attribute.name === "type") found.type = valueOf(attribute);
    else if (attribute.name === "xml:lang") found.lang = valueOf(attribute);
    else if (attribute.ns !== NS.xmlns) unknown.push(attribute);
  }
  if (unknown.length === 0) return found;
  found.extra = extraOf(unknown);
  checkGrowth(found.extra, fragment);
  return found;
}

function valueOf(attribute: Attribute): string {
  return attribute.isPlain ? fromWire(attribute.value) : unescape(attribute.value);
}

function extraOf(attributes: readonly Attribute[]): Wire {
  const declared = new Set(["xml"]);
  let extra = "";
  for (const { name, ns, value } of attributes) {
    const prefix = name.slice(0, Math.max(name.indexOf(":"), 0));
    if (prefix !== "" && !declared.has(prefix)) extra += ` xmlns:${toWire(prefix)}='${escapeAttribute(ns)}'`;
    declared.add(prefix);
    extra += ` ${toWire(name)}='${escapeAttribute(unescape(value))}'`;
  }
  return extra as Wire;
}

function addressOf(attribute: Attribute | undefined): JID | undefined {
  if (attribute === undefined) return undefined;
  const address = JID.parseWire(attribute.value);
  if (address === undefined) throw new StanzaError("jid-malformed");
  return address;
}

function checkIq(found: Found, type: StanzaType | undefined, fragment: Fragment): void {
  if (found.id === undefined || found.id === "") throw new StanzaError("bad-request", "modify", "an iq needs an id");
  const isRequest = type === "get" || type === "set";
  if (isRequest && fragment.children.length !== 1)
    throw new StanzaError("bad-request", "modify", "a request needs exactly one child");
}
