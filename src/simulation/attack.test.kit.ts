// What the tests of attacks share: connections brought to each stage of a stream, and how a refused one looks.
import { expect } from "@jest/globals";
import type { Element } from "../xml/element.js";
import { header, PASSWORD, simulate, type Simulation, until } from "./simulation.js";
import type { WireClient } from "./wire-client.js";

export const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
export const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";

/** The stages of a client's stream, in their order. Each is another place of the state machine, or of the scanner. */
export const STAGES = [
  "instead of the stream header",
  "before login",
  "instead of the header after login",
  "before binding",
  "in a session",
  "inside a stanza",
] as const;
export type Stage = (typeof STAGES)[number];

/** A connection of "mallory" that has come to a stage; what the server has said up to there is taken. */
export async function clientAt(stage: Stage, simulation: Simulation): Promise<WireClient> {
  const client = simulation.connect();
  const { domain } = simulation.server.c2s.config;
  await simulation.account("mallory");
  const steps: readonly (() => Promise<unknown>)[] = [
    () => Promise.resolve(client.send(header(domain))),
    async () => {
      client.send(auth("PLAIN", `\0mallory\0${PASSWORD}`));
      await until(simulation, client, "success");
    },
    () => Promise.resolve(client.send(header(domain))),
    async () => {
      client.send(bind("spy"));
      await until(simulation, client, "iq");
    },
    () => Promise.resolve(client.send("<message to='localhost'><body>")),
  ];
  for (const step of steps.slice(0, STAGES.indexOf(stage))) {
    await step();
    await simulation.settle();
  }
  client.take();
  return client;
}

export function auth(mechanism: string, message: string): string {
  return `<auth xmlns='${SASL}' mechanism='${mechanism}'>${Buffer.from(message).toString("base64")}</auth>`;
}

export function bind(resource: string): string {
  return `<iq type='set' id='bind'><bind xmlns='${BIND}'><resource>${resource}</resource></bind></iq>`;
}

/** The stream has ended, with this error if one is given, and nothing but the error was said. */
export function expectEnd(client: WireClient, ...conditions: readonly string[]): void {
  const said = client.take().filter(({ name }) => name !== "stream:features");
  expect(said.map(({ name }) => name)).toEqual(["stream:error"]);
  expect(conditions).toContain(conditionOf(said[0]));
  expect(client.heard.endsWith("</stream:stream>")).toBe(true);
  expect(client.isEnded).toBe(true);
}

export function conditionOf(error: Element | undefined): string | undefined {
  return error?.getChildElements().find(({ attrs }) => attrs["xmlns"] === STREAM_ERRORS)?.name;
}

/** A server with these people logged in, each with the resource "phone". */
export async function withPeople<Names extends string>(
  toml: string,
  ...names: readonly Names[]
): Promise<Simulation & { readonly people: Record<Names, WireClient> }> {
  const simulation = await simulate(toml);
  const people = {} as Record<Names, WireClient>;
  for (const name of names) people[name] = await simulation.login(name, "phone");
  return { ...simulation, people };
}
