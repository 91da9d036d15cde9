// What the runner reads of XML: a plain tree and an incremental reader of streams, both by saxes, so that nothing of the
// server under test judges its own output.
import { SaxesParser, type SaxesTagNS } from "saxes";

/** An element: `ns` is resolved, attributes are keyed as written (`xml:lang`), namespace declarations left out. */
export interface Tree {
  readonly name: string;
  readonly ns: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (Tree | string)[];
}

/** What a stream can bring: its header, a whole element at depth one, its end tag, or something that is not XML. */
export type StreamEvent =
  | { readonly kind: "head"; readonly tree: Tree }
  | { readonly kind: "element"; readonly tree: Tree }
  | { readonly kind: "end" }
  | { readonly kind: "fault"; readonly message: string };

interface Growing extends Tree {
  readonly children: (Tree | string)[];
}

/** Prefixes that scenes and fragments may use without declaring them, as if inside a client stream. */
const FRAGMENT_HEAD = "<s xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/** Reads one XML document as a stream of top-level elements. A new document (stream restart) needs a new reader. */
export class StreamReader {
  readonly #open: Growing[] = [];
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #emit: (event: StreamEvent) => void;
  #broken = false;

  constructor(emit: (event: StreamEvent) => void) {
    this.#emit = emit;
    this.#parser.on("opentag", (tag) => this.#opened(tag));
    this.#parser.on("closetag", () => this.#closed());
    this.#parser.on("text", (text) => this.#text(text));
    this.#parser.on("cdata", (text) => this.#text(text));
    this.#parser.on("error", (error) => this.#fault(error.message));
    this.#parser.on("doctype", () => this.#fault("a DOCTYPE"));
    this.#parser.on("comment", () => this.#fault("a comment"));
    this.#parser.on("processinginstruction", () => this.#fault("a processing instruction"));
  }

  write(text: string): void {
    if (!this.#broken) this.#parser.write(text);
  }

  #opened(tag: SaxesTagNS): void {
    const tree = treeOf(tag);
    if (this.#open.length === 0) this.#emit({ kind: "head", tree });
    else this.#open.at(-1)?.children.push(tree);
    this.#open.push(tree);
  }

  #closed(): void {
    const tree = this.#open.pop();
    if (this.#open.length === 0) this.#emit({ kind: "end" });
    else if (this.#open.length === 1 && tree) this.#emit({ kind: "element", tree });
  }

  #text(text: string): void {
    if (this.#open.length > 1) this.#open.at(-1)?.children.push(text);
    else if (text.trim() !== "") this.#fault(`text between elements: ${text.trim()}`);
  }

  #fault(message: string): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#emit({ kind: "fault", message });
  }
}

/** Parses zero or more elements as children of a client stream. Throws an Error that says what is wrong. */
export function parseFragments(text: string): Tree[] {
  const trees: Tree[] = [];
  let fault: string | undefined;
  let ended = 0;
  const reader = new StreamReader((event) => {
    if (event.kind === "element") trees.push(event.tree);
    if (event.kind === "end") ended++;
    if (event.kind === "fault") fault ??= event.message;
  });
  reader.write(FRAGMENT_HEAD);
  reader.write(text);
  if (fault === undefined && ended > 0) fault = "an end tag without its start tag";
  reader.write("</s>");
  if (fault === undefined && ended === 0) fault = "an element is not closed";
  if (fault !== undefined) throw new Error(fault.replace(/^\d+:\d+: /, ""));
  return trees;
}

/** Parses a start tag alone, as a stream header is. */
export function parseHead(text: string): Tree {
  const [head] = parseFragments(text.replace(/>$/, "/>"));
  if (!head) throw new Error("not a start tag");
  return head;
}

/** The tree as text for people: namespaces are shown where they change. */
export function show(tree: Tree, around = "jabber:client"): string {
  const ns = tree.ns === around ? "" : ` xmlns='${tree.ns}'`;
  const attributes = [...tree.attributes].map(([name, value]) => ` ${name}='${escapeXml(value)}'`).join("");
  const inner = tree.children.map((child) => (typeof child === "string" ? escapeXml(child) : show(child, tree.ns)));
  const head = `<${tree.name}${ns}${attributes}`;
  return inner.length === 0 ? `${head}/>` : `${head}>${inner.join("")}</${tree.name}>`;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The element children. */
export function elements(tree: Tree): Tree[] {
  return tree.children.filter((child) => typeof child !== "string");
}

/** The first child element of that name, in that namespace if one is given. */
export function child(tree: Tree, name: string, ns?: string): Tree | undefined {
  return elements(tree).find((each) => each.name === name && (ns === undefined || each.ns === ns));
}

/** The text directly inside an element. */
export function textOf(tree: Tree): string {
  return tree.children.filter((each) => typeof each === "string").join("");
}

function treeOf(tag: SaxesTagNS): Growing {
  const attributes = new Map<string, string>();
  for (const attribute of Object.values(tag.attributes))
    if (attribute.name !== "xmlns" && attribute.prefix !== "xmlns") attributes.set(attribute.name, attribute.value);
  return { name: tag.local, ns: tag.uri, attributes, children: [] };
}
