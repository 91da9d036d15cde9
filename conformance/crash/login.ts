// Logs a client of the load in by SCRAM-SHA-1 with the load generator's native arithmetic: a round has dozens of logins.
import { scramSha1 } from "../../bench/scram.js";
import { type Address, ClientStream, greet, openStream } from "../runner/stream.js";
import { show, textOf, type Tree } from "../runner/xml.js";

const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
export const PASSWORD = "crash-suite";
/** For one step of a login, and for the answer to anything: a server that needs longer has failed. */
export const STEP_MS = 60_000;

/** A stream that has logged in and been opened again, and its features. Throws when the login is refused or the connection ends. */
export async function logIn(address: Address, user: string): Promise<{ stream: ClientStream; features: Tree }> {
  const stream = new ClientStream(address);
  await openStream(stream, "tcp", STEP_MS);
  const scram = scramSha1(user, PASSWORD);
  stream.send(`<auth xmlns='${NS_SASL}' mechanism='SCRAM-SHA-1'>${base64(scram.first)}</auth>`);
  const challenge = await answer(stream, "challenge");
  const final = scram.final(Buffer.from(textOf(challenge), "base64").toString());
  stream.send(`<response xmlns='${NS_SASL}'>${base64(final)}</response>`);
  await answer(stream, "success");
  return { stream, features: await greet(stream, STEP_MS) };
}

async function answer(stream: ClientStream, name: string): Promise<Tree> {
  const tree = await stream.nextElement(STEP_MS);
  if (tree.name !== name) throw new Error(`the login was answered with ${show(tree)}`);
  return tree;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
