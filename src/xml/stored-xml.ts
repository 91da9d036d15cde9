// XML that a client gave us to keep, as text in a document. It is read back through the scanner before it is sent again.
import { parseElement } from "./document.js";
import { Element } from "./element.js";
import { UNLIMITED } from "./limits.js";
import { contentToWire } from "./serialize.js";
import { fromWire, toWire } from "./wire.js";
import { elementOf } from "./tree.js";

/** The text to keep of a scanned element; it declares every namespace it uses. */
export function stored(element: Element): string {
  const around = new Element("around");
  around.children.push(element); // not append(): its own parent knows the prefixes it uses
  return fromWire(contentToWire(around, ""));
}

/** The element of a kept text. Throws XmlFault if the text is damaged. */
export function restored(text: string): Element {
  return elementOf(parseElement(toWire(text), UNLIMITED));
}

/** What a text takes on the wire. */
export function bytesIn(text: string): number {
  return Buffer.byteLength(text);
}
