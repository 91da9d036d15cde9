import { describe, expect, it } from "@jest/globals";
import { header, simulate, until } from "../../simulation/simulation.js";
import { JID } from "../../stanza/jid.js";
import { NS } from "../../xml/namespaces.js";
import { a, chat, enable, heard, managed, pendingOf, ping, r, resume, seen, storedOf } from "./sm.test.kit.js";

const ROSTER_SET = "<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>";

describe("stream management is offered and asked for (XEP-0198 §3)", () => {
  it("after authentication, and not before @2.4", async () => {
    const simulation = await simulate();
    await simulation.account("juliet");
    const client = simulation.connect();
    client.send(header("localhost"));
    const offers = (): boolean | undefined =>
      client
        .take()
        .find(({ name }) => name === "stream:features")
        ?.getChild("sm", NS.streamManagement) !== undefined;
    expect(offers()).toBe(false);
    const logged = await simulation.login("juliet", "balcony");
    expect(logged.heard.split("<success")[1]).toContain(`<sm xmlns='${NS.streamManagement}'/>`);
  });

  it.each([
    ["resume='true'", { resume: "true", max: "600" }, true],
    ["resume='1' max='30'", { resume: "true", max: "30" }, true],
    ["resume='true' max='86400'", { resume: "true", max: "600" }, true],
    ["", {}, false],
    ["resume='false' max='30'", {}, false],
  ])("with the attributes %s @2.4", async (attributes, terms, hasId) => {
    const simulation = await simulate();
    const client = await simulation.login("juliet", "balcony");
    client.send(enable(attributes));
    const [enabled] = await until(simulation, client, "enabled");
    const { id, xmlns, ...rest } = enabled?.attrs as Record<string, string>;
    expect([rest, xmlns]).toEqual([terms, NS.streamManagement]);
    if (hasId) expect(Buffer.from(id ?? "", "base64url")).toHaveLength(16);
    else expect(id).toBeUndefined();
  });

  it("and told where to reconnect, if the operator says so @2.4", async () => {
    const simulation = await simulate("[stream_management]\nlocation = '[2001:db8::1]:5222'");
    const client = await simulation.login("juliet", "balcony");
    client.send(enable());
    const [enabled] = await until(simulation, client, "enabled");
    expect(enabled?.attrs["location"]).toBe("[2001:db8::1]:5222");
  });

  it("not before a resource is bound, not twice, and not with nonsense @2.4 @2.bad", async () => {
    const simulation = await simulate();
    await simulation.account("juliet");
    const early = simulation.connect();
    early.send(header("localhost") + enable() + resume("x", 0) + r + a(0));
    await simulation.settle();
    expect(seen(early)).toEqual(new Array<string>(4).fill("failed unexpected-request"));
    const { client } = await managed(simulation, "juliet", "balcony");
    client.send(enable() + resume("x", 0));
    await simulation.settle();
    expect(seen(client)).toEqual(["failed unexpected-request", "failed unexpected-request"]);
    const other = await simulation.login("juliet", "garden");
    other.send(enable("max='0'") + enable("max='-1'") + enable("max='soon'") + r + a(1));
    await simulation.settle();
    expect(seen(other)).toEqual([
      ...new Array<string>(3).fill("failed bad-request"),
      ...new Array<string>(2).fill("failed unexpected-request"),
    ]);
    other.send(enable());
    await simulation.settle();
    expect(seen(other)).toEqual(["enabled"]);
  });
});

describe("what the client sends is counted (XEP-0198 §4)", () => {
  it("from <enable/> on, stanzas only, also those that could not be read @2.4", async () => {
    const simulation = await simulate();
    const client = await simulation.login("juliet", "balcony");
    client.send(ping("before"));
    client.send(enable());
    client.send(r + ping("1") + a(0) + "<iq type='get'/>" + "<message to='@@'/>" + chat("nobody", "x") + r);
    await simulation.settle();
    const all = seen(client);
    expect(all.filter((one) => one.startsWith("a "))).toEqual(["a 0", "a 4"]);
    expect(all.slice(0, 3)).toEqual(["iq result before", "enabled", "a 0"]);
  });

  it("no more than is durable: <r/> waits for the commit @2.4", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony");
    simulation.storage.hold();
    client.send(ping("1") + ROSTER_SET + ping("2") + r);
    await simulation.settle();
    expect(seen(client)).toEqual(["iq result 1"]);
    simulation.storage.release();
    await simulation.settle();
    expect(seen(client)).toEqual(["iq result s", "iq result 2", "a 3"]);
  });

  it("at the latest after ack_wait <r/> is answered with what is durable, and the rest follows unasked @2.4 @limit.ack_wait", async () => {
    const simulation = await simulate("[limits]\nack_wait = '250ms'");
    const { client } = await managed(simulation, "juliet", "balcony");
    simulation.storage.hold();
    client.send(ping("1") + ROSTER_SET + r);
    simulation.clock.advance(249);
    expect(seen(client)).toEqual(["iq result 1"]);
    simulation.clock.advance(1);
    expect(seen(client)).toEqual(["a 0"]);
    simulation.storage.release();
    await simulation.settle();
    expect(seen(client)).toEqual(["iq result s", "a 2"]);
  });

  it("every <r/> has its answer, and a flood of them is not kept @2.4 @2.bad", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony");
    client.send(r + r + r);
    await simulation.settle();
    expect(seen(client)).toEqual(["a 0", "a 0", "a 0"]);
    simulation.storage.hold();
    client.send(ROSTER_SET + r.repeat(200));
    await simulation.settle();
    expect(seen(client).length).toBeGreaterThan(100);
  });

  it("past 2^32 it begins again at zero, both ways @2.4 @R4", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony");
    const session = simulation.server.core.accounts.peek(JID.parse("juliet@localhost"))?.sessions.get("balcony");
    session?.management?.continueAt({ sent: 2 ** 32 - 1, acknowledged: 2 ** 32 - 1, handled: 2 ** 32 - 2 });
    client.send(ping("1") + ping("2") + ping("3") + r);
    await simulation.settle();
    expect(seen(client)).toEqual(["iq result 1", "iq result 2", "iq result 3", "a 1"]);
    expect(session?.management?.copies.sent).toBe(2);
    client.send(a(2 ** 32 - 1) + a(0) + a(2));
    expect(session?.management?.copies.outstanding).toBe(0);
    client.send(a(40));
    expect(seen(client)).toEqual(["stream:error undefined-condition"]);
  });

  it("an unreadable count ends the stream @2.4 @2.bad @R4", async () => {
    for (const h of ["", "-1", "1.5", "4294967296", "x"]) {
      const simulation = await simulate();
      const { client } = await managed(simulation, "juliet", "balcony");
      client.send(a(h));
      expect(seen(client)).toEqual(["stream:error bad-format"]);
    }
  });
});

describe("what the server sends is kept until it is acknowledged", () => {
  it("the server asks at the end of a turn in which a message or a request went, of all else now and then @2.4", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony", { presence: "<presence/>" });
    client.send(ping("1"));
    await simulation.settle();
    simulation.clock.advance(60_000);
    expect(seen(client)).toEqual(["presence", "iq result 1"]);
    client.send(chat("juliet", "to myself") + chat("juliet", "again"));
    await simulation.settle();
    expect(seen(client)).toEqual(["message to myself", "message again", "r"]);
    client.send(a(4));
    for (let n = 0; n < 40; n++) client.send(ping(String(n)));
    await simulation.settle();
    expect(seen(client).filter((one) => one === "r")).toHaveLength(2);
  });

  it("without asking again while the answer is awaited, and at once when there is more @2.4", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony", { presence: "<presence/>" });
    client.send(chat("juliet", "one"));
    await simulation.settle();
    client.send(chat("juliet", "two"));
    await simulation.settle();
    simulation.clock.advance(10_000);
    expect(seen(client)).toEqual(["presence", "message one", "r", "message two"]);
    client.send(a(2));
    await simulation.settle();
    expect(seen(client)).toEqual(["r"]);
  });

  it("more acknowledged than was sent ends the stream with handled-count-too-high @2.4 @R4", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony");
    client.send(ping("1"));
    client.send(a(1 + 1 + 1)); // one sent, and the answer to the binding before; one more is too many
    const [, error] = client.take();
    expect(error?.getChild("undefined-condition")).toBeDefined();
    expect(error?.getChild("handled-count-too-high")?.attrs).toMatchObject({ h: "3", "send-count": "1" });
    expect(client.heard.endsWith("</stream:stream>")).toBe(true);
  });

  it("who also counts what came before <enabled/> is forgiven, and it is logged once @2.4", async () => {
    const simulation = await simulate();
    const client = await simulation.login("juliet", "balcony");
    client.send(ping("0") + enable() + ping("1") + a(3) + ping("2") + a(4));
    await simulation.settle();
    expect(seen(client)).toEqual(["iq result 0", "enabled", "iq result 1", "iq result 2"]);
    expect(simulation.events.filter(({ ev }) => ev === "sm.clamped")).toHaveLength(1);
    client.send(a(5));
    expect(seen(client)).toEqual(["stream:error undefined-condition"]);
  });

  it("an acknowledgement of before changes nothing @2.4 @R4", async () => {
    const simulation = await simulate();
    const { client } = await managed(simulation, "juliet", "balcony");
    client.send(ping("1") + ping("2") + a(2) + a(1) + a(0) + ping("3") + a(3) + r);
    await simulation.settle();
    expect(seen(client).slice(-1)).toEqual(["a 3"]);
  });

  it("presence and <enable/> in one packet give <enabled/> before 500 stored messages @2.4", async () => {
    const simulation = await simulate();
    const romeo = await simulation.login("romeo", "orchard");
    await simulation.account("juliet");
    for (let n = 0; n < 500; n++) romeo.send(chat("juliet", String(n)));
    await simulation.settle();
    const juliet = await simulation.login("juliet", "balcony");
    juliet.send("<presence/>" + enable());
    for (let turn = 0; turn < 20; turn++) await simulation.settle();
    const all = seen(juliet);
    expect(all.slice(0, 2)).toEqual(["presence", "enabled"]);
    expect(all.filter((one) => one.startsWith("message"))).toHaveLength(500);
    expect(await pendingOf(simulation, "juliet")).toBe(500);
    juliet.send(a(500));
    await simulation.settle();
    expect(await pendingOf(simulation, "juliet")).toBe(0);
  });
});

describe("a message to somebody who is there (engineering 3)", () => {
  async function lovers(options: { readonly managedJuliet: boolean }) {
    const simulation = await simulate('[archive]\ndefault = "never"');
    const { client: romeo } = await managed(simulation, "romeo", "orchard");
    const juliet = options.managedJuliet
      ? (await managed(simulation, "juliet", "balcony", { presence: "<presence/>" })).client
      : await simulation.login("juliet", "balcony");
    if (!options.managedJuliet) juliet.send("<presence/>");
    await simulation.settle();
    juliet.take();
    return { simulation, romeo, juliet };
  }

  it("is not written, and counted when she has acknowledged it; others are not held up @2.4", async () => {
    const { simulation, romeo, juliet } = await lovers({ managedJuliet: true });
    romeo.send(chat("juliet", "one") + ping("p") + r);
    await simulation.settle();
    expect(heard(juliet)).toEqual(["message one"]);
    expect(heard(romeo)).toEqual(["iq result p"]);
    juliet.send(a(2)); // her own presence, and the message
    await simulation.settle();
    expect(heard(romeo)).toEqual(["a 2"]);
    expect(await storedOf(simulation, "juliet")).toBe(0);
  });

  it("is counted once her socket has taken it, if she acknowledges nothing @2.4", async () => {
    const { simulation, romeo, juliet } = await lovers({ managedJuliet: false });
    juliet.stall();
    juliet.queuedBytes = 1;
    romeo.send(chat("juliet", "one") + r);
    await simulation.settle();
    expect(heard(romeo)).toEqual([]);
    juliet.flow();
    await simulation.settle();
    expect(heard(romeo)).toEqual(["a 1"]);
    expect(await storedOf(simulation, "juliet")).toBe(0);
  });

  it("is written, hidden and pending, and then counted, when ack_wait has passed @2.4", async () => {
    const { simulation, romeo, juliet } = await lovers({ managedJuliet: true });
    romeo.send(chat("juliet", "one") + r);
    await simulation.settle();
    simulation.clock.advance(250);
    await simulation.settle();
    expect(heard(romeo)).toEqual(["a 0", "a 1"]);
    const [row] = await simulation.storage.log("juliet@localhost", { limit: 1 });
    expect(row).toMatchObject({ pending: true, hidden: true, with: "romeo@localhost" });
    juliet.send(a(2));
    await simulation.settle();
    expect(await pendingOf(simulation, "juliet")).toBe(0);
  });

  it("is written and counted when she goes without having taken it, and waits for her @2.4", async () => {
    const { simulation, romeo, juliet } = await lovers({ managedJuliet: false });
    juliet.stall();
    juliet.queuedBytes = 1;
    romeo.send(chat("juliet", "one") + r);
    await simulation.settle();
    juliet.cut();
    await simulation.settle();
    expect(heard(romeo)).toEqual(["a 1"]);
    const again = await simulation.login("juliet", "balcony");
    again.send("<presence/>");
    await simulation.settle();
    expect(heard(again)).toEqual(["presence", "message one"]);
  });

  it("is tried again while the store does not take it, and not counted before @2.4 @2.bad", async () => {
    const { simulation, romeo } = await lovers({ managedJuliet: true });
    simulation.storage.failNext("refused");
    romeo.send(chat("juliet", "one") + r);
    await simulation.settle();
    simulation.clock.advance(250);
    await simulation.settle();
    expect(heard(romeo)).toEqual(["a 0"]);
    simulation.clock.advance(250);
    await simulation.settle();
    expect(heard(romeo)).toEqual(["a 1"]);
    expect(await pendingOf(simulation, "juliet")).toBe(1);
  });
});
