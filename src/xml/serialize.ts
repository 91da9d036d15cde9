// Trees into wire text. No recursion: however deep, it costs heap and never the stack.
import type { Element } from "./element.js";
import { escapeAttribute, escapeText } from "./escape.js";
import { toWire, type Wire } from "./wire.js";

/** Default namespaces at one place: as the tree means it, and as it has been written; undefined while nothing has declared one. */
interface Scope {
  readonly meant: string | undefined;
  readonly written: string | undefined;
}

/** A start tag up to before its `>`, the name for its end tag, and what holds inside. */
interface Tag {
  readonly tag: string;
  readonly name: Wire;
  readonly inside: Scope;
}

interface Open extends Tag {
  readonly element: Element;
  next: number;
}

type Opener = (element: Element, around: Scope) => Tag;

/** An element as it is; `inherited` is the default namespace of the place it goes to, which it then does not declare again. */
export function elementToWire(element: Element, inherited?: string): Wire {
  return write(element, { meant: inherited, written: inherited }, asItIs);
}

/**
 * The content of a scanned element for a place whose default namespace is `inherited`: without prefixed elements, so that nothing
 * depends on declarations further up, and with its own namespace declared nowhere it is inherited.
 */
export function contentToWire(element: Element, inherited: string): Wire {
  const around = { meant: element.findNS() ?? "", written: inherited };
  let out = "";
  for (const child of element.children)
    out += typeof child === "string" ? escapeText(child) : write(child, around, selfContained);
  return out as Wire;
}

function write(root: Element, around: Scope, opener: Opener): Wire {
  const open: Open[] = [];
  let out = begin(root, around, opener, open);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const child = top.element.children[top.next++] as Element | string | number | boolean | null | undefined;
    if (top.next > top.element.children.length) {
      out += `</${top.name}>`;
      open.pop();
    } else if (typeof child === "object" && child !== null) out += begin(child, top.inside, opener, open);
    else if (child !== undefined && child !== null) out += escapeText(String(child));
  }
  return out as Wire;
}

function begin(element: Element, around: Scope, opener: Opener, open: Open[]): string {
  const opened = opener(element, around);
  if (element.children.length === 0) return `${opened.tag}/>`;
  open.push({ ...opened, element, next: 0 });
  return `${opened.tag}>`;
}

function asItIs(element: Element, around: Scope): Tag {
  const name = toWire(element.name);
  let tag = `<${name}`;
  let ns = around.written;
  for (const [attribute, value] of attributesOf(element)) {
    if (attribute === "xmlns") ns = value;
    if (attribute !== "xmlns" || value !== around.written) tag += ` ${toWire(attribute)}='${escapeAttribute(value)}'`;
  }
  return { tag, name, inside: { meant: ns, written: ns } };
}

function selfContained(element: Element, around: Scope): Tag {
  const name = toWire(element.getName());
  const attributes = attributesOf(element);
  const meant = attributes.find(([attribute]) => attribute === "xmlns")?.[1] ?? around.meant;
  const colon = element.name.indexOf(":");
  const ns = (colon < 0 ? meant : element.findNS(element.name.slice(0, colon))) ?? "";
  const declared = ns === around.written ? "" : ` xmlns='${escapeAttribute(ns)}'`;
  const tag = `<${name}${declared}${foreignAttributes(element, attributes)}`;
  return { tag, name, inside: { meant, written: ns } };
}

/** These attributes of an element without its own declarations, but with those that their prefixes need. */
function foreignAttributes(element: Element, attributes: readonly (readonly [string, string])[]): Wire {
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
function attributesOf(element: Element): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(element.attrs))
    if (value !== undefined && value !== null) found.push([name, String(value)]);
  return found;
}
