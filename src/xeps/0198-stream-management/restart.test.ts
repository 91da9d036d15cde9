// Rulings 3: sessions that outlive the process of the server, whole after an orderly stop, from the log after a crash, or not at all.
import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "../../core/fake-clock.js";
import { SESSION_STORE } from "../../core/record.js";
import { simulate, type Simulation, until } from "../../simulation/simulation.js";
import type { WireClient } from "../../simulation/wire-client.js";
import { JID } from "../../stanza/jid.js";
import type { Element } from "../../xml/element.js";
import { a, chat, comesBack, heard, inShort, managed, noStore, pendingOf, ping, r, resume } from "./sm.test.kit.js";

const ROSTER_GET = "<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>";
const rosterSet = (jid: string): string =>
  `<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='${jid}'/></query></iq>`;
const rosterRemove = (jid: string): string =>
  `<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='${jid}' subscription='remove'/></query></iq>`;

/** Romeo and Juliet see each other's presence; both can resume, and have acknowledged all they were sent. */
async function verona(toml = "") {
  const simulation = await simulate(toml);
  const romeo = await managed(simulation, "romeo", "orchard", { presence: `${ROSTER_GET}<presence/>` });
  const juliet = await managed(simulation, "juliet", "balcony", { presence: `${ROSTER_GET}<presence/>` });
  for (const [one, other] of [
    [romeo, "juliet"],
    [juliet, "romeo"],
  ] as const)
    one.client.send(`<presence to='${other}@localhost' type='subscribe'/>`);
  await simulation.settle();
  for (const [one, other] of [
    [romeo, "juliet"],
    [juliet, "romeo"],
  ] as const)
    one.client.send(`<presence to='${other}@localhost' type='subscribed'/>`);
  await simulation.settle();
  const romeoHas = { id: romeo.id, ...(await settled(simulation, romeo.client)) };
  const julietHas = { id: juliet.id, ...(await settled(simulation, juliet.client)) };
  return { simulation, romeo: romeo.client, juliet: juliet.client, romeoHas, julietHas };
}

/** The client answers pushes, acknowledges all and hears that all of its own is handled. */
async function settled(simulation: Simulation, client: WireClient): Promise<Counts> {
  const arrived = client.take();
  for (const { name, attrs } of arrived)
    if (name === "iq" && attrs["type"] === "set") client.send(`<iq type='result' id='${String(attrs["id"])}'/>`);
  const session = sessionOf(simulation, client);
  client.send(a(session.management?.copies.sent ?? 0) + r);
  await simulation.settle();
  simulation.clock.advance(5000); // records are written behind
  await simulation.settle();
  client.take();
  return { had: session.management?.copies.sent ?? 0, told: session.lane.handled };
}

/** How many stanzas the client has had, and how many of its own it was told to be handled. */
interface Counts {
  readonly had: number;
  readonly told: number;
}

function sessionOf(simulation: Simulation, client: WireClient) {
  for (const account of simulation.server.core.accounts.inUse())
    for (const session of account.sessions.values()) if (session.sink === client.stream) return session;
  throw new Error("no session");
}

async function comesAgain(simulation: Simulation, user: string, says: string): Promise<WireClient> {
  const back = await comesBack(simulation, user, says);
  for (let turn = 0; turn < 6; turn++) await simulation.settle();
  return back;
}

const records = async ({ storage }: Simulation): Promise<readonly string[]> =>
  (await storage.list(SESSION_STORE.name, { limit: 100 })).map(({ owner }) => owner);

const resumed = ({ told }: Counts, more = 0): string => `resumed ${told + more}`;

const messagesIn = (elements: readonly Element[]): readonly string[] =>
  elements.filter(({ name }) => name === "message").map(inShort);

const stanzaIds = (elements: readonly Element[]): readonly unknown[] =>
  elements.flatMap((one) => one.getChildren("stanza-id", "urn:xmpp:sid:0").map(({ attrs }) => String(attrs["id"])));

/** Binds, and becomes available: what was stored arrives. */
async function bindsAnew(simulation: Simulation, client: WireClient): Promise<readonly Element[]> {
  client.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  await until(simulation, client, "iq");
  client.send("<presence/>");
  for (let turn = 0; turn < 6; turn++) await simulation.settle();
  return client.take();
}

describe("after an orderly stop a session", () => {
  it("goes on whole: the exact suffix comes again, nothing doubled, and nobody saw it go @2.4", async () => {
    const { simulation, romeo, juliet, romeoHas, julietHas } = await verona();
    romeo.send(chat("juliet", "one") + chat("juliet", "two") + noStore("juliet", "burns"));
    romeo.send("<iq type='get' id='v' to='juliet@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>");
    await simulation.settle();
    juliet.send(a(julietHas.had + 1) + ping("p"));
    await simulation.settle();
    romeo.take();
    const next = await simulation.restart();
    expect(heard(romeo)).toEqual(["stream:error system-shutdown"]);
    const romeoAgain = await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had));
    expect(heard(romeoAgain)).toEqual([resumed(romeoHas, 4)]);
    romeoAgain.send(chat("juliet", "three") + r);
    await next.settle();
    expect(heard(romeoAgain)).toEqual([`a ${romeoHas.told + 5}`]);
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had + 1));
    expect(heard(back)).toEqual([
      resumed(julietHas, 1),
      "message two",
      "message burns",
      "iq get v",
      "iq result p",
      "message three",
    ]);
    back.send(a(julietHas.had + 6) + ping("q") + r);
    await next.settle();
    expect(heard(back)).toEqual(["iq result q", `a ${julietHas.told + 2}`]);
    expect(await pendingOf(next, "juliet")).toBe(0);
    expect(heard(romeoAgain)).toEqual([]);
  });

  it("and again, also if its client did not come in between @2.4", async () => {
    const { simulation, romeo, romeoHas, julietHas } = await verona();
    romeo.send(chat("juliet", "one") + noStore("juliet", "burns"));
    await simulation.settle();
    let next = await simulation.restart();
    const romeoAgain = await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had));
    romeoAgain.send(chat("juliet", "two"));
    await next.settle();
    next = await next.restart();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(back)).toEqual([resumed(julietHas), "message one", "message burns", "message two"]);
  });

  it("is available before its client is back: to those who ask, and for live messages @2.4", async () => {
    const { simulation, julietHas } = await verona();
    const next = await simulation.restart();
    const phone = await next.login("romeo", "phone");
    phone.send("<presence/>" + ping("p"));
    await next.settle();
    const from = phone.take().filter(({ name }) => name === "presence");
    expect(from.map(({ attrs }) => String(attrs["from"]))).toContain("juliet@localhost/balcony");
    phone.send("<iq type='get' id='v' to='juliet@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>");
    await next.settle();
    expect(heard(phone)).toEqual([]);
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(back)).toEqual([resumed(julietHas), "presence", "iq get v"]);
  });

  it("keeps the roster's pushes, and those it has told directly @2.4", async () => {
    const { simulation, juliet, julietHas } = await verona();
    await simulation.account("nurse");
    const nurse = await managed(simulation, "nurse", "hall");
    juliet.send("<presence to='nurse@localhost/hall'/>");
    await settled(simulation, nurse.client);
    const next = await simulation.restart();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    back.take();
    back.send(rosterSet("paris@localhost"));
    await next.settle();
    expect(heard(back)).toEqual([expect.stringMatching(/^iq set push/), "iq result s"]);
    back.send("</stream:stream>");
    await next.settle();
    expect(heard(await comesAgain(next, "nurse", resume(nurse.id, 1)))).toEqual(["resumed 0", "presence unavailable"]);
  });

  it("is not missing what was being read from the store, or was held back for that @2.4", async () => {
    const { simulation, romeo } = await verona();
    await simulation.account("paris");
    for (let n = 0; n < 100; n++) romeo.send(chat("paris", String(n)));
    await simulation.settle();
    const { client: paris, id } = await managed(simulation, "paris", "church");
    paris.send("<presence/>");
    romeo.send(noStore("paris", "live"));
    const next = await simulation.restart();
    const back = await comesAgain(next, "paris", resume(id, 0));
    const numbers = Array.from({ length: 100 }, (_, n) => `message ${String(n)}`);
    expect(messagesIn(back.take())).toEqual([...numbers, "message live"]);
  });

  it("has its time run on while the server is down: one that is over ends properly, once @2.4", async () => {
    const { simulation, romeo, juliet, romeoHas, julietHas } = await verona();
    juliet.send("<presence to='romeo@localhost/orchard'/>");
    await simulation.settle();
    romeo.take();
    juliet.cut();
    romeo.send(chat("juliet", "kept") + noStore("juliet", "burns"));
    await simulation.settle();
    simulation.clock.advance(300_000);
    await simulation.server.stop();
    const next = await simulate("", simulation.disk, simulation.clock);
    next.clock.advance(299_000);
    await next.settle();
    expect(next.server.core.sessions.count).toBe(2);
    const last = await next.restart();
    last.clock.advance(1000);
    await last.settle();
    const romeoAgain = await comesAgain(last, "romeo", resume(romeoHas.id, romeoHas.had + 1));
    const told = heard(romeoAgain);
    expect(told.filter((one) => one.includes("unavailable"))).not.toEqual([]);
    expect(told.filter((one) => one.startsWith("message"))).toEqual(["message error service-unavailable"]);
    const again = await comesAgain(last, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(again)).toEqual([`failed item-not-found ${julietHas.told + 1}`]);
    expect(messagesIn(await bindsAnew(last, again))).toEqual(["message kept"]);
  });

  it("that was over before the start has ended by then, and its contacts are told when they are back @2.4", async () => {
    const { simulation, romeo, juliet, romeoHas, julietHas } = await verona();
    romeo.send(chat("juliet", "kept"));
    await simulation.settle();
    juliet.cut();
    await simulation.settle();
    simulation.clock.advance(300_000);
    await simulation.server.stop();
    const next = await simulate("", simulation.disk, new FakeClock(simulation.clock.now() + 400_000));
    await next.settle();
    expect(next.server.core.sessions.count).toBe(1);
    expect(heard(await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had)))).toEqual([
      resumed(romeoHas, 1),
      "presence unavailable",
    ]);
    const again = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(again)).toEqual([`failed item-not-found ${julietHas.told}`]);
    expect(messagesIn(await bindsAnew(next, again))).toEqual(["message kept"]);
    expect(await records(next)).toEqual(["romeo@localhost"]);
  });

  it("of an account that has gone meanwhile is gone, too @2.4", async () => {
    const { simulation, julietHas } = await verona();
    await simulation.server.stop();
    const { storage } = await simulate("", simulation.disk, simulation.clock);
    await storage.commit([{ writes: [{ op: "remove", store: "account", owner: "juliet@localhost", key: "" }] }]);
    storage.hold();
    const next = await simulate("", simulation.disk, simulation.clock);
    await next.settle();
    expect(await records(next)).toEqual(["romeo@localhost"]);
    await next.account("juliet");
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(back)).toEqual(["failed item-not-found"]);
  });
});

describe("after a crash a session", () => {
  it("is sent again all that the log has since its last recorded acknowledgement, before anything new @2.4", async () => {
    const { simulation, romeo, juliet, romeoHas, julietHas } = await verona();
    romeo.send(chat("juliet", "one") + chat("juliet", "two") + chat("juliet", "three"));
    await simulation.settle();
    const before = juliet.take();
    juliet.send(a(julietHas.had + 2));
    await simulation.settle();
    const next = await simulation.crash();
    const romeoAgain = await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had));
    romeoAgain.send(chat("juliet", "four"));
    await next.settle();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had + 2));
    const arrived = back.take();
    expect(arrived.map(inShort).filter((one) => one !== "stream:features" && one !== "r")).toEqual([
      resumed(julietHas),
      "message one",
      "message two",
      "message three",
      "message four",
      "presence",
    ]);
    expect(stanzaIds(arrived).slice(0, 3)).toEqual(stanzaIds(before));
    // It goes on counting from what the client said it had.
    back.send(a(julietHas.had + 2 + 4) + r);
    await next.settle();
    expect(await pendingOf(next, "juliet")).toBe(0);
    back.send(a(julietHas.had + 2 + 5) + r);
    await next.settle();
    expect(heard(back)).toEqual([`a ${julietHas.told}`, `a ${julietHas.told}`]);
    back.send(a(julietHas.had + 40));
    await next.settle();
    expect(heard(back)).toEqual(["stream:error undefined-condition"]);
  });

  it("that was quiet comes back with nothing but the presence of its contacts @2.4 @2.show1", async () => {
    const { simulation, julietHas } = await verona();
    const next = await simulation.crash(60_000);
    expect(next.server.core.sessions.count).toBe(2);
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(back)).toEqual([resumed(julietHas), "presence"]);
  });

  it("is never told less than it was told before @2.4", async () => {
    const before = await verona();
    let { simulation, romeo: client } = before;
    let { had, told } = before.romeoHas;
    for (let round = 0; round < 4; round++) {
      client.send(rosterSet(`friend${round}@localhost`) + ping("p") + r);
      for (let turn = 0; turn < round; turn++) await simulation.settle();
      const answers = client.take().filter(({ name }) => name === "a");
      told = Math.max(told, ...answers.map(({ attrs }) => Number(attrs["h"])));
      simulation = await simulation.crash();
      client = await comesAgain(simulation, "romeo", resume(before.romeoHas.id, had));
      const first = client.take().find(({ name }) => name === "resumed");
      expect(Number(first?.attrs["h"])).toBeGreaterThanOrEqual(told);
      had = (await settled(simulation, client)).had;
      told = Number(first?.attrs["h"]);
    }
  });

  it("is not resumed with an h that lies before what it had acknowledged; what waits comes after the binding @2.4", async () => {
    const { simulation, romeo, juliet, julietHas } = await verona();
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    await settled(simulation, juliet);
    romeo.send(chat("juliet", "two"));
    await simulation.settle();
    const next = await simulation.crash();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    expect(heard(back)).toEqual(["failed item-not-found"]);
    expect(messagesIn(await bindsAnew(next, back))).toEqual(["message two"]);
  });

  it("of which nothing is on record is not resumed, and h is not given; its messages wait @2.4", async () => {
    const simulation = await simulate();
    const romeo = await simulation.login("romeo", "orchard");
    const { client: juliet, id } = await managed(simulation, "juliet", "balcony", { presence: "<presence/>" });
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    expect(messagesIn(juliet.take())).toEqual(["message one"]);
    const next = await simulation.crash();
    const back = await comesAgain(next, "juliet", resume(id, 2));
    expect(heard(back)).toEqual(["failed item-not-found"]);
    expect(messagesIn(await bindsAnew(next, back))).toEqual(["message one"]);
  });

  it("gets the roster's pushes since the last that it answered @2.4", async () => {
    const { simulation, juliet, julietHas } = await verona();
    juliet.send(rosterSet("nurse@localhost"));
    await simulation.settle();
    const next = await simulation.crash();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    const pushes = back.take().filter(({ name, attrs }) => name === "iq" && attrs["type"] === "set");
    expect(pushes.map((push) => String(push.getChild("query")?.getChild("item")?.attrs["jid"]))).toEqual([
      "nurse@localhost",
    ]);
  });

  it("must begin anew where the pushes since cannot be told: a contact was removed @2.4", async () => {
    const { simulation, romeo, juliet, julietHas } = await verona();
    juliet.send(rosterSet("nurse@localhost"));
    await settled(simulation, juliet);
    juliet.send(rosterRemove("nurse@localhost"));
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    const next = await simulation.crash();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had + 10));
    expect(heard(back)).toEqual(["failed item-not-found"]);
    expect(messagesIn(await bindsAnew(next, back))).toEqual(["message one"]);
    expect(await records(next)).toEqual(["romeo@localhost"]);
  });

  it("may lose its stream, or the server, in the middle of that: nothing is lost @2.4", async () => {
    const { simulation, romeo, julietHas } = await verona();
    const bodies = Array.from({ length: 90 }, (_, n) => String(n));
    for (const body of bodies) romeo.send(chat("juliet", body));
    await simulation.settle();
    let next = await simulation.crash();
    const back = await comesBack(next, "juliet", resume(julietHas.id, julietHas.had));
    back.cut();
    next = await next.crash();
    const again = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had));
    const messages = bodies.map((body) => `message ${body}`);
    expect(messagesIn(again.take())).toEqual(messages);
    again.cut();
    await next.settle();
    const third = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had + 30));
    expect(messagesIn(third.take())).toEqual(messages.slice(30));
  });

  it("that an orderly stop had stored whole gets that, and what came since @2.4", async () => {
    const { simulation, romeo, romeoHas, julietHas } = await verona();
    romeo.send(chat("juliet", "one") + noStore("juliet", "burns") + chat("juliet", "two"));
    await simulation.settle();
    let next = await simulation.restart();
    const romeoAgain = await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had));
    romeoAgain.send(chat("juliet", "three"));
    await next.settle();
    next = await next.crash();
    const back = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had + 1));
    expect(messagesIn(back.take())).toEqual(["message burns", "message two", "message three"]);
    expect(await pendingOf(next, "juliet")).toBe(2);
    const tooHigh = await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had + 40));
    expect(heard(tooHigh)).toEqual(["stream:error undefined-condition"]);
  });

  it("whose client sends again what had been handled does not double it @2.4 @2.show1", async () => {
    const { simulation, romeo, romeoHas } = await verona();
    const message = chat("juliet", "once").replace(
      "</message>",
      "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>",
    );
    romeo.send(message);
    await simulation.settle();
    const next = await simulation.crash();
    const back = await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had));
    expect(heard(back)[0]).toEqual(resumed(romeoHas));
    back.send(message + r);
    await next.settle();
    expect(heard(back)).toEqual([`a ${romeoHas.told + 1}`]);
    expect(await pendingOf(next, "juliet")).toBe(1);
  });

  it("ends in its time, and another device gets what waits for it @2.4", async () => {
    const { simulation, romeo, romeoHas, julietHas } = await verona();
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    const next = await simulation.crash();
    const phone = await next.login("juliet", "phone");
    phone.send("<presence/>");
    const back = await comesAgain(next, "romeo", resume(romeoHas.id, romeoHas.had));
    back.take();
    expect(messagesIn(phone.take())).toEqual([]);
    next.clock.advance(660_000);
    for (let turn = 0; turn < 6; turn++) await next.settle();
    expect(messagesIn(phone.take())).toEqual(["message one"]);
    expect(heard(back)).toContain("presence unavailable");
    expect(heard(await comesAgain(next, "juliet", resume(julietHas.id, julietHas.had)))).toEqual([
      "failed item-not-found",
    ]);
  });
});

describe("what is on record of sessions", () => {
  it("goes with them, and there is none of those that cannot be resumed @2.4", async () => {
    const simulation = await simulate("[limits]\nsm_queue = 3");
    const romeo = await simulation.login("romeo", "orchard");
    const clients: WireClient[] = [];
    for (const user of ["juliet", "nurse", "paris", "tybalt"])
      clients.push((await managed(simulation, user, "x", { presence: "<presence/>" })).client);
    await managed(simulation, "mercutio", "x", { attributes: "" });
    simulation.clock.advance(5000);
    await simulation.settle();
    const [juliet, nurse] = clients;
    expect(await records(simulation)).toEqual(
      ["juliet", "nurse", "paris", "tybalt"].map((user) => `${user}@localhost`),
    );
    juliet?.send("</stream:stream>");
    for (let n = 0; n < 4; n++) romeo.send(chat("paris", String(n)));
    await simulation.server.core.users.remove(JID.parse("tybalt@localhost"));
    await simulation.settle();
    expect(await records(simulation)).toEqual(["nurse@localhost"]);
    nurse?.cut();
    await simulation.login("nurse", "x");
    await simulation.settle();
    expect(await records(simulation)).toEqual([]);
  });

  it("costs one write for many acknowledgements @2.4", async () => {
    const { simulation, romeo, juliet, julietHas } = await verona();
    const version = async (): Promise<number | undefined> =>
      (await simulation.storage.get(SESSION_STORE.name, "juliet@localhost", julietHas.id))?.version;
    const before = (await version()) ?? 0;
    for (let n = 1; n <= 50; n++) {
      romeo.send(chat("juliet", String(n)));
      await simulation.settle();
      juliet.send(a(julietHas.had + n));
    }
    simulation.clock.advance(5000);
    await simulation.settle();
    expect(await version()).toBe(before + 1);
  });
});
