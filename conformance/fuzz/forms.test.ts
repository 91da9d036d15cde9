import { describe, expect, it } from "@jest/globals";
import { Stanza } from "#rookery/stanza/stanza.js";
import { parseElement } from "#rookery/xml/document.js";
import { UNLIMITED } from "#rookery/xml/limits.js";
import { NS } from "#rookery/xml/namespaces.js";
import { bytesOf, toWire, type Wire } from "#rookery/xml/wire.js";
import { elementOf } from "#rookery/xml/tree.js";
import { STANZAS, STREAM_HEAD } from "./corpus.js";
import { type Plain, plainOf } from "./readers.js";
import { record } from "./record.js";

const SENT_LANG = "de";
const LANG = `{${NS.xml}}lang`;
const READABLE = STANZAS.filter((stanza) => !stanza.startsWith("<p:foreign"));

/** What a stanza means: its tree, and the sender's language where it has none. */
function meaningOf(stanza: string): Plain {
  const [fragment] = record(bytesOf(toWire(STREAM_HEAD + stanza)), []).fragments;
  if (fragment === undefined) throw new Error("no stanza");
  const tree = plainOf(elementOf(fragment));
  const hasLang = tree.attributes.some((attribute) => attribute.startsWith(`${LANG}=`));
  return { ...tree, attributes: [...tree.attributes, ...(hasLang ? [] : [`${LANG}=${SENT_LANG}`])].sort() };
}

function stanzaOf(stanza: string): Stanza {
  const [fragment] = record(bytesOf(toWire(STREAM_HEAD + stanza)), []).fragments;
  if (fragment === undefined) throw new Error("no stanza");
  return Stanza.of(fragment, { lang: SENT_LANG });
}

/** As a recipient on a stream of its own reads it, whose language is en and whose head binds other prefixes. */
function onStream(wire: string, ns: string): Plain {
  const head = `<s:stream xmlns='${ns}' xmlns:s='${NS.streams}' xmlns:p='urn:other' xml:lang='en'>`;
  const { fragments, condition } = record(Buffer.concat([Buffer.from(head), bytesOf(wire as Wire)]), []);
  expect(condition).toBeUndefined();
  const [fragment] = fragments;
  if (fragment === undefined) throw new Error("no stanza");
  return plainOf(elementOf(fragment));
}

/** With the content namespace called otherwise: wherever it is inherited, and in canonical text it is never written out below the head. */
function inNamespace(stanza: string, ns: string): Plain {
  const canonical = record(bytesOf(toWire(STREAM_HEAD + stanza)), []).fragments[0]?.canonical === true;
  const renamed = (plain: Plain, inherits: boolean): Plain => {
    const isContent = inherits && plain.name.startsWith(`{${NS.client}}`);
    const children = plain.children.map((child) =>
      typeof child === "string" ? child : renamed(child, canonical || isContent),
    );
    return { ...plain, name: isContent ? plain.name.replace(NS.client, ns) : plain.name, children };
  };
  return renamed(meaningOf(stanza), true);
}

describe("a stanza means the same", () => {
  it.each(READABLE)("on another client's TCP stream: %j @1.2 @X7 @X8", (stanza) => {
    expect(onStream(stanzaOf(stanza).toWire(), NS.client)).toEqual(meaningOf(stanza));
  });

  it.each(READABLE)("in a frame of its own, or inside <forwarded/>: %j @1.2 @X8", (stanza) => {
    const wire = stanzaOf(stanza).toWire(NS.client);
    expect(plainOf(elementOf(parseElement(wire, UNLIMITED)))).toEqual(meaningOf(stanza));
    const inner = onStream(`<message><forwarded xmlns='urn:xmpp:forward:0'>${wire}</forwarded></message>`, NS.client)
      .children[0];
    expect(inner).toEqual({ name: "{urn:xmpp:forward:0}forwarded", attributes: [], children: [meaningOf(stanza)] });
  });

  it.each(READABLE)("as a child of BOSH's <body/>: %j @1.2 @X8", (stanza) => {
    const body = `<body xmlns='http://jabber.org/protocol/httpbind'>${stanzaOf(stanza).toWire(NS.client)}</body>`;
    expect(plainOf(elementOf(parseElement(body as Wire, UNLIMITED))).children).toEqual([meaningOf(stanza)]);
  });

  it.each([NS.server, NS.component])("on a stream of %s, whose namespace it takes on @1.2 @X8", (ns) => {
    for (const stanza of READABLE) expect(onStream(stanzaOf(stanza).toWire(), ns)).toEqual(inNamespace(stanza, ns));
  });

  it.each(READABLE)("when read again from what is stored: %j @1.2", (stanza) => {
    const stored = stanzaOf(stanza).toWire(NS.client);
    const again = Stanza.of(parseElement(stored, UNLIMITED), { lang: "fr" });
    expect(again.toWire(NS.client)).toBe(stored);
  });

  it.each(READABLE)("as its own tree, whose spans name the children: %j @1.2", (stanza) => {
    const read = stanzaOf(stanza);
    expect(plainOf(read.element)).toEqual(meaningOf(stanza));
    const children = meaningOf(stanza).children.filter((child) => typeof child !== "string");
    expect(read.children.map(({ name, ns }) => `{${ns}}${name}`)).toEqual(children.map(({ name }) => name));
    expect(read.children.map((span) => plainOf(read.elementOf(span)))).toEqual(children);
  });
});
