// Trees into wire text. No recursion: however deep, it costs heap and never the stack.
import type { Element } from "./element.js";
import { escapeAttribute, escapeText } from "./escape.js";
import { toWire, type Wire } from "./wire.js";

interface Open {
  readonly element: Element;
  readonly name: Wire;
  /** The default namespace inside it; undefined while nothing has declared one. */
  readonly ns: string | undefined;
  next: number;
}

/** The start tag of an element up to before its `>`, with the name its end tag needs and the default namespace inside. */
type Opener = (element: Element, around: string | undefined) => { tag: Wire; name: Wire; ns: string | undefined };

/** An element as it is; `inherited` is the default namespace of the place it goes to, which it then does not declare again. */
export function elementToWire(element: Element, inherited?: string): Wire {
  return write(element, inherited, asItIs);
}

/**
 * The content of a scanned element for a place whose default namespace is `inherited`: without prefixed elements, so that nothing
 * depends on declarations further up, and with its own namespace declared nowhere it is inherited.
 */
export function contentToWire(element: Element, inherited: string): Wire {
  let out = "";
  for (const child of element.children)
    out += typeof child === "string" ? escapeText(child) : write(child, inherited, selfContained);
  return out as Wire;
}

function write(root: Element, inherited: string | undefined, opener: Opener): Wire {
  const open: Open[] = [];
  let out = begin(root, inherited, opener, open);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const child = top.element.children[top.next++] as Element | string | number | boolean | null | undefined;
    if (top.next > top.element.children.length) {
      out += `</${top.name}>`;
      open.pop();
    } else if (typeof child === "object" && child !== null) out += begin(child, top.ns, opener, open);
    else if (child !== undefined && child !== null) out += escapeText(String(child));
  }
  return out as Wire;
}

function begin(element: Element, around: string | undefined, opener: Opener, open: Open[]): string {
  const { tag, name, ns } = opener(element, around);
  if (element.children.length === 0) return `${tag}/>`;
  open.push({ element, name, ns, next: 0 });
  return `${tag}>`;
}

function asItIs(element: Element, around: string | undefined): ReturnType<Opener> {
  const name = toWire(element.name);
  let tag = `<${name}`;
  let ns = around;
  for (const [attribute, value] of attributesOf(element)) {
    if (attribute === "xmlns") ns = value;
    if (attribute !== "xmlns" || value !== around) tag += ` ${toWire(attribute)}='${escapeAttribute(value)}'`;
  }
  return { tag: tag as Wire, name, ns };
}

function selfContained(element: Element, around: string | undefined): ReturnType<Opener> {
  const name = toWire(element.getName());
  const ns = element.getNS() ?? "";
  let tag = `<${name}`;
  if (ns !== around) tag += ` xmlns='${escapeAttribute(ns)}'`;
  tag += foreignAttributes(element, attributesOf(element));
  return { tag: tag as Wire, name, ns };
}

/** These attributes of an element without its own declarations, but with those that their prefixes need. */
export function foreignAttributes(element: Element, attributes: readonly (readonly [string, string])[]): Wire {
  let out = "";
  const declared = new Set(["xml"]);
  for (const [name, value] of attributes) {
    if (name === "xmlns" || name.startsWith("xmlns:")) continue;
    const colon = name.indexOf(":");
    const prefix = name.slice(0, Math.max(colon, 0));
    if (colon > 0 && !declared.has(prefix)) {
      out += ` xmlns:${toWire(prefix)}='${escapeAttribute(element.findNS(prefix) ?? "")}'`;
      declared.add(prefix);
    }
    out += ` ${toWire(name)}='${escapeAttribute(value)}'`;
  }
  return out as Wire;
}

/** The attributes that have a value, as text. */
export function attributesOf(element: Element): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(element.attrs))
    if (value !== undefined && value !== null) found.push([name, String(value)]);
  return found;
}
