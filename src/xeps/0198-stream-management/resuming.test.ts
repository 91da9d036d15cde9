import { describe, expect, it } from "@jest/globals";
import { simulate, type Simulation } from "../../simulation/simulation.js";
import type { WireClient } from "../../simulation/wire-client.js";
import { timestamp } from "../../stanza/delay.js";
import { JID } from "../../stanza/jid.js";
import { NS } from "../../xml/namespaces.js";
import { a, chat, comesBack, enable, heard, managed, noStore, pendingOf, ping, r, resume } from "./sm.test.kit.js";

const ROSTER_SET = "<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>";

/** Juliet, who can resume, is online and has acknowledged her own presence; romeo has no stream management. */
async function verona(toml = "") {
  const simulation = await simulate(toml);
  const romeo = await simulation.login("romeo", "orchard");
  const { client: juliet, id } = await managed(simulation, "juliet", "balcony", { presence: "<presence/>" });
  juliet.send(a(1));
  await simulation.settle();
  juliet.take();
  return { simulation, romeo, juliet, id };
}

const directed = "<presence to='romeo@localhost/orchard'/>";
/** The messages that have arrived since the last look: their bodies, and the times they say they were sent. */
const stampsIn = (client: WireClient) =>
  client
    .take()
    .filter(({ name }) => name === "message")
    .map((message) => [
      message.getChildText("body"),
      message.getChildren("delay", NS.delay).map(({ attrs }) => String(attrs["stamp"])),
    ]);
const sessionsOf = (simulation: Simulation): number => simulation.server.core.sessions.count;

describe("a session that can be resumed", () => {
  it("goes on on another connection: what was not acknowledged comes again, in order, before anything new @2.4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    romeo.send(chat("juliet", "one") + chat("juliet", "two") + noStore("juliet", "three"));
    await simulation.settle();
    expect(heard(juliet)).toEqual(["message one", "message two", "message three"]);
    juliet.send(ping("p"));
    juliet.cut();
    await simulation.settle();
    romeo.send(chat("juliet", "four"));
    await simulation.settle();
    const back = await comesBack(simulation, "juliet", resume(id, 2));
    romeo.send(chat("juliet", "five"));
    await simulation.settle();
    // Sent before: her presence, one, two, three and the ping's result. She had her presence and one.
    expect(heard(back)).toEqual([
      "resumed 2",
      "message two",
      "message three",
      "iq result p",
      "message four",
      "message five",
    ]);
    expect(heard(romeo)).toEqual([]);
  });

  it("says of a message that waited when it came, if the message does not say so itself @2.4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    juliet.cut();
    await simulation.settle();
    const own = "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>";
    romeo.send(chat("juliet", "one") + chat("juliet", "two").replace("</body>", `</body>${own}`));
    await simulation.settle();
    const came = simulation.clock.now();
    simulation.clock.advance(60_000);
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    expect(stampsIn(back)).toEqual([
      ["one", [timestamp(came)]],
      ["two", ["2002-09-10T23:08:25Z"]],
    ]);
    romeo.send(chat("juliet", "three"));
    await simulation.settle();
    expect(stampsIn(back)).toEqual([["three", []]]);
  });

  it("and again after that, with counters that go on @2.4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    juliet.cut();
    await simulation.settle();
    let had = 1; // her presence
    for (const body of ["one", "two", "three"]) {
      romeo.send(chat("juliet", body));
      await simulation.settle();
      const back = await comesBack(simulation, "juliet", resume(id, had));
      back.send(ping(body) + r);
      await simulation.settle();
      had += 2;
      const handled = String((had + 1) / 2);
      const before = String((had - 1) / 2);
      expect(heard(back)).toEqual([`resumed ${before}`, `message ${body}`, `iq result ${body}`, `a ${handled}`]);
      back.cut();
      await simulation.settle();
    }
    expect(heard(await comesBack(simulation, "juliet", resume(id, had)))).toEqual(["resumed 4"]);
    await simulation.settle();
    expect(await pendingOf(simulation, "juliet")).toBe(0);
  });

  it("is told exactly what was handled: a commit under way is waited for @2.4", async () => {
    const { simulation, juliet, id } = await verona();
    simulation.storage.hold();
    juliet.send(ROSTER_SET + ping("p"));
    juliet.cut();
    await simulation.settle();
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    expect(heard(back)).toEqual([]);
    simulation.storage.release();
    await simulation.settle();
    expect(heard(back)).toEqual(["resumed 3", "iq result s", "iq result p"]);
  });

  it("takes over from a stream that is still there, which ends with conflict @2.4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    expect(heard(juliet)).toEqual(["stream:error conflict"]);
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    expect(heard(back)).toEqual(["resumed 1", "message one"]);
    expect(sessionsOf(simulation)).toBe(2);
  });

  it("has one winner when two come back at once @2.4 @R4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    simulation.storage.hold();
    juliet.send(ROSTER_SET);
    juliet.cut();
    const first = await comesBack(simulation, "juliet", resume(id, 1));
    const second = await comesBack(simulation, "juliet", resume(id, 1));
    simulation.storage.release();
    await simulation.settle();
    expect([heard(first), heard(second)]).toEqual([["failed item-not-found"], ["resumed 2", "iq result s"]]);
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    expect([heard(first), heard(second)]).toEqual([[], ["message one"]]);
    first.send(ping("x"));
    await simulation.settle();
    expect(heard(first)).toEqual(["stream:error not-authorized"]); // it may still bind, and nothing else
  });

  it("stays resumable when the one who resumes goes before all is handled @2.4", async () => {
    const { simulation, juliet, id } = await verona();
    simulation.storage.hold();
    juliet.send(ROSTER_SET);
    juliet.cut();
    const first = await comesBack(simulation, "juliet", resume(id, 1));
    first.cut();
    simulation.storage.release();
    await simulation.settle();
    const second = await comesBack(simulation, "juliet", resume(id, 1));
    expect(heard(second)).toEqual(["resumed 2", "iq result s"]);
  });

  it("is not given to another account, nor to a guess; who fails may bind @2.4 @R4", async () => {
    const { simulation, juliet, id } = await verona();
    juliet.cut();
    await simulation.account("mallory");
    for (const previd of [id, "", "x", `${id}A`]) {
      const mallory = await comesBack(simulation, "mallory", resume(previd, 1));
      expect(heard(mallory)).toEqual(["failed item-not-found"]);
      mallory.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
      await simulation.settle();
      expect(heard(mallory)).toEqual(["iq result b"]);
    }
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toEqual(["resumed 1"]);
  });

  it("must be asked for with a number, and not one that is too high or of long ago @2.4 @R4 @2.bad", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    juliet.cut();
    expect(heard(await comesBack(simulation, "juliet", resume(id, "x")))).toEqual(["failed bad-request"]);
    expect(heard(await comesBack(simulation, "juliet", resume(id, 0)))).toEqual(["failed item-not-found"]);
    const tooHigh = await comesBack(simulation, "juliet", resume(id, 40));
    expect(heard(tooHigh)).toEqual(["stream:error undefined-condition"]);
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toEqual(["resumed 1", "message one"]);
  });

  it.each<[string, (juliet: WireClient, simulation: Simulation) => void]>([
    ["the connection breaks", (juliet) => juliet.cut()],
    ["what she says is no XML", (juliet) => juliet.send("<!-- -->")],
    ["she has said nothing for long", (_, { server, clock }) => server.c2s.connections.sweep(clock.now() + 7_200_000)],
    ["the server ends the stream", (_, { server }) => [...server.c2s.connections].forEach((one) => one.shutDown())],
    [
      "she does not read",
      (juliet, { server }) => {
        juliet.stall();
        juliet.queuedBytes = 64 * 1024 * 1024;
        const account = server.core.accounts.peek(JID.parse("juliet@localhost"));
        account?.sessions.get("balcony")?.sink.send(account.sessions.get("balcony")?.presence ?? raise());
      },
    ],
  ])("outlives its stream when %s, and nobody is told @2.4", async (_, end) => {
    const { simulation, romeo, juliet, id } = await verona();
    juliet.send(directed);
    await simulation.settle();
    const watching = new Set([romeo, juliet]);
    for (const client of watching) client.take();
    end(juliet, simulation);
    await simulation.settle();
    const told = romeo.take().filter(({ attrs }) => attrs["type"] === "unavailable");
    expect(told).toEqual([]);
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toContain("resumed 2");
  });

  it.each([
    ["</stream:stream>", "resume='true'"],
    ["", ""],
  ])("but not the client's own goodbye (%s), and not without being asked for (%s) @2.4", async (bye, attributes) => {
    const simulation = await simulate();
    const romeo = await simulation.login("romeo", "orchard");
    const { client: juliet, id } = await managed(simulation, "juliet", "balcony", { attributes });
    juliet.send(directed);
    await simulation.settle();
    romeo.take();
    juliet.send(bye);
    juliet.cut();
    await simulation.settle();
    expect(heard(romeo)).toEqual(["presence unavailable"]);
    const back = await comesBack(simulation, "juliet", resume(id, 0));
    expect(heard(back)).toEqual([bye === "" ? "failed item-not-found" : "failed item-not-found 1"]);
  });

  it("of an anonymous account ends with its stream, and with it the account @2.4", async () => {
    const simulation = await simulate("anonymous = true");
    const client = simulation.connect();
    client.send(
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>" +
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>",
    );
    await simulation.settle();
    client.send(
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>" +
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    );
    await simulation.settle();
    client.send(enable());
    await simulation.settle();
    expect(client.take().at(-1)?.attrs["resume"]).toBeUndefined();
    client.cut();
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(0);
  });

  it("keeps its presence and gets its priority's messages meanwhile @2.4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    juliet.send(directed);
    juliet.cut();
    await simulation.settle();
    romeo.take();
    romeo.send(
      chat("juliet", "one") +
        "<iq type='get' id='v' to='juliet@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>",
    );
    await simulation.settle();
    expect(heard(romeo)).toEqual([]);
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    expect(heard(back)).toEqual(["resumed 2", "message one", "iq get v"]);
  });

  it("has the read of its stored messages go on while nobody is there @2.4", async () => {
    const { simulation, romeo } = await verona();
    await simulation.account("paris");
    for (let n = 0; n < 100; n++) romeo.send(chat("paris", String(n)));
    await simulation.settle();
    const { client: paris, id } = await managed(simulation, "paris", "church");
    paris.send("<presence/>");
    paris.cut();
    for (let turn = 0; turn < 10; turn++) await simulation.settle();
    const back = await comesBack(simulation, "paris", resume(id, 0));
    expect(heard(back).filter((one) => one.startsWith("message"))).toEqual(
      Array.from({ length: 100 }, (_, n) => `message ${String(n)}`),
    );
  });
});

function raise(): never {
  throw new Error("she has no presence");
}

describe("the end of a session that nobody resumed (rulings 9)", () => {
  it("comes after max, with unavailable presence for everybody, also who was told directly @2.4", async () => {
    const simulation = await simulate();
    const romeo = await simulation.login("romeo", "orchard");
    const { client: juliet, id } = await managed(simulation, "juliet", "balcony", {
      attributes: "resume='true' max='60'",
      presence: "<presence/>",
    });
    const { client: phone } = await managed(simulation, "juliet", "phone", { presence: "<presence/>" });
    juliet.send(directed);
    await simulation.settle();
    for (const client of [romeo, phone]) client.take();
    juliet.cut();
    simulation.clock.advance(59_999);
    await simulation.settle();
    expect(heard(romeo)).toEqual([]);
    simulation.clock.advance(1);
    await simulation.settle();
    expect([heard(romeo), heard(phone)]).toEqual([
      ["presence unavailable"],
      expect.arrayContaining(["presence unavailable"]),
    ]);
    // What was handled is known exactly: two stanzas of hers.
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toEqual(["failed item-not-found 2"]);
    await simulation.account("mallory");
    expect(heard(await comesBack(simulation, "mallory", resume(id, 1)))).toEqual(["failed item-not-found"]);
  });

  it("comes after sm_resume, however long the client asked for @2.4 @limit.sm_resume", async () => {
    const simulation = await simulate("[limits]\nsm_resume = '10s'");
    const { client: juliet } = await managed(simulation, "juliet", "balcony", {
      attributes: "resume='true' max='60'",
      presence: "<presence/>",
    });
    juliet.cut();
    simulation.clock.advance(9999);
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(1);
    simulation.clock.advance(1);
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(0);
  });

  it("leaves no timer behind @2.4", async () => {
    const { simulation, juliet, id } = await verona();
    const before = simulation.clock.waiting;
    juliet.cut();
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    back.cut();
    simulation.clock.advance(600_000);
    await simulation.settle();
    expect(simulation.clock.waiting).toBeLessThanOrEqual(before);
    expect(sessionsOf(simulation)).toBe(1);
  });

  it("each message once: what can be kept waits for the next login, what cannot is refused, requests are refused @2.4", async () => {
    const { simulation, romeo, juliet } = await verona();
    juliet.send(directed);
    juliet.cut();
    await simulation.settle();
    romeo.take();
    romeo.send("<presence/>");
    romeo.send(chat("juliet", "kept") + noStore("juliet", "burns"));
    romeo.send("<iq type='get' id='v' to='juliet@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>");
    romeo.send("<message type='headline' to='juliet@localhost'><body>news</body></message>");
    await simulation.settle();
    romeo.take();
    simulation.clock.advance(600_000);
    await simulation.settle();
    expect([...heard(romeo)].sort()).toEqual(["iq error v service-unavailable", "presence unavailable"]);
    const again = await simulation.login("juliet", "balcony");
    again.send("<presence/>");
    await simulation.settle();
    expect(heard(again)).toEqual(["presence", "message kept"]);
    again.send("</stream:stream>");
    await simulation.settle();
    const third = await simulation.login("juliet", "balcony");
    third.send("<presence/>");
    await simulation.settle();
    expect(heard(third)).toEqual(["presence"]);
  });

  it("a message that may not be kept is refused to who may know that she is away @2.4", async () => {
    const { simulation, romeo, juliet } = await verona();
    romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
    await simulation.settle();
    juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
    await simulation.settle();
    juliet.cut();
    romeo.send(noStore("juliet", "burns"));
    await simulation.settle();
    romeo.take();
    simulation.clock.advance(600_000);
    await simulation.settle();
    expect(heard(romeo)).toContain("message error service-unavailable");
    expect(await pendingOf(simulation, "juliet")).toBe(0);
  });

  it("another device that is there gets what was for the lost one alone, and not twice what it has @2.4", async () => {
    const { simulation, romeo, juliet } = await verona();
    const { client: phone } = await managed(simulation, "juliet", "phone", { presence: "<presence/>" });
    phone.take();
    juliet.cut();
    romeo.send(chat("juliet", "both") + chat("juliet", "alone").replace("@localhost", "@localhost/balcony"));
    await simulation.settle();
    expect(heard(phone)).toEqual(["message both"]);
    const came = simulation.clock.now();
    simulation.clock.advance(600_000);
    await simulation.settle();
    expect(stampsIn(phone)).toEqual([["alone", [timestamp(came)]]]);
  });

  it("a device that came while she was lost gets what waited, once @2.4", async () => {
    const { simulation, romeo, juliet } = await verona();
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    juliet.cut();
    await simulation.settle();
    const phone = await simulation.login("juliet", "phone");
    phone.send("<presence/>");
    await simulation.settle();
    expect(heard(phone).filter((one) => one.startsWith("message"))).toEqual([]);
    simulation.clock.advance(600_000);
    for (let turn = 0; turn < 4; turn++) await simulation.settle();
    expect(heard(phone).filter((one) => one.startsWith("message"))).toEqual(["message one"]);
    expect(await pendingOf(simulation, "juliet")).toBe(0);
  });

  it("what another device has acknowledged waits for nobody @2.4", async () => {
    const { simulation, romeo, juliet } = await verona();
    const { client: phone } = await managed(simulation, "juliet", "phone", { presence: "<presence/>" });
    juliet.cut();
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    phone.send(a(heard(phone).length));
    await simulation.settle();
    simulation.clock.advance(600_000);
    await simulation.settle();
    expect(await pendingOf(simulation, "juliet")).toBe(0);
  });

  it("a room is told, once, that its occupant has gone @2.4", async () => {
    const { simulation, romeo, juliet } = await verona();
    juliet.cut();
    const groupchat = "<message type='groupchat' to='juliet@localhost/balcony'><body>x</body></message>";
    romeo.send(groupchat + groupchat);
    await simulation.settle();
    simulation.clock.advance(600_000);
    await simulation.settle();
    expect(heard(romeo)).toEqual(["message error service-unavailable"]);
  });

  it("a new session of the same resource ends it, and gets what it had not @2.4", async () => {
    const { simulation, romeo, juliet, id } = await verona();
    romeo.send(chat("juliet", "one"));
    await simulation.settle();
    juliet.cut();
    await simulation.settle();
    const again = await simulation.login("juliet", "balcony");
    again.send("<presence/>");
    await simulation.settle();
    expect(heard(again)).toEqual(["presence", "message one"]);
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toEqual(["failed item-not-found 1"]);
  });

  it("makes room for a new one where an account may have no more @2.4", async () => {
    const { simulation, juliet } = await verona("[limits]\nresources_per_account = 2");
    await simulation.login("juliet", "garden");
    juliet.cut();
    await simulation.settle();
    const hall = await simulation.login("juliet", "hall");
    expect(hall.heard).toContain("/hall</jid>");
    expect(sessionsOf(simulation)).toBe(3);
  });

  it("comes with the removal of the account, and not with a new password @2.4", async () => {
    const { simulation, juliet, id } = await verona();
    const { users } = simulation.server.core;
    juliet.cut();
    await simulation.settle();
    await users.setPassword(JID.parse("juliet@localhost"), "secret");
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toEqual(["resumed 1"]);
    await users.remove(JID.parse("juliet@localhost"));
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(1);
    await simulation.account("juliet");
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    expect(heard(back).join()).toContain("failed item-not-found");
  });
});

describe("what is not acknowledged is bounded", () => {
  it("beyond sm_queue a lost session is ended, and its messages wait in the log @2.4 @2.bad @limit.sm_queue", async () => {
    const { simulation, romeo, juliet, id } = await verona("[limits]\nsm_queue = 3");
    juliet.cut();
    for (const body of ["one", "two", "three"]) romeo.send(chat("juliet", body));
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(2);
    romeo.send(chat("juliet", "four"));
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(1);
    expect(heard(await comesBack(simulation, "juliet", resume(id, 1)))).toEqual(["failed item-not-found 1"]);
    expect(await pendingOf(simulation, "juliet")).toBe(4);
  });

  it("beyond sm_queue_bytes a session goes on, but cannot be resumed, and what it acknowledges is settled @2.4 @limit.sm_queue_bytes", async () => {
    const { simulation, romeo, juliet, id } = await verona(
      '[limits]\nsm_queue_bytes = 65536\n[archive]\ndefault = "never"',
    );
    const long = "x".repeat(30_000);
    for (let n = 0; n < 3; n++) romeo.send(chat("juliet", long));
    await simulation.settle();
    expect(await pendingOf(simulation, "juliet")).toBe(1);
    juliet.send(a(4));
    romeo.send(chat("juliet", "last"));
    await simulation.settle();
    juliet.send(a(5));
    await simulation.settle();
    juliet.cut();
    await simulation.settle();
    expect(sessionsOf(simulation)).toBe(1);
    expect(heard(await comesBack(simulation, "juliet", resume(id, 5)))).toEqual(["failed item-not-found 1"]);
    expect(simulation.events.filter(({ ev }) => ev === "sm.queue_full")).toHaveLength(1);
  });
});

describe("a commit of which nobody knows", () => {
  it("ends the stream without counting; after resuming, the client sends it again @2.4", async () => {
    const { simulation, juliet, id } = await verona();
    juliet.send(r); // what is handled so far is on record
    await simulation.settle();
    simulation.storage.failNext("unknown", { commits: 40 }); // more than are tried in storage.timeout
    juliet.send(ROSTER_SET + ping("p"));
    for (let second = 0; second < 40; second++) {
      simulation.clock.advance(1000);
      await simulation.settle();
    }
    expect(heard(juliet)).toContain("stream:error internal-server-error");
    const back = await comesBack(simulation, "juliet", resume(id, 1));
    expect(heard(back)[0]).toBe("resumed 1");
    back.send(ping("q") + r);
    for (let more = 0; more < 40; more++) {
      simulation.clock.advance(250); // until the store is well
      await simulation.settle();
    }
    expect(heard(back)).toContain("a 2");
  });
});
