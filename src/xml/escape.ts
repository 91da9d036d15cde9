// Escaping text into wire form and back. What comes out is always well-formed: characters that XML forbids become U+FFFD.
import { ENTITIES } from "./references.js";
import { fromWire, toWire, type Wire } from "./wire.js";

// The first test answers nearly always "nothing to do".

const UNSAFE = /[&<>"'\x00-\x1f\ud800-\udfff\ufffe\uffff]/;

const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Text as the value of an attribute, for either kind of quotes. Tabs and line ends survive as references. */
export function escapeAttribute(text: string): Wire {
  if (!UNSAFE.test(text)) return toWire(text);
  return toWire(text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"'\t\n\r]/g, escapeOf));
}

/** Text as the content of an element. */
export function escapeText(text: string): Wire {
  if (!UNSAFE.test(text)) return toWire(text);
  return toWire(text.replace(FORBIDDEN, "\ufffd").replace(/[&<>\r]/g, escapeOf));
}

function escapeOf(char: string): string {
  return ESCAPES[char] ?? char;
}

/** The meaning of an attribute's raw value, known to be well-formed (XML 1.0 §3.3.3: literal white space is a space). */
export function unescape(raw: Wire): string {
  if (!/[&\t\n\r]/.test(raw)) return fromWire(raw);
  return resolve(fromWire(raw.replace(/\r\n|[\t\n\r]/g, " ") as Wire));
}

/** The meaning of raw text between tags, known to be well-formed (XML 1.0 §2.11: every line end is a line feed). */
export function unescapeText(raw: Wire): string {
  if (!/[&\r]/.test(raw)) return fromWire(raw);
  return resolve(fromWire(normalizeLines(raw)));
}

/** XML 1.0 §2.11, for text that has no references (CDATA). */
export function normalizeLines(raw: Wire): Wire {
  return raw.replace(/\r\n?/g, "\n") as Wire;
}

function resolve(text: string): string {
  return text.replace(/&([^;]*);/g, (reference, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(parseInt(name.slice(1), 10));
    return ENTITIES.get(name) ?? reference;
  });
}
