// Authentication and binding of the runner's clients: PLAIN by hand, SCRAM-SHA-1 by the independent `sasl-scram-sha-1`.
import Scram from "sasl-scram-sha-1";
import { greet, type ClientStream } from "./stream.js";
import { child, escapeXml, show, textOf, type Tree } from "./xml.js";

const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Authenticates on an open stream and opens the stream that follows; returns its features. Throws with the server's answer. */
export async function authenticate(
  stream: ClientStream,
  by: Credentials,
  mechanism: "PLAIN" | "SCRAM-SHA-1",
  limitMs: number,
): Promise<Tree> {
  const success = mechanism === "PLAIN" ? await plain(stream, by, limitMs) : await scram(stream, by, limitMs);
  if (success.name !== "success") throw new Error(`${mechanism} was answered with ${show(success)}`);
  return greet(stream, limitMs);
}

/** Binds a resource, or one of the server's choice; returns the full JID. */
export async function bind(stream: ClientStream, resource: string | undefined, limitMs: number): Promise<string> {
  const wish = resource === undefined ? "" : `<resource>${escapeXml(resource)}</resource>`;
  const answer = await stream.ask(
    "bind",
    `<iq type='set' id='bind'><bind xmlns='${NS_BIND}'>${wish}</bind></iq>`,
    limitMs,
  );
  const bound = child(answer, "bind", NS_BIND);
  const jid = bound && child(bound, "jid", NS_BIND);
  if (answer.attributes.get("type") !== "result" || !jid) throw new Error(`binding was answered with ${show(answer)}`);
  return textOf(jid);
}

async function plain(stream: ClientStream, by: Credentials, limitMs: number): Promise<Tree> {
  const text = base64(`\0${by.username}\0${by.password}`);
  stream.send(`<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${text}</auth>`);
  return stream.nextElement(limitMs);
}

async function scram(stream: ClientStream, by: Credentials, limitMs: number): Promise<Tree> {
  const mechanism = new Scram();
  stream.send(`<auth xmlns='${NS_SASL}' mechanism='SCRAM-SHA-1'>${base64(await mechanism.response(by))}</auth>`);
  const challenge = await stream.nextElement(limitMs);
  if (challenge.name !== "challenge") return challenge;
  mechanism.challenge(unbase64(textOf(challenge)));
  stream.send(`<response xmlns='${NS_SASL}'>${base64(await mechanism.response(by))}</response>`);
  const success = await stream.nextElement(limitMs);
  if (success.name === "success") checkSignature(mechanism, textOf(success));
  return success;
}

/** The server must prove that it knows the key, too (RFC 5802 §3). */
function checkSignature(mechanism: Scram, text: string): void {
  mechanism.challenge(unbase64(text));
  const expected = Buffer.from(mechanism._serverSignature ?? []).toString("base64");
  if (mechanism._verifier !== expected) throw new Error("the server's SCRAM signature is wrong");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function unbase64(text: string): string {
  return Buffer.from(text, "base64").toString();
}
