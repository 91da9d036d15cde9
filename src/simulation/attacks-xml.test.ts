// The rows X2–X4 and X8–X11 of the attack list against a whole server on its stream. X7 lies in conformance/attacks, with other readers.
import { describe, expect, it } from "@jest/globals";
import { parseElement } from "../xml/document.js";
import { AFTER_LOGIN } from "../xml/limits.js";
import { toWire } from "../xml/wire.js";
import { auth, bind, clientAt, expectEnd, SASL, STAGES, withPeople } from "./attack.test.kit.js";
import { header, simulate, type Simulation, until } from "./simulation.js";
import { WireClient } from "./wire-client.js";

const LAUGHS =
  "<!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><message><body>&c;</body></message>";

const RESTRICTED: readonly (readonly [string, string])[] = [
  ["a billion laughs", LAUGHS],
  ["an external DTD", "<!DOCTYPE message SYSTEM 'http://127.0.0.1/x.dtd'>"],
  ["an entity declaration alone", "<!ENTITY a SYSTEM 'file:///etc/passwd'>"],
  ["a processing instruction", "<?php phpinfo() ?>"],
  ["a style sheet", "<?xml-stylesheet href='x'?>"],
  ["a comment", "<!-- hello -->"],
  ["an empty comment", "<!---->"],
];
const ENTITIES = ["&lol;", "&nbsp;", "&Amp;", "&%x;"];

describe("what XMPP does not have of XML (RFC 6120 §11.1)", () => {
  const everywhere = STAGES.flatMap((stage) => RESTRICTED.map(([what, xml]) => ({ stage, what, xml })));

  it.each(everywhere)("ends the stream unread: $what $stage @X2", async ({ stage, xml }) => {
    const simulation = await simulate();
    const client = await clientAt(stage, simulation);
    client.send(xml);
    await simulation.settle();
    expectEnd(client, "restricted-xml");
  });

  it.each(ENTITIES)("has five entities; %s is none, in a text and in an attribute @X2", async (entity) => {
    for (const xml of [`<message><body>${entity}</body></message>`, `<message id='${entity}'/>`]) {
      const simulation = await simulate();
      const client = await clientAt("in a session", simulation);
      client.send(xml);
      await simulation.settle();
      expectEnd(client, "restricted-xml", "not-well-formed");
    }
  });

  it.each(RESTRICTED)("is refused in whole documents, too: %s @X2", (_, xml) => {
    const inside = `<message>${xml}</message>`;
    for (const text of [xml, `${xml}<message/>`, inside])
      expect(() => parseElement(toWire(text), AFTER_LOGIN)).toThrow(
        expect.objectContaining({ condition: "restricted-xml" }),
      );
  });

  it("leaves the predefined entities and character references, which arrive as what they mean @X2", async () => {
    const { people, settle } = await withPeople("", "romeo", "juliet");
    people.romeo.send(
      "<message to='juliet@localhost/phone'><body>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F426;</body></message>",
    );
    await settle();
    expect(people.juliet.take()[0]?.getChildText("body")).toBe("<>&'\"A\u{1F426}");
  });
});

describe("a stanza made of very many small things", () => {
  const many = (count: number, of: (index: number) => string): string =>
    Array.from({ length: count }, (_, i) => of(i)).join("");
  const bombs: readonly (readonly [string, string])[] = [
    ["elements in one stanza", `<message><x xmlns='urn:x'>${"<a/>".repeat(40_000)}</x></message>`],
    ["children of a stanza", `<message>${"<a/>".repeat(40_000)}</message>`],
    ["attributes of one element", `<message><a ${many(20_000, (i) => `a${i}='' `)}/></message>`],
    ["attributes of the stanza", `<message ${many(20_000, (i) => `a${i}='' `)}/>`],
    ["attributes of many elements", `<message>${`<a ${many(40, (i) => `a${i}='' `)}/>`.repeat(700)}</message>`],
    ["namespaces", `<message><a ${many(5000, (i) => `xmlns:a${i}='u' `)}/></message>`],
    ["namespaces of many elements", `<message>${"<a xmlns:p='u'/>".repeat(12_000)}</message>`],
    ["letters of a name", `<message><${"a".repeat(50_000)}/></message>`],
    ["letters of an attribute's name", `<message ${"a".repeat(50_000)}=''/>`],
    ["letters of a namespace", `<message><a xmlns='${"u".repeat(50_000)}'/></message>`],
    ["bytes", `<message><body>${"x".repeat(300_000)}</body></message>`],
  ];

  it.each(bombs)("is refused before it is built: %s @X3", async (_, xml) => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    romeo.send(xml.replace("<message", "<message to='juliet@localhost/phone'"));
    await simulation.settle();
    expectEnd(romeo, "policy-violation");
    expect(juliet.take()).toEqual([]);
    expect(juliet.isEnded).toBe(false);
  });

  it("is refused while it comes, at the first byte too many, and nothing of it is kept @X3 @X5 @limit.preauth_bytes", async () => {
    const simulation = await simulate();
    const client = await clientAt("before login", simulation);
    client.send("<iq type='get' id='");
    let sent = 0;
    for (; !client.isEnded && sent < 100_000; sent += 100) client.send("x".repeat(100));
    await simulation.settle();
    expectEnd(client, "policy-violation");
    expect(sent).toBeLessThanOrEqual(simulation.server.c2s.config.limits.preauth_bytes + 100);
  });

  /** Everything a server would write again for each small stanza if it let clients declare it once. */
  const declared: readonly (readonly [string, string, string])[] = [
    [
      "namespaces of children",
      many(60, (i) => ` xmlns:n${i}='urn:${"u".repeat(900)}${i}'`),
      many(60, (i) => `<n${i}:a/>`),
    ],
    ["a language", ` xml:lang='${"x".repeat(8000)}'`, ""],
  ];

  it.each(declared)(
    "makes nothing large at its recipient out of what the stream header declares: %s @X3",
    async (_, head, body) => {
      const simulation = await withPeople("", "juliet");
      const { juliet } = simulation.people;
      const mallory = await clientAt("instead of the header after login", simulation);
      mallory.send(header("localhost").replace(" xml:lang='en'", "").replace(/>$/, `${head}>`));
      mallory.send(bind("spy"));
      await until(simulation, mallory, "iq");
      const before = juliet.heard.length;
      const stanza = `<message to='juliet@localhost/phone'>${body}</message>`;
      for (let n = 0; n < 10; n++) mallory.send(stanza);
      await simulation.settle();
      expect(juliet.heard.length - before).toBeLessThan(10 * (4 * stanza.length + 4200));
    },
  );

  it("makes nothing large out of prefixes on the stanza itself @X3", async () => {
    const simulation = await withPeople("", "juliet");
    const { juliet } = simulation.people;
    const mallory = await clientAt("instead of the header after login", simulation);
    const names = Array.from({ length: 50 }, (_, i) => `n${i}`);
    const declarations = names.map((name) => ` xmlns:${name}='urn:${"u".repeat(900)}${name}'`).join("");
    mallory.send(header("localhost").replace(/>$/, `${declarations}>`) + bind("spy"));
    await until(simulation, mallory, "iq");
    const before = juliet.heard.length;
    const stanza = `<message to='juliet@localhost/phone'${names.map((name) => ` ${name}:a='' `).join("")}/>`;
    for (let n = 0; n < 10; n++) mallory.send(stanza);
    await simulation.settle();
    expect(juliet.heard.length - before).toBeLessThan(10 * (4 * stanza.length + 4200));
  });
});

describe("a very deep stanza", () => {
  it.each(STAGES.filter((stage) => stage !== "inside a stanza"))("ends the stream %s @X4", async (stage) => {
    const simulation = await simulate("[limits]\nstanza_bytes = '4MiB'");
    const client = await clientAt(stage, simulation);
    const limit = stage === "instead of the stream header" || stage === "before login" ? 3000 : 100_000;
    client.send(stage.startsWith("instead") ? header("localhost") : "");
    client.send("<iq type='set' id='1'>" + "<a>".repeat(limit));
    await simulation.settle();
    expectEnd(client, "policy-violation");
  });

  const deep = (depth: number, xmlns = ""): string => `<a${xmlns}>`.repeat(depth) + "</a>".repeat(depth);

  it("overflows no stack where an operator has switched the limits off: forwarded, stored, kept and read back @X4", async () => {
    const limits =
      "[limits]\ndepth = 0\nelements = 0\nnamespaces = 0\nstanza_bytes = '4MiB'\nprivate_bytes = 0\nvcard_bytes = 0";
    const simulation = await withPeople(limits, "romeo");
    const { romeo } = simulation.people;
    const DEPTH = 20_000;
    // A prefix makes the stanza one that has to be written from its tree.
    const message = `<message to='romeo@localhost/phone' xmlns:p='urn:p'><p:x>${deep(DEPTH)}</p:x></message>`;
    romeo.send(message);
    romeo.send(
      `<iq type='set' id='1'><query xmlns='jabber:iq:private'><x xmlns='urn:x'>${deep(DEPTH)}</x></query></iq>`,
    );
    romeo.send(`<iq type='set' id='2'><vCard xmlns='vcard-temp'><NOTE>${deep(DEPTH)}</NOTE></vCard></iq>`);
    romeo.send("<iq type='get' id='3'><query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query></iq>");
    romeo.send("<iq type='get' id='4'><vCard xmlns='vcard-temp'/></iq>");
    romeo.send(`<iq type='get' id='5' to='nobody@localhost'>${deep(DEPTH)}</iq>`);
    romeo.send(`<presence>${deep(DEPTH)}</presence>`);
    await simulation.settle();
    await simulation.settle();
    const heard = romeo.take();
    expect(heard.find(({ name }) => name === "message")).toBeDefined();
    expect(heard.filter(({ name }) => name === "iq").map(({ attrs }) => String(attrs["id"]))).toEqual(
      expect.arrayContaining(["1", "2", "3", "4", "5"]),
    );
    expect(romeo.isEnded).toBe(false);
    expect(simulation.events.filter(({ ev }) => /failed/.test(ev))).toEqual([]);
  });
});

describe("namespace tricks", () => {
  it.each([
    ["an unbound prefix", "<message><p:x/></message>"],
    ["an unbound prefix of an attribute", "<message p:x=''/>"],
    ["a prefix that ended with its element", "<message><a xmlns:p='urn:p'/><p:x/></message>"],
    ["a prefix bound to nothing", "<message xmlns:p=''/>"],
    ["xml bound to something else", "<message xmlns:xml='urn:x'/>"],
    ["xmlns bound", "<message xmlns:xmlns='urn:x'/>"],
    ["another prefix for xml", "<message xmlns:p='http://www.w3.org/XML/1998/namespace'/>"],
    ["two attributes of one name by two prefixes", "<message xmlns:p='u' xmlns:q='u' p:a='' q:a=''/>"],
  ])("are refused: %s @X8", async (_, xml) => {
    const simulation = await withPeople("", "romeo");
    const { romeo } = simulation.people;
    romeo.send(xml);
    await simulation.settle();
    expectEnd(romeo, "not-well-formed");
  });

  it.each([
    ["no namespace", "<message xmlns='' to='juliet@localhost/phone'/>"],
    ["another one", "<message xmlns='urn:other' to='juliet@localhost/phone'/>"],
    ["one with a line break in it", "<message xmlns='jabber:client&#10;' to='juliet@localhost/phone'/>"],
    ["one with a separator in it", "<message xmlns='jabber:client|message' to='juliet@localhost/phone'/>"],
    ["that of servers", "<message xmlns='jabber:server' to='juliet@localhost/phone'/>"],
    ["that of components", "<message xmlns='jabber:component:accept' to='juliet@localhost/phone'/>"],
    ["a prefixed one of servers", "<s:message xmlns:s='jabber:server' to='juliet@localhost/phone'/>"],
  ])("make no stanza of an element in %s @X8 @X9", async (_, xml) => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    romeo.send(xml);
    await simulation.settle();
    expectEnd(romeo, "unsupported-stanza-type", "invalid-namespace");
    expect(juliet.take()).toEqual([]);
  });

  it("inject no attribute or element through quotes in addresses, ids and languages @X8", async () => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    const evil = `'"&gt;&lt;/message&gt;&lt;message from=&apos;x&apos;/&gt;`.replace("'", "&apos;");
    romeo.send(
      `<message to='juliet@localhost/phone' id='${evil}' xml:lang='${evil}' a='${evil}'><b c="'${evil.replace('"', "&quot;")}"/></message>`,
    );
    romeo.send(`<presence to='juliet@localhost/phone'><status xmlns=''>'"]]&gt;</status></presence>`);
    await simulation.settle();
    const [message, presence, ...more] = juliet.take();
    const text = `'"></message><message from='x'/>`;
    expect(more).toEqual([]);
    expect(message?.attrs).toMatchObject({ from: "romeo@localhost/phone", id: text, "xml:lang": text, a: text });
    expect(presence?.getChild("status")?.getText()).toBe(`'"]]>`);
  });

  it("bind a resource full of quotes, whose address survives every quoting @X8 @R8", async () => {
    const simulation = await withPeople("", "juliet");
    const { juliet } = simulation.people;
    const romeo = await simulation.login("romeo", "&apos;&quot;&lt;&gt;&amp;/@");
    romeo.send("<message to='juliet@localhost/phone' id='1'/>");
    await simulation.settle();
    const from = String(juliet.take()[0]?.attrs["from"]);
    expect(from).toBe(`romeo@localhost/'"<>&/@`);
    juliet.send(
      `<message to='${from.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;")}' id='2'/>`,
    );
    await simulation.settle();
    expect(romeo.take()[0]?.attrs["id"]).toBe("2");
  });
});

describe("parts of a stream where they do not belong", () => {
  const STREAM = "xmlns:stream='http://etherx.jabber.org/streams'";
  it.each([
    ["a stream header", "<stream:stream to='localhost' version='1.0'><presence/></stream:stream>"],
    ["a stream error", "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
    ["features", "<stream:features/>"],
    ["a login", auth("PLAIN", "\0juliet\0secret")],
    ["a success", `<success xmlns='${SASL}'/>`],
    ["STARTTLS", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
    [
      "another stanza",
      "<message xmlns='jabber:client' from='juliet@localhost' to='romeo@localhost/phone'><body>x</body></message>",
    ],
    ["a stanza of servers", "<message xmlns='jabber:server' from='a' to='b'/>"],
  ])("are mere content inside a stanza: %s @X9", async (_, xml) => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    const message = `<message to='juliet@localhost/phone' ${STREAM}><x xmlns='urn:x'>${xml}</x></message>`;
    romeo.send(message);
    romeo.send("<iq type='get' id='ping' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    await simulation.settle();
    expect(juliet.take().map(({ name, attrs }) => `${name} ${String(attrs["from"])}`)).toEqual([
      "message romeo@localhost/phone",
    ]);
    expect(romeo.take().map(({ attrs }) => String(attrs["id"]))).toEqual(["ping"]);
    expect(romeo.isEnded || juliet.isEnded).toBe(false);
  });

  it.each([
    ["a whole stream inside", "<stream:stream to='localhost' version='1.0'></stream:stream>"],
    ["features", "<stream:features/>"],
    ["a login when logged in", auth("PLAIN", "\0juliet\0secret")],
    ["STARTTLS when logged in", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
    ["an element of no known kind", "<hello/>"],
    ["text between stanzas", "hello"],
    ["CDATA between stanzas", "<![CDATA[hello]]>"],
    ["an end tag of nothing", "</message>"],
    ["the stream's end inside a stanza", "<message></stream:stream>"],
    ["mismatched tags", "<message><a></b></message>"],
  ])("end the stream between stanzas, and nothing else happens: %s @X9", async (_, xml) => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    romeo.send(`${xml}<message to='juliet@localhost/phone'/>`);
    await simulation.settle();
    expect(romeo.isEnded).toBe(true);
    expect(romeo.take().map(({ name }) => name)).toEqual(["stream:error"]);
    expect(juliet.take()).toEqual([]);
  });

  it("make no second document after the stream's end @X9", async () => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    romeo.send(`</stream:stream>${header("localhost")}<message to='juliet@localhost/phone'/>`);
    await simulation.settle();
    expect(romeo.take()).toEqual([]);
    expect(juliet.take()).toEqual([]);
    expect(romeo.isEnded).toBe(true);
  });
});

describe("a stream in two pieces", () => {
  const script =
    header("localhost") +
    `<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>` +
    `\ufeff${header("localhost")}${bind("grün🐦")} \n` +
    "<message to='localhost' id='\u00e9'><body>]]&gt; <![CDATA[<&]]]]><![CDATA[>]]> 🐦 &#x1F426;</body></message>" +
    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq></stream:stream>";
  const bytes = Buffer.from(script);

  /** Everything a server says to each of these ways to cut the script, but what is new each time: ids and temporary names. */
  async function answers(simulation: Simulation, ways: readonly (readonly Buffer[])[]): Promise<readonly string[]> {
    const clients = ways.map((pieces) => {
      const client = simulation.connect();
      for (const piece of pieces) client.sendBytes(piece);
      return client;
    });
    for (let wait = 0; wait < 20 && !clients.every((client) => client.isEnded); wait++) await simulation.settle();
    expect(clients.every((client) => client.isEnded)).toBe(true);
    return clients.map((client) => client.heard.replaceAll(/ id='[\w-]{22}'|[0-9a-f-]{36}/g, ""));
  }

  it("has the same answers wherever it is cut, also through login and characters @X10", async () => {
    const simulation = await simulate('anonymous = true\n[archive]\ndefault = "never"'); // its end waits for no commit
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    const [whole = "", dripped] = await answers(simulation, [[bytes], single]);
    expect(whole).toContain("id='1'");
    expect(whole.endsWith("</stream:stream>")).toBe(true);
    expect(dripped).toBe(whole);
    const places = Array.from(bytes.subarray(1), (_, at) => at + 1).filter(
      (at) => at % 3 === 0 || (bytes[at] ?? 0) > 0x7f,
    );
    const cuts = places.map((at) => [bytes.subarray(0, at), bytes.subarray(at)]);
    const different: number[] = [];
    for (let from = 0; from < cuts.length; from += 100) {
      const heard = await answers(simulation, cuts.slice(from, from + 100));
      for (const [at, text] of heard.entries()) if (text !== whole) different.push(places[from + at] ?? 0);
    }
    expect(different).toEqual([]);
  });

  it.each([
    ["UTF-16, big end first", Buffer.from("\ufeff" + header("localhost"), "utf16le").swap16()],
    ["UTF-16, little end first", Buffer.from("\ufeff" + header("localhost"), "utf16le")],
    ["UTF-16 without its mark", Buffer.from(header("localhost"), "utf16le")],
    ["a declared other encoding", Buffer.from(header("localhost").replace("'1.0'?", "'1.0' encoding='ISO-8859-1'?"))],
  ])("is UTF-8 or nothing: %s @X10", async (_, head) => {
    const simulation = await simulate();
    const client = simulation.connect();
    client.sendBytes(head);
    await simulation.settle();
    expectEnd(client, "unsupported-encoding", "not-well-formed");
  });

  it.each([
    ["]]> in a text", "<message><body>]]></body></message>"],
    ["CDATA that does not end", "<message><body><![CDATA[</body></message>]]></body></message></message>"],
    ["a mark between stanzas", "\ufeff<message/>"],
  ])("is refused whole: %s @X10", async (_, xml) => {
    const simulation = await withPeople("", "romeo");
    simulation.people.romeo.send(xml);
    await simulation.settle();
    expectEnd(simulation.people.romeo, "not-well-formed", "bad-format");
  });
});

describe("compression", () => {
  it("is not offered, and asking for it ends the stream @X11 @A2", async () => {
    for (const security of [undefined, new WireClient().security])
      for (const toml of ["", "[c2s]\nrequire_tls = false"]) {
        const simulation = await simulate(toml);
        const client = simulation.connect(new WireClient({ security }));
        client.send(header("localhost"));
        await simulation.settle();
        expect(client.heard).toContain("<stream:features");
        expect(client.heard).not.toContain("compress");
        client.take();
        client.send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>");
        await simulation.settle();
        expectEnd(client, "unsupported-stanza-type");
      }
  });

  it("is refused after login, too @X11", async () => {
    const simulation = await simulate();
    for (const stage of ["before binding", "in a session"] as const) {
      const client = await clientAt(stage, simulation);
      expect(client.heard).not.toContain("compress");
      client.send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>");
      await simulation.settle();
      expectEnd(client, "unsupported-stanza-type");
    }
  });
});
