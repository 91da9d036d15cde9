// Clients with stream management, for tests on the wire.
import { header, PASSWORD, type Simulation, until } from "../../simulation/simulation.js";
import { WireClient } from "../../simulation/wire-client.js";
import type { Element } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";

const XMLNS = `xmlns='${NS.streamManagement}'`;
export const r = `<r ${XMLNS}/>`;
export const a = (h: number | string): string => `<a ${XMLNS} h='${h}'/>`;
export const enable = (attributes = "resume='true'"): string => `<enable ${XMLNS} ${attributes}/>`;
export const resume = (previd: string, h: number | string): string => `<resume ${XMLNS} previd='${previd}' h='${h}'/>`;
export const ping = (id: string): string =>
  `<iq type='get' id='${id}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`;
export const chat = (to: string, body: string): string =>
  `<message to='${to}@localhost' type='chat'><body>${body}</body></message>`;
export const noStore = (to: string, body: string): string =>
  `<message to='${to}@localhost' type='chat' id='n'><body>${body}</body><no-store xmlns='urn:xmpp:hints'/></message>`;

/** Logs in and has its stanzas counted. Presence is sent, and everything taken, when `presence` is given. */
export async function managed(
  simulation: Simulation,
  user: string,
  resource: string,
  { attributes = "resume='true'", presence = "" } = {},
): Promise<{ readonly client: WireClient; readonly id: string }> {
  const client = await simulation.login(user, resource);
  client.send(enable(attributes));
  const [enabled] = await until(simulation, client, "enabled");
  client.send(presence);
  await simulation.settle();
  return { client, id: String(enabled?.attrs["id"]) };
}

/** A connection that has logged in as the user and says this instead of binding. */
export async function comesBack(simulation: Simulation, user: string, says: string): Promise<WireClient> {
  const client = simulation.connect(new WireClient());
  client.send(header("localhost"));
  const plain = Buffer.from(`\0${user}\0${PASSWORD}`).toString("base64");
  client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`);
  await until(simulation, client, "success");
  client.send(header("localhost") + says);
  await simulation.settle();
  return client;
}

/** What has arrived since the last look, in short: `message one`, `a 3`, `iq result p`. Features are left out. */
export function seen(client: WireClient): readonly string[] {
  return client
    .take()
    .filter(({ name }) => name !== "stream:features")
    .map(inShort);
}

/** The same without the server's questions. */
export function heard(client: WireClient): readonly string[] {
  return seen(client).filter((one) => one !== "r");
}

export function inShort(element: Element): string {
  const { name, attrs } = element;
  const body = element.getChildText("body");
  const condition =
    name === "failed" || attrs["type"] === "error" || name === "stream:error" ? conditionOf(element) : "";
  const type = attrs["type"] === "chat" ? "" : String(attrs["type"] ?? "");
  const id = name === "iq" ? String(attrs["id"]) : "";
  return [name, type, id, condition, body, attrs["h"]].filter(Boolean).join(" ");
}

function conditionOf(element: Element): string {
  const holder = element.getChild("error") ?? element;
  return holder.getChildElements()[0]?.name ?? "";
}

/** Stored messages of the account that nobody has yet. */
export async function pendingOf({ storage }: Pick<Simulation, "storage">, user: string): Promise<number> {
  return (await storage.log(`${user}@localhost`, { pending: true, limit: 1000 })).length;
}

/** Everything stored for the account. */
export async function storedOf({ storage }: Pick<Simulation, "storage">, user: string): Promise<number> {
  return (await storage.log(`${user}@localhost`, { limit: 1000 })).length;
}
