// The tree of text that the scanner has verified. No recursion: however deep, it costs heap and never the stack.
import type { Context } from "./context.js";
import { Element } from "./element.js";
import { normalizeLines, unescape, unescapeText } from "./escape.js";
import type { Fragment } from "./fragment.js";
import { fromWire, type Wire } from "./wire.js";

const NAME = /[^ \t\r\n/>]+/y;
const ATTRIBUTE = /[ \t\r\n]*([^ \t\r\n=/>]+)[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')/y;
const CDATA_START = "<![CDATA[".length;
const CDATA_END = "]]>";
const EXCLAMATION = 0x21;
const SLASH = 0x2f;

/** The tree of a fragment, made at each call; it declares every namespace it uses. */
export function elementOf({ text, context }: Pick<Fragment, "text" | "context">): Element {
  return treeOf(text, context);
}

/** The element that `text` is, known to be well-formed; what it inherits from `around` it declares itself. */
export function treeOf(text: Wire, around: Context): Element {
  return new TreeReader(text, around).read();
}

/** ltx takes `xmlns=""` for no declaration at all and looks names up by recursion; here both are as the standard has them. */
class ScannedElement extends Element {
  override findNS(prefix?: string): string | undefined {
    const declaration = prefix === undefined || prefix === "" ? "xmlns" : `xmlns:${prefix}`;
    return declared(this, declaration);
  }
}

function declared(from: Element, declaration: string): string | undefined {
  for (let element: Element | null = from; element !== null; element = element.parent)
    if (Object.hasOwn(element.attrs, declaration)) return String(element.attrs[declaration]);
  return undefined;
}

class TreeReader {
  readonly #text: Wire;
  readonly #around: Context;
  #position = 0;
  #open: Element | null = null;
  #characters = "";

  constructor(text: Wire, around: Context) {
    this.#text = text;
    this.#around = around;
  }

  read(): Element {
    const root = this.#startTag();
    if (root.attrs["xmlns"] === undefined && this.#around.defaultNs !== "")
      root.attrs["xmlns"] = this.#around.defaultNs;
    while (this.#open !== null) this.#next();
    return root;
  }

  #next(): void {
    const less = this.#text.indexOf("<", this.#position);
    if (less > this.#position) this.#characters += unescapeText(this.#slice(this.#position, less));
    this.#position = less;
    const following = this.#text.charCodeAt(less + 1);
    if (following === SLASH) this.#endTag();
    else if (following === EXCLAMATION) this.#cdata();
    else this.#startTag();
  }

  #slice(start: number, end: number): Wire {
    return this.#text.slice(start, end) as Wire;
  }

  #cdata(): void {
    const start = this.#position + CDATA_START;
    const end = this.#text.indexOf(CDATA_END, start);
    this.#characters += fromWire(normalizeLines(this.#slice(start, end)));
    this.#position = end + CDATA_END.length;
  }

  #startTag(): Element {
    this.#flush();
    const element = new ScannedElement(this.#match(NAME, this.#position + 1)[0]);
    if (this.#open !== null) this.#open.cnode(element);
    this.#attributes(element);
    this.#declareOuter(element);
    const close = this.#text.indexOf(">", this.#position);
    if (this.#text.charCodeAt(close - 1) !== SLASH) this.#open = element;
    this.#position = close + 1;
    return element;
  }

  #endTag(): void {
    this.#flush();
    this.#position = this.#text.indexOf(">", this.#position) + 1;
    this.#open = this.#open?.parent ?? null;
  }

  #flush(): void {
    if (this.#characters !== "") this.#open?.t(this.#characters);
    this.#characters = "";
  }

  #match(pattern: RegExp, position: number): RegExpExecArray {
    pattern.lastIndex = position;
    const match = pattern.exec(this.#text);
    if (match === null) throw new RangeError("text that was not verified");
    this.#position = pattern.lastIndex;
    return match;
  }

  #attributes(element: Element): void {
    element.name = fromWire(element.name as Wire);
    ATTRIBUTE.lastIndex = this.#position;
    for (let match = ATTRIBUTE.exec(this.#text); match !== null; match = ATTRIBUTE.exec(this.#text)) {
      this.#position = ATTRIBUTE.lastIndex;
      const value = unescape((match[2] ?? match[3] ?? "") as Wire);
      setAttribute(element, fromWire((match[1] ?? "") as Wire), value);
    }
  }

  /** Prefixes bound around the text are declared where they are used. */
  #declareOuter(element: Element): void {
    if (this.#around.prefixes.size === 0) return;
    for (const name of [element.name, ...Object.keys(element.attrs)]) {
      const colon = name.indexOf(":");
      if (colon < 0 || name.startsWith("xmlns:")) continue;
      const prefix = name.slice(0, colon);
      const ns = this.#around.prefixes.get(prefix);
      if (ns !== undefined && element.findNS(prefix) === undefined) element.attrs[`xmlns:${prefix}`] = ns;
    }
  }
}

/** `__proto__` is a name like any other. */
function setAttribute(element: Element, name: string, value: string): void {
  if (name !== "__proto__") element.attrs[name] = value;
  else Object.defineProperty(element.attrs, name, { value, enumerable: true, configurable: true, writable: true });
}
