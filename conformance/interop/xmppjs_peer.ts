// An xmpp.js client for the interop suite: direct TLS, certificate verified against NODE_EXTRA_CA_CERTS; modes: see peer.ts.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { client, xml } from "@xmpp/client";
import type { Element } from "@xmpp/xml";
import type { PeerLine } from "./peer.js";

const PATIENCE_MS = 45_000;
const text = { type: "string", default: "" } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { host: text, port: text, jid: text, password: text, ca: text, to: text, texts: text, count: text },
});
const [mode = ""] = positionals;
const [username = "", domain = ""] = values.jid.split("@");
const xmpp = client({ service: `xmpps://${values.host}:${values.port}`, domain, username, password: values.password });
let missing = Number(values.count);
let pings = 0;

xmpp.reconnect.stop();
xmpp.on("error", fail);
xmpp.on("stanza", (stanza: Element) => void take(stanza).catch(fail));
xmpp.on("online", () => void online().catch(fail));
if (mode !== "echo") setTimeout(() => fail(new Error("out of patience")), PATIENCE_MS).unref();
process.once("SIGTERM", () => void handled().then(finish).catch(fail)); // so that it acknowledges what it has (XEP-0198 "Acks")
// The library decodes each piece of the stream by itself, which spoils a character that two pieces share.
xmpp.on("connect", () => xmpp.socket.socket.setEncoding("utf8"));
xmpp.start().catch(fail);

async function online(): Promise<void> {
  await xmpp.send(xml("presence"));
  await handled();
  say({ ev: "ready", tls: "TLS" });
  if (mode !== "talk" && mode !== "leave") return;
  const texts = JSON.parse(readFileSync(values.texts, "utf8")) as string[];
  missing = texts.length;
  for (const body of texts) await xmpp.send(chat(values.to, body));
  if (mode === "leave") {
    await handled();
    await finish();
  }
}

/**
 * Resolves when the server has handled everything sent before: a ping is answered in order. Not by `iqCaller`: what that takes is not
 * counted by the library's stream management, so that the last stanzas would stay unacknowledged for ever.
 */
async function handled(): Promise<void> {
  const id = `handled-${++pings}`;
  const answered = new Promise<void>((resolve) => {
    const listen = (element: Element): void => {
      if (element.attrs.id !== id) return;
      xmpp.off("element", listen);
      setImmediate(resolve); // it is counted a moment later
    };
    xmpp.on("element", listen);
  });
  await xmpp.send(xml("iq", { type: "get", to: domain, id }, xml("ping", "urn:xmpp:ping")));
  await answered;
}

async function take(stanza: Element): Promise<void> {
  if (!stanza.is("message")) return;
  if (stanza.attrs.type === "error") throw new Error(stanza.toString());
  const body = stanza.getChildText("body");
  if (body === null) return;
  if (mode === "echo") return xmpp.send(chat(String(stanza.attrs.from), body));
  say({ ev: "message", body });
  if (--missing === 0 && mode !== "leave") await finish();
}

function chat(to: string, body: string): Element {
  return xml("message", { to, type: "chat" }, xml("body", {}, body));
}

/** What the library still wants to write while it closes (an `<a/>`) is no failure. */
async function finish(): Promise<void> {
  xmpp.off("error", fail).on("error", () => undefined);
  await xmpp.stop();
  process.exit(0);
}

function say(line: PeerLine): void {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
