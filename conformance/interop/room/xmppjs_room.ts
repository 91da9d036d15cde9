// An xmpp.js client in a room: takes commands as lines of JSON, says what it hears the same way; see scripted.ts.
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { client, xml } from "@xmpp/client";
import type { Element } from "@xmpp/xml";

const MUC = "http://jabber.org/protocol/muc";
const KICKED = "307";
const BANNED = "301";
const ITSELF = "110";
const text = { type: "string", default: "" } as const;
const { values } = parseArgs({
  options: { host: text, port: text, jid: text, password: text, ca: text, room: text, nick: text },
});
const { room, nick } = values;
const [username = "", domain = ""] = values.jid.split("@");
const xmpp = client({ service: `xmpps://${values.host}:${values.port}`, domain, username, password: values.password });
const ACTIONS: Readonly<Record<string, (value: string) => Element>> = {
  enter: () => xml("presence", { to: `${room}/${nick}` }, xml("x", { xmlns: MUC })),
  leave: () => xml("presence", { to: `${room}/${nick}`, type: "unavailable" }),
  say: (body) => toAll(xml("body", {}, body)),
  correct: (body) => toAll(xml("body", {}, body), xml("replace", { xmlns: "urn:xmpp:message-correct:0", id: said })),
  subject: (subject) => toAll(xml("subject", {}, subject)),
};
let said = "";
let count = 0;

xmpp.reconnect.stop();
xmpp.on("error", fail);
xmpp.on("stanza", (stanza: Element) => (stanza.is("presence") ? presence(stanza) : message(stanza)));
xmpp.on("online", () => void online().catch(fail));
// The library decodes each piece of the stream by itself, which spoils a character that two pieces share.
xmpp.on("connect", () => xmpp.socket.socket.setEncoding("utf8"));
xmpp.start().catch(fail);

async function online(): Promise<void> {
  await xmpp.send(xml("presence"));
  say({ ev: "ready" });
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as { readonly do: string; readonly value: string };
    const action = ACTIONS[command.do];
    if (!action) throw new Error(`no action ${command.do}`);
    await xmpp.send(action(command.value));
  }
}

/** A correction names what was said before it. */
function toAll(...children: readonly Element[]): Element {
  const stanza = xml("message", { to: room, type: "groupchat", id: `said-${++count}` }, ...children);
  said = `said-${count}`;
  return stanza;
}

function presence(stanza: Element): void {
  const [address, who] = String(stanza.attrs.from).split("/");
  if (address !== room) return;
  if (stanza.attrs.type === "error") return say({ ev: "refused" });
  const codes = stanza
    .getChild("x", `${MUC}#user`)
    ?.getChildren("status")
    .map(({ attrs }) => String(attrs.code));
  if (stanza.attrs.type !== "unavailable")
    return codes?.includes(ITSELF) ? say({ ev: "entered", nick: who }) : undefined;
  if (codes?.includes(KICKED)) return say({ ev: "kicked", nick: who });
  if (codes?.includes(BANNED)) return say({ ev: "banned", nick: who });
  if (codes?.includes(ITSELF)) say({ ev: "left" });
}

function message(stanza: Element): void {
  if (!stanza.is("message") || stanza.attrs.type !== "groupchat") return;
  const body = stanza.getChildText("body");
  const subject = stanza.getChildText("subject");
  if (body === null) return subject === null ? undefined : say({ ev: "subject", body: subject });
  say({ ev: kindOf(stanza), nick: String(stanza.attrs.from).split("/")[1], body });
}

function kindOf(stanza: Element): string {
  if (stanza.getChild("replace", "urn:xmpp:message-correct:0")) return "correction";
  return stanza.getChild("delay", "urn:xmpp:delay") ? "history" : "message";
}

function say(line: object): void {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
