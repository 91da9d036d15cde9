// The row X7 against a whole server: what one client sends reaches another with the same meaning for readers that others wrote, or not at all.
import { describe, expect, it } from "@jest/globals";
import { simulate, type Simulation } from "#rookery/simulation/simulation.js";
import type { WireClient } from "#rookery/simulation/wire-client.js";
import { bytesOf } from "#rookery/xml/wire.js";
import { REFUSED, REFUSED_BYTES, STANZAS, STREAM_HEAD } from "../fuzz/corpus.js";
import { type Plain, readWithLtx, readWithSaxes } from "../fuzz/readers.js";

const END = "</stream:stream>";
const TO = "juliet@localhost/phone";
const MESSAGES = STANZAS.filter((stanza) => stanza.startsWith("<message"));

interface Pair extends Simulation {
  readonly romeo: WireClient;
  readonly juliet: WireClient;
}

/** Two people, the first on a stream that declares what the corpus uses. */
async function pair(toml = ""): Promise<Pair> {
  const simulation = await simulate(toml);
  const juliet = await simulation.login("juliet", "phone");
  const romeo = await simulation.login("romeo", "phone", undefined, " xmlns:p='urn:p'");
  return { ...simulation, romeo, juliet };
}

function addressed(stanza: string, to = TO): string {
  const [head = "", ...rest] = stanza.split(/(?<=^<message(?:[^>'"]|'[^']*'|"[^"]*")*?)(?=\/?>)/);
  return `${head.replace(/ (?:to|type)=(?:'[^']*'|"[^"]*")/g, "").replace(/^<message/, `<message to='${to}'`)}${rest.join("")}`;
}

/** Without what the server puts there itself. */
function content({ name, attributes, children }: Plain): Plain {
  return { name, attributes: attributes.filter((one) => !/^(?:from|to|\{[^}]*\}lang)=/.test(one)), children };
}

function withoutStamps({ children, ...rest }: Plain): Plain {
  const isStamp = (child: Plain | string): boolean =>
    typeof child !== "string" && /^\{urn:xmpp:(?:delay|sid:0)\}/.test(child.name);
  return { ...rest, children: children.filter((child) => !isStamp(child)) };
}

/** The last stream that a client has heard, as a whole document. */
function lastStream({ heard }: WireClient): Buffer {
  const text = heard.slice(heard.lastIndexOf("<?xml"));
  return Buffer.from(text.endsWith(END) ? text : text + END, "latin1");
}

function messages(stream: Plain): readonly Plain[] {
  return stream.children.filter((child) => typeof child !== "string" && child.name.endsWith("}message")) as Plain[];
}

function sent(stanza: string): Plain {
  const [message] = messages(readWithSaxes(Buffer.concat([bytesOf(STREAM_HEAD), Buffer.from(stanza + END)])));
  if (message === undefined) throw new Error("no message in the corpus's document");
  return content(message);
}

describe("a message that goes through the server", () => {
  it.each(MESSAGES)("means the same to a reader that others wrote: %j @X7 @X8", async (stanza) => {
    const { romeo, juliet, settle } = await pair();
    romeo.send(addressed(stanza));
    await settle();
    const document = lastStream(juliet);
    expect(messages(readWithSaxes(document)).map(content).map(withoutStamps)).toEqual([sent(addressed(stanza))]);
    expect(messages(readWithLtx(document.toString())).map(content)).toHaveLength(1);
  });

  it("means the same when it was stored in between @X7", async () => {
    const { romeo, juliet, settle, login } = await pair();
    juliet.send(END);
    await settle();
    const withBody = MESSAGES.filter((stanza) => /<body[^/]*>[^<]/.test(stanza)).map((stanza) =>
      addressed(stanza, "juliet@localhost").replace(/^<message/, "<message type='chat'"),
    );
    expect(withBody.length).toBeGreaterThan(3);
    for (const stanza of withBody) romeo.send(stanza);
    await settle();
    const again = await login("juliet", "phone");
    again.send("<presence/>");
    for (let n = 0; n < 5; n++) await settle();
    expect(
      messages(readWithSaxes(lastStream(again)))
        .map(content)
        .map(withoutStamps),
    ).toEqual(withBody.map(sent));
  });

  const refused = REFUSED.map(([text]) => [text, Buffer.from(text)] as const);
  it.each(refused)(
    "reaches nobody when it is not well-formed, and the stream of its sender ends: %j @X7",
    async (_, bytes) => {
      const { romeo, juliet, settle } = await pair();
      romeo.sendBytes(bytes);
      romeo.send(`<message to='${TO}'/>`);
      await settle();
      expect(messages(readWithSaxes(lastStream(juliet)))).toEqual([]);
      if (!bytes.toString().endsWith("CDATAx")) expect(romeo.isEnded).toBe(true);
    },
  );

  const places: readonly (readonly [string, string, string])[] = [
    ["a text", `<message to='${TO}'><body>a`, "b</body></message>"],
    ["an attribute", `<message to='${TO}' id='a`, "b'/>"],
    ["an address", `<message to='${TO}`, "'/>"],
    ["CDATA", `<message to='${TO}'><body><![CDATA[`, "]]></body></message>"],
    ["a name", `<message to='${TO}'><a`, "/></message>"],
    ["a namespace", `<message to='${TO}'><a xmlns='u`, "'/></message>"],
  ];
  const smuggled = places.flatMap(([where, before, after]) =>
    REFUSED_BYTES.map(([what, hex]) => ({ where, what, before, hex, after })),
  );
  it.each(smuggled)("reaches nobody with $what in $where, in one piece or many @X7", async ({ before, hex, after }) => {
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from(hex, "hex"), Buffer.from(after)]);
    const { romeo, juliet, settle, login } = await pair();
    const other = await login("benvolio", "phone");
    romeo.sendBytes(bytes);
    for (const byte of bytes) other.sendBytes(Buffer.of(byte));
    await settle();
    expect(messages(readWithSaxes(lastStream(juliet)))).toEqual([]);
    expect([romeo.isEnded, other.isEnded, juliet.isEnded]).toEqual([true, true, false]);
    expect(readWithSaxes(lastStream(romeo)).children.at(-1)).toHaveProperty(
      "name",
      "{http://etherx.jabber.org/streams}error",
    );
  });

  it.each([
    "&#0;",
    "&#8;",
    "&#xB;",
    "&#x1F;",
    "&#xD800;",
    "&#xDFFF;",
    "&#xFFFE;",
    "&#xFFFF;",
    "&#x110000;",
    "&#4294967361;",
  ])("reaches nobody with the reference %s @X7", async (reference) => {
    const { romeo, juliet, settle } = await pair();
    romeo.send(`<message to='${TO}'><body>${reference}</body></message>`);
    await settle();
    expect(messages(readWithSaxes(lastStream(juliet)))).toEqual([]);
    expect(romeo.isEnded).toBe(true);
  });
});
