import { describe, expect, it } from "@jest/globals";
import { xml } from "../xml/element.js";
import { AFTER_LOGIN } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { type Fragment, Scanner } from "../xml/scanner.js";
import { elementToWire } from "../xml/serialize.js";
import { toWire, type Wire } from "../xml/wire.js";
import { errorOf, iq, message, presence, resultOf } from "./build.js";
import { delay } from "./delay.js";
import { STANZA_CONDITIONS, StanzaError, StreamError } from "./errors.js";
import { JID } from "./jid.js";
import { Stanza } from "./stanza.js";

const HEAD = `<stream:stream xmlns='jabber:client' xmlns:stream='${NS.streams}' xmlns:p='urn:${"p".repeat(200)}'>`;
const romeo = JID.parse("romeo@a.example/orchard");
const juliet = JID.parse("juliet@b.example");

function fragmentOf(text: string, head = HEAD): Fragment {
  const found: Fragment[] = [];
  const handler = {
    head: () => undefined,
    fragment: (fragment: Fragment) => found.push(fragment),
    end: () => undefined,
  };
  new Scanner(handler, AFTER_LOGIN).write(Buffer.from(head + text));
  if (found[0] === undefined) throw new Error("no stanza");
  return found[0];
}

function read(text: string): Stanza {
  return Stanza.of(fragmentOf(text), { lang: "en" });
}

describe("a stanza", () => {
  it("has its head parsed, and the stream's language where it has none @1.2", () => {
    const stanza = read(
      "<message from='romeo@a.example/orchard' to='juliet@b.example' id='&lt;1&gt;' type='chat'><body/></message>",
    );
    expect(stanza).toMatchObject({ kind: "message", type: "chat", id: "<1>", lang: "en" });
    expect([stanza.from?.toString(), stanza.to?.toString()]).toEqual(["romeo@a.example/orchard", "juliet@b.example"]);
    expect(read("<message xml:lang='de'/>").lang).toBe("de");
    expect(read("<message type='unheard-of'/>").type).toBe("normal");
    expect(read("<presence/>").type).toBeUndefined();
  });

  it.each([
    ["<message to='@b'/>", "jid-malformed"],
    ["<message from='a b@c'/>", "jid-malformed"],
    ["<iq type='get'><x xmlns='urn:x'/></iq>", "bad-request"],
    ["<iq id='1'><x xmlns='urn:x'/></iq>", "bad-request"],
    ["<iq id='1' type='ask'><x xmlns='urn:x'/></iq>", "bad-request"],
    ["<iq id='1' type='get'/>", "bad-request"],
    ["<iq id='1' type='set'><x xmlns='urn:x'/><y xmlns='urn:x'/></iq>", "bad-request"],
    ["<presence type='sleeping'/>", "bad-request"],
  ])("that is wrong is answered: %s with %s @1.2 @1.6", (text, condition) => {
    const result = Stanza.read(fragmentOf(text), {});
    expect(result).toMatchObject({ error: { condition } });
    if (result instanceof Stanza) throw new Error("taken");
    expect(result.answer?.toWire()).toContain(`<${condition} xmlns='${NS.stanzaErrors}'/>`);
    expect(fragmentOf(result.answer?.toWire() ?? "").attributes).toContainEqual(
      expect.objectContaining({ name: "type", value: "error" }),
    );
  });

  it.each(["<iq type='error' to='@'/>", "<iq type='result' to='@'/>", "<message type='error' to='@'/>"])(
    "that is wrong is not answered when it is an answer itself: %s @1.6",
    (text) => {
      expect(Stanza.read(fragmentOf(text), {})).toMatchObject({ error: {}, answer: undefined });
    },
  );

  it("gets another head and keeps its payload, byte for byte @1.2", () => {
    const body = "<body>a  &lt;\n b</body ><x:y xmlns:x='urn:x'\tz = \"'\"/>";
    const copy = read(`<message id='1' to='x@y'>${body}</message>`).readdress(romeo, juliet);
    expect(copy.toWire()).toBe(
      `<message from='romeo@a.example/orchard' to='juliet@b.example' id='1' xml:lang='en'>${body}</message>`,
    );
    expect(copy.toWire(NS.client)).toContain("<message xmlns='jabber:client' from=");
    expect(copy.withId(undefined).withType("headline").readdress(undefined, juliet).toWire()).toContain(
      "<message to='juliet@b.example' type='headline' xml:lang='en'>",
    );
    expect(copy.size).toBe(body.length);
  });

  it("keeps quotes of attribute values inside their values @X8", () => {
    const stanza = read(`<message id="'/>&lt;x y='" type='"' foo="' b='"/>`);
    const written = "id='&apos;/&gt;&lt;x y=&apos;' type='&quot;' xml:lang='en' foo='&apos; b=&apos;'";
    expect(stanza.toWire()).toBe(`<message ${written}/>`);
    expect(read(stanza.toWire()).id).toBe("'/><x y='");
  });

  it("finds children by name and namespace, also on streams of other namespaces @1.2", () => {
    const head = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>";
    const stanza = Stanza.of(fragmentOf("<message><body>hi</body><x xmlns='urn:x'/></message>", head), {});
    expect(stanza.child("body", NS.client)?.getText()).toBe("hi");
    expect([stanza.has("x", "urn:x"), stanza.has("x", NS.client), stanza.has("body", "urn:x")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(stanza.element.getNS()).toBe(NS.client);
  });

  it("gains and loses children @1.2", () => {
    const stanza = read("<message><body>hi</body> <x xmlns='urn:x'/><x xmlns='urn:y'/></message>");
    const more = stanza.plus("<z xmlns='urn:z'/><thread/>" as Wire);
    expect(more.children.map(({ name, ns }) => name + ns)).toEqual([
      "bodyjabber:client",
      "xurn:x",
      "xurn:y",
      "zurn:z",
      "threadjabber:client",
    ]);
    const less = more.children
      .filter(({ name }) => name === "x")
      .reduceRight((before, span) => before.without(span), more);
    expect(less.toWire()).toBe("<message xml:lang='en'><body>hi</body> <z xmlns='urn:z'/><thread/></message>");
    expect(less.children.map((span) => less.raw(span))).toEqual(["<body>hi</body>", "<z xmlns='urn:z'/>", "<thread/>"]);
    expect(stanza.toWire()).toContain("<x xmlns='urn:x'/>");
  });

  it("that a short prefix would make many times larger is refused @X3", () => {
    const text = `<message>${"<p:a/>".repeat(2000)}</message>`;
    expect(() => read(text)).toThrow(StanzaError);
    expect(read(`<message><p:a>${"<p:a/>".repeat(2000)}</p:a></message>`).children).toHaveLength(1);
  });
});

describe("building", () => {
  it("takes trees and wire text for children", () => {
    const built = message(
      { from: romeo, to: juliet, type: "chat" },
      xml("body", {}, "é<"),
      delay(romeo.bare, 0, "late"),
    );
    expect(built.toWire()).toBe(
      toWire(
        "<message from='romeo@a.example/orchard' to='juliet@b.example' type='chat'><body>é&lt;</body>" +
          "<delay xmlns='urn:xmpp:delay' from='romeo@a.example' stamp='1970-01-01T00:00:00.000Z'>late</delay></message>",
      ),
    );
    expect(presence({ type: "unavailable" }).toWire()).toBe("<presence type='unavailable'/>");
    expect(iq({ type: "get", id: "1" }, xml("ping", { xmlns: NS.ping })).child("ping", NS.ping)).toBeDefined();
  });

  it("answers requests with the addresses turned round", () => {
    const request = read("<iq type='get' id='1' to='juliet@b.example'><ping xmlns='urn:xmpp:ping'/></iq>").readdress(
      romeo,
      juliet,
    );
    expect(resultOf(request).toWire()).toBe(
      "<iq from='juliet@b.example' to='romeo@a.example/orchard' id='1' type='result'/>",
    );
    expect(errorOf(request, new StanzaError("forbidden"))?.toWire()).toBe(
      "<iq from='juliet@b.example' to='romeo@a.example/orchard' id='1' type='error'>" +
        `<error type='auth'><forbidden xmlns='${NS.stanzaErrors}'/></error></iq>`,
    );
  });

  it.each([
    "<iq type='result' id='1'/>",
    "<iq type='error' id='1'/>",
    "<message type='error'/>",
    "<presence type='error'/>",
  ])("never answers %s with an error @1.6 @R11", (text) => {
    expect(errorOf(read(text), new StanzaError("conflict"))).toBeUndefined();
  });
});

describe("errors", () => {
  it("have all conditions of RFC 6120 §8.3.3 with a type each", () => {
    expect(STANZA_CONDITIONS).toHaveLength(22);
    expect(new StanzaError("resource-constraint")).toMatchObject({ type: "wait", text: undefined });
    expect(new StanzaError("not-allowed", "wait", "a & b", xml("x", { xmlns: "urn:x" })).toWire()).toBe(
      `<error type='wait'><not-allowed xmlns='${NS.stanzaErrors}'/>` +
        `<text xmlns='${NS.stanzaErrors}' xml:lang='en'>a &amp; b</text><x xmlns='urn:x'/></error>`,
    );
  });

  it("of streams declare their prefix only where they stand alone", () => {
    const error = new StreamError("conflict");
    expect(error.toWire()).toBe(`<stream:error><conflict xmlns='${NS.streamErrors}'/></stream:error>`);
    expect(error.toWire(true)).toContain(`<stream:error xmlns:stream='${NS.streams}'>`);
    expect(elementToWire(error.toElement())).toBe(error.toWire());
  });
});
