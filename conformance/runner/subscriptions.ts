// `given romeo sees juliet`: two clients of their own subscribe and approve by RFC 6121 §3.1 before the scene begins.
import { authenticate, bind } from "./login.js";
import { ClientStream, openStream, type Address } from "./stream.js";
import { elements, escapeXml, show } from "./xml.js";

/** Whose presence whom is to see: local parts, with the password of both. */
export interface Watching {
  readonly watcher: string;
  readonly watched: string;
  readonly password: string;
}

/** Throws an Error when the watcher's roster does not show the subscription afterwards. */
export async function befriend(
  address: Address,
  { watcher, watched, password }: Watching,
  limitMs: number,
): Promise<void> {
  const [one, other] = await Promise.all([watcher, watched].map((local) => login(address, local, password, limitMs)));
  if (!one || !other) throw new Error("not logged in");
  const [from, to] = [watcher, watched].map((local) => escapeXml(`${local}@${address.domain}`));
  one.send(`<presence type='subscribe' to='${to ?? ""}'/>`);
  await roster(one, "given-1", limitMs); // answered in order: the request has been handled
  other.send(`<presence type='subscribed' to='${from ?? ""}'/>`);
  await roster(other, "given-2", limitMs);
  const items = await roster(one, "given-3", limitMs);
  one.destroy();
  other.destroy();
  if (!/subscription='(to|both)'/.test(items.find((item) => item.includes(`${watched}@`)) ?? ""))
    throw new Error(`no subscription of ${watcher} to ${watched}: ${items.join("") || "the roster is empty"}`);
}

async function login(address: Address, local: string, password: string, limitMs: number): Promise<ClientStream> {
  const stream = new ClientStream(address);
  await openStream(stream, "tls", limitMs);
  await authenticate(stream, { username: local, password }, "PLAIN", limitMs);
  await bind(stream, undefined, limitMs);
  return stream;
}

async function roster(stream: ClientStream, id: string, limitMs: number): Promise<string[]> {
  const answer = await stream.ask(id, `<iq type='get' id='${id}'><query xmlns='jabber:iq:roster'/></iq>`, limitMs);
  return elements(answer)
    .flatMap(elements)
    .map((item) => show(item));
}
