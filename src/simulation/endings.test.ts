import { describe, expect, it } from "@jest/globals";
import { auth, bind, clientAt, conditionOf, expectEnd, SASL } from "./attack.test.kit.js";
import { header, PASSWORD, simulate, type Simulation, until } from "./simulation.js";
import { WireClient } from "./wire-client.js";

describe("a stream that the server has ended", () => {
  it("waits for the peer's closing tag, then for it to go, and no longer than close_timeout @1.2 @limit.close_timeout", async () => {
    const { login, clock, server } = await simulate("[limits]\nclose_timeout = '5s'");
    const juliet = await login("juliet", "balcony", new WireClient({ lingers: true }));
    juliet.send("<unheard-of/>");
    clock.advance(2499);
    expect(juliet.isEnded).toBe(false);
    clock.advance(1);
    expect(juliet.isEnded).toBe(true);
    expect(server.c2s.connections.size).toBe(1);
    clock.advance(2499);
    expect(juliet.isClosed).toBe(false);
    clock.advance(1);
    expect(juliet.isClosed).toBe(true);
    expect(server.c2s.connections.size).toBe(0);
  });

  it.each([
    ["answers", "<unheard-of/>", "</stream:stream>"],
    ["has closed it first", "</stream:stream>", ""],
    ["cannot be understood", "<!-- -->", ""],
    ["makes no sense any more", "<unheard-of/>", "<a></b>"],
  ])("closes the connection at once when the peer %s @1.2", async (_, first, then) => {
    const { login, clock } = await simulate();
    const juliet = await login("juliet", "balcony", new WireClient({ lingers: true }));
    juliet.send(first);
    clock.turn();
    juliet.send(then);
    clock.turn();
    expect(juliet.isEnded).toBe(true);
    expect(juliet.isClosed).toBe(false);
    clock.advance(5000);
    expect(juliet.isClosed).toBe(true);
  });

  it("finds the peer's closing tag among what has not been read for want of room, and drops the rest @1.2", async () => {
    const { login, clock, settle, storage, server } = await simulate("[limits]\ninflight_stanzas = 1");
    const juliet = await login("juliet", "balcony", new WireClient({ lingers: true }));
    storage.hold();
    const message = "<message to='juliet@localhost' type='chat'><body>hi</body></message>";
    juliet.send(message.repeat(9) + "</stream:stream>");
    await settle();
    expect(juliet.isPaused).toBe(true);
    for (const stream of [...server.c2s.connections]) stream.shutDown();
    expect(juliet.isEnded).toBe(false);
    clock.turn();
    expect(juliet.isEnded).toBe(true);
    storage.release();
    await settle();
    expect(await server.core.context.storage.countLog("juliet@localhost", { pending: true })).toBeLessThan(9);
  });

  it("is not waited for long when the server stops @1.1", async () => {
    const { login, clock, server } = await simulate("[limits]\nclose_timeout = '1h'");
    const juliet = await login("juliet", "balcony", new WireClient({ lingers: true }));
    const romeo = await login("romeo", "orchard", new WireClient({ lingers: true }));
    romeo.send("<unheard-of/>"); // already waited for
    await server.stop();
    expectErrorOnly(juliet, "system-shutdown");
    clock.advance(2000);
    expect([juliet.isClosed, romeo.isClosed]).toEqual([true, true]);
  });

  it("leaves no timer and no connection behind, however it ended @1.2 @X5", async () => {
    const simulation = await simulate();
    const { clock, connect, server, settle } = simulation;
    const idle = clock.waiting;
    const ways: readonly ((client: WireClient) => void)[] = [
      (client) => client.cut(),
      (client) => client.send("</stream:stream>"),
      (client) => client.send("<!-- -->"),
      (client) => client.send("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
    ];
    for (const end of ways) {
      const early = connect();
      early.send(header("localhost"));
      end(early);
      end(await clientAt("before binding", simulation));
      end(await clientAt("in a session", simulation));
    }
    await settle();
    expect(clock.waiting).toBe(idle);
    expect(server.c2s.connections.size).toBe(0);
    expect(server.core.sessions.count).toBe(0);
  });

  it.each([
    ["the peer's closing tag", "</stream:stream>"],
    ["our own", "<unheard-of/>"],
  ])("ignores what still comes from the peer after %s @1.2", async (_, end) => {
    const { login, settle, clock } = await simulate();
    const romeo = await login("romeo", "orchard");
    const juliet = await login("juliet", "balcony", new WireClient({ lingers: true }));
    juliet.send(`${end}<message to='romeo@localhost/orchard'><body>late</body></message>`);
    juliet.send("<message to='romeo@localhost/orchard'><body>too late</body></message>");
    juliet.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq><presence/>");
    await settle();
    expect(romeo.take()).toEqual([]);
    expect(juliet.heard.endsWith("</stream:stream>")).toBe(true);
    clock.advance(60_000);
    expect(juliet.isClosed).toBe(true);
    expect(juliet.heard.endsWith("</stream:stream>")).toBe(true);
  });

  it("answers the peer's stream error with the end only, never with another error @1.2 @X9", async () => {
    const simulation = await simulate();
    const client = await clientAt("in a session", simulation);
    client.send("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    await simulation.settle();
    expect(client.take()).toEqual([]);
    expect(client.heard.endsWith("</stream:stream>")).toBe(true);
    expect(client.isEnded).toBe(true);
  });

  it("is closed when nobody has bound a resource for idle_timeout @1.2 @limit.idle_timeout", async () => {
    const simulation = await simulate("[limits]\nidle_timeout = '1min'");
    const client = await clientAt("before binding", simulation);
    simulation.server.c2s.connections.sweep(simulation.clock.now() + 60_001);
    simulation.clock.turn();
    expectEnd(client, "connection-timeout");
  });
});

describe("a client that has removed its account", () => {
  const remove = "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>";

  async function removed(): Promise<Simulation & { readonly juliet: WireClient; readonly phone: WireClient }> {
    const simulation = await simulate();
    const juliet = await simulation.login("juliet", "balcony", new WireClient({ lingers: true }));
    const phone = await simulation.login("juliet", "phone");
    juliet.send(remove);
    await until(simulation, juliet, "iq");
    return { ...simulation, juliet, phone };
  }

  it("may close its stream itself, and hears no error then @1.8", async () => {
    const { juliet, clock } = await removed();
    juliet.send("<presence type='unavailable'/></stream:stream>");
    clock.turn();
    expect(juliet.take()).toEqual([]);
    expect(juliet.heard.endsWith("</stream:stream>")).toBe(true);
    expect(juliet.isEnded).toBe(true);
  });

  it("is told not-authorized after a second if it does not @1.8", async () => {
    const { juliet, clock } = await removed();
    clock.advance(999);
    expect(juliet.heard).not.toContain("stream:error");
    clock.advance(1);
    expectErrorOnly(juliet, "not-authorized");
  });

  it("has no session any more, and its other devices hear the error at once @1.8", async () => {
    const { juliet, phone, login, settle, server } = await removed();
    expectEnd(phone, "not-authorized");
    const romeo = await login("romeo", "orchard");
    juliet.send("<message to='romeo@localhost/orchard'><body>still here?</body></message>");
    juliet.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    await settle();
    expect([juliet.take(), romeo.take()]).toEqual([[], []]);
    expect(server.core.sessions.count).toBe(1);
  });

  it("is told system-shutdown if the server stops meanwhile @1.1", async () => {
    const { juliet, server } = await removed();
    await server.stop();
    expectErrorOnly(juliet, "system-shutdown");
  });
});

/** The last that the client heard is this stream error; its connection may still be open. */
function expectErrorOnly(client: WireClient, condition: string): void {
  expect(client.take().map(conditionOf)).toEqual([condition]);
  expect(client.heard.endsWith("</stream:stream>")).toBe(true);
}

describe("while accounts cannot be read", () => {
  it("a login is put off, not refused, and the stream goes on @1.4", async () => {
    const before = await simulate();
    await before.login("juliet", "balcony");
    const simulation = await before.restart(); // nobody is in memory any more
    simulation.storage.breakLoads(true);
    const client = simulation.connect();
    client.send(header("localhost") + auth("PLAIN", `\0juliet\0${PASSWORD}`));
    const failure = (await until(simulation, client, "failure")).at(-1);
    expect(failure?.getChildElements().map(({ name }) => name)).toEqual(["temporary-auth-failure"]);
    expect(simulation.events).toContainEqual(expect.objectContaining({ ev: "auth.unavailable" }));
    expect(client.isEnded).toBe(false);
  });

  it("binding is refused with wait, and the stream goes on @1.5", async () => {
    const simulation = await simulate("[limits]\naccount_cache_bytes = '1B'");
    const client = await clientAt("before binding", simulation);
    simulation.storage.breakLoads(true);
    client.send(bind("balcony"));
    const [refused] = await until(simulation, client, "iq");
    expect(refused?.getChild("error")?.attrs["type"]).toBe("wait");
    expect(refused?.getChild("error")?.getChild("resource-constraint")).toBeDefined();
    simulation.storage.breakLoads(false);
    client.send(bind("balcony"));
    const [bound] = await until(simulation, client, "iq");
    expect(bound?.attrs["type"]).toBe("result");
  });
});

describe("an anonymous account", () => {
  const enter = header("localhost") + `<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>`;
  const permissive = "anonymous = true";

  async function everybody({ server }: Simulation): Promise<readonly string[]> {
    const all: string[] = [];
    for await (const jid of server.core.users.list()) all.push(jid);
    return all;
  }

  async function entered(simulation: Simulation): Promise<WireClient> {
    const client = simulation.connect();
    client.send(enter);
    await until(simulation, client, "success");
    return client;
  }

  it("can be bound, and is gone with all it has stored when its stream ends @1.4", async () => {
    const simulation = await simulate(permissive);
    const client = await entered(simulation);
    client.send(header("localhost") + bind("x"));
    const jid = (await until(simulation, client, "iq")).at(-1)?.getChild("bind")?.getChildText("jid");
    expect([`${(await everybody(simulation)).join()}/x`]).toEqual([jid]);
    client.send("<presence/><iq type='set' id='v'><query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query></iq>");
    await until(simulation, client, "iq");
    client.send("</stream:stream>");
    await simulation.settle();
    expect(await everybody(simulation)).toEqual([]);
    const owner = jid?.replace("/x", "") ?? "";
    expect([...simulation.disk.cellsOf("private", owner)]).toEqual([]);
  });

  it("is gone also when its stream ends before it is bound @1.4", async () => {
    const simulation = await simulate(permissive);
    const client = await entered(simulation);
    expect(await everybody(simulation)).toHaveLength(1);
    client.cut();
    await simulation.settle();
    expect(await everybody(simulation)).toEqual([]);
  });

  it("is gone also when its stream ended while it was made @1.4", async () => {
    const simulation = await simulate(permissive);
    simulation.storage.hold();
    const client = simulation.connect();
    client.send(enter);
    await simulation.settle();
    client.cut();
    simulation.storage.release();
    await simulation.settle();
    expect(simulation.storage.commits).toBeGreaterThan(1);
    expect(await everybody(simulation)).toEqual([]);
  });

  it("is gone after a crash once the server has started again @1.4", async () => {
    const { disk, clock, ...simulation } = await simulate(permissive);
    await entered({ disk, clock, ...simulation });
    const next = await simulate(permissive, disk, clock);
    expect(await everybody(next)).toEqual([]);
  });

  it("is not made while the store refuses, and the client is told to come later @1.4", async () => {
    const simulation = await simulate(permissive);
    simulation.storage.failNext("refused");
    const client = simulation.connect();
    client.send(enter);
    const failure = (await until(simulation, client, "failure")).at(-1);
    expect(failure?.getChild("temporary-auth-failure")).toBeDefined();
    expect(await everybody(simulation)).toEqual([]);
  });

  it("cannot be logged in to by a password @1.4", async () => {
    const simulation = await simulate(permissive);
    await entered(simulation);
    const [name = ""] = (await everybody(simulation))[0]?.split("@") ?? [];
    const client = simulation.connect();
    client.send(header("localhost") + auth("PLAIN", `\0${name}\0${PASSWORD}`));
    const failure = (await until(simulation, client, "failure")).at(-1);
    expect(failure?.getChild("not-authorized")).toBeDefined();
  });
});
