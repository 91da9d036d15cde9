import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseElement } from "#rookery/xml/document.js";
import { UNLIMITED } from "#rookery/xml/limits.js";
import { XmlFault } from "#rookery/xml/scanner.js";
import { elementToWire } from "#rookery/xml/serialize.js";
import { bytesOf, fromWire, toWire, wireOf } from "#rookery/xml/wire.js";
import { elementOf } from "#rookery/xml/tree.js";
import { amounts } from "./amounts.js";
import { REFUSED, STANZAS } from "./corpus.js";
import { type Plain, plainOf, readWithLtx, readWithSaxes } from "./readers.js";

const { generated, damaged, seed } = amounts(process.env);

function ours(bytes: Buffer): Plain | undefined {
  try {
    return plainOf(elementOf(parseElement(wireOf(bytes), UNLIMITED)));
  } catch (error) {
    if (error instanceof XmlFault) return undefined;
    throw error;
  }
}

function theirs(bytes: Buffer): Plain | undefined {
  if (isBeyondXmpp(bytes)) return undefined;
  try {
    return readWithSaxes(bytes);
  } catch {
    return undefined; // any error of saxes and of the UTF-8 decoder means: refused
  }
}

/** What saxes takes and XMPP, or this server, does not: other versions and encodings, endless references. */
function isBeyondXmpp(bytes: Buffer): boolean {
  const text = bytes.toString("latin1");
  if (/&#x?0{20}/.test(text)) return true;
  const declaration = /^(?:\xef\xbb\xbf)?<\?xml[^>]*>/.exec(text)?.[0] ?? "";
  return /1\.[1-9]/.test(declaration) || /encoding/.test(declaration);
}

// saxes trims namespaces as JavaScript trims strings, U+FEFF included; XML does not.
const TRIMMED = /xmlns[^=]*=\s*(?:"(?:[\s\ufeff][^"]*|[^"]*[\s\ufeff])"|'(?:[\s\ufeff][^']*|[^']*[\s\ufeff])')/;

function expectAgreement(bytes: Buffer): void {
  if (TRIMMED.test(bytes.toString())) return;
  expect({ bytes: bytes.toString("latin1"), tree: ours(bytes) }).toEqual({
    bytes: bytes.toString("latin1"),
    tree: theirs(bytes),
  });
}

/** What we write ourselves, every reader reads alike. */
function expectSameRewritten(bytes: Buffer): void {
  const tree = ours(bytes);
  if (tree === undefined) return;
  const written = elementToWire(elementOf(parseElement(wireOf(bytes), UNLIMITED)));
  expect(ours(bytesOf(written))).toEqual(tree);
  expect(readWithSaxes(bytesOf(written))).toEqual(tree);
  if (!written.includes("__proto__")) expect(readWithLtx(fromWire(written))).toEqual(tree); // ltx loses attributes of that name
}

const name = fc.constantFrom("a", "b", "message", "p:a", "p:b", "q:a", "xml:lang", "é", "_", "x-1", "__proto__");
const value = fc.constantFrom("", "1", "a b", "&lt;&amp;&#10;&#x1F426;", "é🐦", "\t\r\n", ">", "urn:p", "urn:q");
const text = fc.constantFrom("", "hello", " ", "\r\n\r", "&amp;&apos;", "🐦é", "]]", "]", ">", "<![CDATA[]]]>&<]]>");
const attribute = fc.oneof(
  fc.tuple(name, fc.constantFrom("'", '"'), value).map(([n, quote, v]) => ` ${n}=${quote}${v}${quote}`),
  fc.constantFrom(
    " xmlns='urn:d'",
    " xmlns=''",
    " xmlns:p='urn:p'",
    " xmlns:q='urn:p'",
    " xmlns:p='urn:q'",
    " xmlns:q = 'urn:q' ",
  ),
);
const element = fc.letrec<{ element: string; node: string }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, text, tie("element")),
  element: fc
    .tuple(name, fc.array(attribute, { maxLength: 4 }), fc.array(tie("node"), { maxLength: 4 }), fc.boolean())
    .map(([n, attributes, nodes, empty]) =>
      empty ? `<${n}${attributes.join("")}/>` : `<${n}${attributes.join("")}>${nodes.join("")}</${n} >`,
    ),
})).element;
const bound = element.map((inner) => `<r xmlns:p='urn:p' xmlns:q='urn:q'>${inner}</r>`);

const SCRAPS = [
  "<",
  ">",
  "/",
  "&",
  ";",
  "'",
  '"',
  "=",
  " ",
  ":",
  "]]>",
  "<!--",
  "-->",
  "<?a?>",
  "<![CDATA[",
  "xmlns",
  "xmlns:p=''",
  "&#0;",
  "&#65;",
  "&x;",
  "\0",
  "\x01",
  "\t",
  "é",
  "\uFFFF",
  "\uFEFF",
  "a",
  "1",
  "</a>",
  "<a>",
  "<?xml version='1.0'?>",
  "<!DOCTYPE a>",
];
const scrap = fc.oneof(
  fc.constantFrom(...SCRAPS).map((s) => Buffer.from(s)),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((b) => Buffer.from(b)),
);
const edit = fc.tuple(fc.nat(), fc.nat({ max: 3 }), scrap);

function edited(bytes: Buffer, edits: readonly (readonly [number, number, Buffer])[]): Buffer {
  return edits.reduce((before, [place, removed, added]) => {
    const at = place % (before.length + 1);
    return Buffer.concat([before.subarray(0, at), added, before.subarray(at + removed)]);
  }, bytes);
}

describe("beside saxes", () => {
  it.each([...STANZAS, ...REFUSED.map(([stanza]) => stanza)])("the corpus reads alike: %j @1.2 @X7", (stanza) => {
    expectAgreement(bytesOf(toWire(stanza)));
    const around = bytesOf(toWire(`<s xmlns='jabber:client' xmlns:p='urn:p'>${stanza}</s>`));
    if (!stanza.includes("<?xml")) expectAgreement(around);
    expectSameRewritten(around);
  });

  it("generated documents are taken or refused alike, with the same tree @1.2 @X7 @X8", () => {
    fc.assert(
      fc.property(fc.oneof(bound, element), (document) => {
        expectAgreement(Buffer.from(document));
        expectSameRewritten(Buffer.from(document));
      }),
      { seed, numRuns: generated },
    );
  });

  it("damaged documents are taken or refused alike, with the same tree @1.2 @X2 @X7", () => {
    fc.assert(
      fc.property(
        fc.oneof(bound, fc.constantFrom(...STANZAS)),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        (document, edits) => {
          expectAgreement(edited(Buffer.from(document), edits));
        },
      ),
      { seed, numRuns: damaged },
    );
  });
});
