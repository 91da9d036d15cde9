// Several readers of the same bytes, each giving the same kind of plain tree: ours, saxes, and the ltx of xmpp.js.
import { parse } from "ltx";
import { SaxesParser, type SaxesTagNS } from "saxes";
import type { Element } from "#rookery/xml/element.js";

/** An element with its namespaces resolved and its text merged: what two readers must agree on. */
export interface Plain {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly children: (Plain | string)[];
}

/** Our tree (or any built one) as a plain one. */
export function plainOf(root: Element): Plain {
  const top: Plain = { name: expanded(root), attributes: attributesOf(root), children: [] };
  const open: (readonly [Element, Plain])[] = [[root, top]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [element, plain] = next;
    for (const child of element.children as (Element | string)[]) {
      if (typeof child === "string") pushText(plain, child);
      else {
        const inner: Plain = { name: expanded(child), attributes: attributesOf(child), children: [] };
        plain.children.push(inner);
        open.push([child, inner]);
      }
    }
  }
  return top;
}

function expanded(element: Element): string {
  const colon = element.name.indexOf(":");
  const ns = namespaceOf(element, colon < 0 ? "xmlns" : `xmlns:${element.name.slice(0, colon)}`);
  return `{${ns}}${element.name.slice(colon + 1)}`;
}

/** By the declarations alone: ltx's own look-up takes `xmlns=""` for none. */
function namespaceOf(from: Element, declaration: string): string {
  if (declaration === "xmlns:xml") return "http://www.w3.org/XML/1998/namespace";
  for (let element: Element | null = from; element !== null; element = element.parent)
    if (Object.hasOwn(element.attrs, declaration)) return String(element.attrs[declaration]);
  return "";
}

function attributesOf(element: Element): string[] {
  return Object.entries(element.attrs as Record<string, string>)
    .filter(([name]) => name !== "xmlns" && !name.startsWith("xmlns:"))
    .map(([name, value]) => `${attributeName(element, name)}=${value}`)
    .sort();
}

function attributeName(element: Element, name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : `{${namespaceOf(element, `xmlns:${name.slice(0, colon)}`)}}${name.slice(colon + 1)}`;
}

function pushText(plain: Plain, text: string): void {
  const last = plain.children.at(-1);
  if (typeof last === "string") plain.children[plain.children.length - 1] = last + text;
  else if (text !== "") plain.children.push(text);
}

/** What XMPP forbids although it is XML: RFC 6120 §11.1. */
export class Restricted extends Error {}

// Namespaces in XML §4: what follows the colon must itself begin like a name. saxes takes `<p:1/>`.
const LOCAL_NAME = /^(?:$|[^-.0-9\u00b7\u0300-\u036f\u203f\u2040])/u;

/** The document as saxes reads it. Throws for what is not well-formed, Restricted for what XMPP does not allow. */
export function readWithSaxes(bytes: Buffer): Plain {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const parser = new SaxesParser({ xmlns: true });
  const open: Plain[] = [];
  let root: Plain | undefined;
  let restricted = false as boolean;
  parser.on("error", (error) => {
    throw error;
  });
  for (const event of ["comment", "processinginstruction", "doctype"] as const)
    parser.on(event, () => {
      restricted = true;
    });
  parser.on("opentag", (tag) => {
    if (![tag, ...Object.values(tag.attributes)].every(({ local }) => LOCAL_NAME.test(local)))
      throw new Error("a bad local name");
    const plain: Plain = { name: `{${tag.uri}}${tag.local}`, attributes: saxesAttributes(tag), children: [] };
    open.at(-1)?.children.push(plain);
    root ??= plain;
    open.push(plain);
  });
  parser.on("closetag", () => open.pop());
  const addText = (chunk: string) => {
    const top = open.at(-1);
    if (top !== undefined) pushText(top, chunk);
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.write(text).close();
  if (restricted || root === undefined) throw new Restricted();
  return root;
}

function saxesAttributes(tag: SaxesTagNS): string[] {
  return Object.values(tag.attributes)
    .filter(({ prefix, name }) => prefix !== "xmlns" && name !== "xmlns")
    .map(({ uri, local, value }) => `${uri === "" ? local : `{${uri}}${local}`}=${value}`)
    .sort();
}

/** The document as ltx reads it. */
export function readWithLtx(text: string): Plain {
  return plainOf(parse(text));
}
