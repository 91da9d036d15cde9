// What the core promises of every stanza: nothing is delivered, answered or counted before it is durable; the effects of a session keep
// its order; what fails leaves no trace, in memory or in the store; who sends too much is not read.
import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { rosterOf } from "../roster/items.js";
import { JID } from "../stanza/jid.js";
import type { Failure } from "../storage/contract/faults.js";
import { conditionOf, Device, World, type WorldOptions } from "../xeps/world.test.kit.js";
import type { Context } from "./context.js";
import type { Feature } from "./feature.js";

const NAMES = ["romeo", "juliet", "benvolio"];
const chat = (to: string, body: string) => `<message to='${to}@localhost' type='chat'><body>${body}</body></message>`;
const add = (jid: string, id = "r") =>
  `<iq type='set' id='${id}'><query xmlns='jabber:iq:roster'><item jid='${jid}'/></query></iq>`;
const ping = (id: string) => `<iq type='get' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`;

async function verona(options: WorldOptions & { readonly more?: Feature } = {}) {
  const { more } = options;
  const all = (context: Context) => [...(more ? [more] : []), ...features(context)];
  const world = await World.open(all, { accounts: NAMES.map((name) => `${name}@localhost`), ...options });
  const romeo = await world.device("romeo@localhost/orchard");
  return { world, romeo };
}

const handledBy = (device: Device) => device.session?.lane.handled;

/** What the device has got, in short: "chat one", "result r", "error m not-allowed". */
function seen(device: Device): readonly string[] {
  return device.received.map(({ kind, type, id, element }) =>
    kind === "message" && type !== "error"
      ? `${type ?? kind} ${element.getChildText("body") ?? ""}`
      : [type ?? kind, id, conditionOf(element)].filter(Boolean).join(" "),
  );
}

/** The contacts as memory has them, and as the store has them. */
async function contactsOf(world: World, name: string) {
  const jid = JID.parse(`${name}@localhost`);
  const memory = rosterOf(await world.core.accounts.load(jid)).listed();
  const rows = (await world.storage.load([jid.toString()], ["roster"])).get(jid.toString()) ?? [];
  const stored = rows.filter(({ key, doc }) => key !== "" && doc["listed"] === true);
  return { memory: memory.map((item) => item.jid.toString()).sort(), stored: stored.map(({ key }) => key).sort() };
}

async function expectMemoryIsStore(world: World, names: readonly string[] = NAMES): Promise<void> {
  for (const name of names) {
    const { memory, stored } = await contactsOf(world, name);
    expect({ name, contacts: memory }).toEqual({ name, contacts: stored });
  }
}

/** What goes to somebody who is there is not written. */
const NO_ARCHIVE = { config: '[archive]\ndefault = "never"' };

describe("nothing is seen before it is durable", () => {
  it("no delivery, no answer, no count while the store holds the commit; all of it afterwards @1.9", async () => {
    const { world, romeo } = await verona();
    const benvolio = await world.device("benvolio@localhost/b");
    await benvolio.sends("<presence/>");
    benvolio.received.length = 0;
    world.storage.hold();
    await romeo.sends(add("juliet@localhost"));
    await romeo.sends("<presence to='benvolio@localhost' type='subscribe'/>");
    await romeo.sends(chat("juliet", "stored"));
    expect([seen(romeo), seen(benvolio), handledBy(romeo)]).toEqual([[], [], 0]);
    world.storage.release();
    await world.settled();
    expect([seen(romeo), seen(benvolio), handledBy(romeo)]).toEqual([["result r"], ["subscribe"], 3]);
    expect(await world.storage.countLog("juliet@localhost", { pending: true })).toBe(1);
  });
});

describe("the effects of one session keep its order", () => {
  it("with and without writes, however long a commit takes @1.9", async () => {
    const { world, romeo } = await verona(NO_ARCHIVE);
    const benvolio = await world.device("benvolio@localhost/b");
    await benvolio.sends("<presence/>");
    benvolio.received.length = 0;
    world.storage.hold();
    romeo.sendsNow(chat("benvolio", "one"));
    romeo.sendsNow(add("juliet@localhost", "two"));
    romeo.sendsNow(chat("benvolio", "three"));
    romeo.sendsNow(ping("four"));
    romeo.sendsNow(chat("juliet", "five"));
    romeo.sendsNow(chat("benvolio", "six"));
    romeo.sendsNow(ping("seven"));
    await world.settled();
    expect([seen(benvolio), seen(romeo)]).toEqual([["chat one"], []]);
    world.storage.release();
    await world.settled();
    expect(seen(benvolio)).toEqual(["chat one", "chat three", "chat six"]);
    expect(seen(romeo)).toEqual(["result two", "result four", "result seven"]);
    expect(handledBy(romeo)).toBe(7);
  });

  it("with accounts that must be loaded first @1.9", async () => {
    const { world, romeo } = await verona({ config: "[limits]\naccount_cache_bytes = 1" });
    for (const to of ["juliet", "nobody", "benvolio", "juliet"]) romeo.sendsNow(chat(to, `to ${to}`));
    romeo.sendsNow(ping("last"));
    await world.settled();
    expect(seen(romeo)).toEqual(["error service-unavailable", "result last"]);
    const rows = await world.storage.log("juliet@localhost", { limit: 9 });
    expect(rows).toHaveLength(2);
    expect(handledBy(romeo)).toBe(5);
  });

  it("also when the stream ends while earlier stanzas wait for an account @1.9", async () => {
    const { world, romeo } = await verona({ config: "[limits]\naccount_cache_bytes = 1" });
    const benvolio = await world.device("benvolio@localhost/b");
    await benvolio.sends("<presence/>");
    await romeo.sends(add("benvolio@localhost"));
    await benvolio.sends("<presence to='romeo@localhost' type='subscribe'/>");
    await romeo.sends("<presence to='benvolio@localhost' type='subscribed'/>");
    benvolio.received.length = 0;
    romeo.sendsNow(chat("juliet", "parks the lane"));
    romeo.sendsNow("<presence><status>still here</status></presence>");
    await romeo.goes();
    await world.settled();
    expect(seen(benvolio)).toEqual(["presence", "unavailable"]);
  });

  it("a resource that is bound again is seen to go before it is seen to come @1.9", async () => {
    const { world, romeo } = await verona();
    const benvolio = await world.device("benvolio@localhost/b");
    await benvolio.sends("<presence/>");
    await benvolio.sends("<presence to='romeo@localhost' type='subscribe'/>");
    await romeo.sends("<presence to='benvolio@localhost' type='subscribed'/>");
    await romeo.sends("<presence/>");
    benvolio.received.length = 0;
    world.storage.hold();
    romeo.sendsNow(chat("juliet", "its commit takes long"));
    await romeo.goes();
    const again = world.device("romeo@localhost/orchard");
    const online = again.then((device) => device.sends("<presence/>"));
    await world.settled();
    world.storage.release();
    await online;
    expect(seen(benvolio)).toEqual(["unavailable", "presence"]);
  });
});

describe("a failed commit", () => {
  it.each([
    ["a message", chat("juliet", "x"), "error resource-constraint"],
    ["an IQ", add("juliet@localhost"), "error r resource-constraint"],
    ["a subscription", "<presence to='juliet@localhost' type='subscribe'/>", "error resource-constraint"],
  ])("of %s is answered with a wait error, and counts @1.9", async (_, stanza, answer) => {
    const { world, romeo } = await verona();
    world.storage.failNext("refused");
    await romeo.sends(stanza);
    expect([seen(romeo), handledBy(romeo)]).toEqual([[answer], 1]);
    expect(romeo.received[0]?.element.getChild("error")?.attrs["type"]).toBe("wait");
    await expectMemoryIsStore(world);
  });

  it("of presence closes the stream, and neither it nor what came after it counts @1.9", async () => {
    const { world, romeo } = await verona({ more: writesPresence });
    await romeo.sends(ping("before"));
    world.storage.hold();
    world.storage.failNext("refused");
    romeo.sendsNow("<presence/>");
    await world.settled();
    romeo.sendsNow(add("juliet@localhost", "after"));
    romeo.sendsNow(ping("later"));
    world.storage.release();
    await world.settled();
    expect(romeo.closedWith?.condition).toBe("internal-server-error");
    expect(handledBy(romeo)).toBe(1);
  });

  it("whose outcome is never known closes the stream without counting @1.9", async () => {
    const { world, romeo } = await verona();
    world.storage.failNext("unknown", { commits: 1000 });
    await romeo.sends(chat("juliet", "x"));
    for (let second = 0; second < 40; second++) {
      world.clock.advance(1000);
      await world.settled();
    }
    expect([seen(romeo), handledBy(romeo)]).toEqual([[], 0]);
    expect(romeo.closedWith?.condition).toBe("internal-server-error");
  });

  it("of a message that was decided anew is told to its sender @1.9", async () => {
    const { world, romeo } = await verona(NO_ARCHIVE);
    const juliet = await world.device("juliet@localhost/balcony");
    await juliet.sends("<presence/>");
    world.storage.hold();
    romeo.sendsNow(add("juliet@localhost"));
    romeo.sendsNow(chat("juliet", "decided while she is there"));
    await world.settled();
    await juliet.goes();
    world.storage.failNext("refused", { commits: 2 }); // as it was decided first, and anew
    world.storage.release();
    await world.settled();
    expect(seen(romeo)).toEqual(["result r", "error resource-constraint"]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("the one numbered %i of many leaves memory as the store is @1.9", async (k) => {
    const plan = new Map<number, Failure>();
    const { world, romeo } = await verona({ plan });
    const benvolio = await world.device("benvolio@localhost/b");
    await benvolio.sends("<presence/>");
    plan.set(world.storage.commits + k, { outcome: "refused" });
    for (const stanza of mixed) romeo.sendsNow(stanza);
    benvolio.sendsNow("<presence to='romeo@localhost' type='subscribed'/>");
    benvolio.sendsNow("<presence to='romeo@localhost' type='subscribe'/>");
    await world.settled();
    await world.settled();
    await expectMemoryIsStore(world);
    plan.clear();
    await romeo.sends(add("after@localhost", "after"));
    expect(seen(romeo)).toContain("result after");
    expect((await contactsOf(world, "romeo")).memory).toContain("after@localhost");
    expect(handledBy(romeo)).toBe(mixed.length + 1);
  });

  it("whose outcome was unknown is made again, and its effects come once @1.9", async () => {
    for (const written of [false, true]) {
      const { world, romeo } = await verona();
      world.storage.failNext("unknown", { commits: 2, ...(written && { written }) });
      for (const stanza of [chat("juliet", "one"), add("juliet@localhost"), chat("juliet", "two")])
        romeo.sendsNow(stanza);
      for (let turn = 0; turn < 4; turn++) {
        await world.settled();
        world.clock.advance(300);
      }
      expect([seen(romeo), handledBy(romeo)]).toEqual([["result r"], 3]);
      const juliet = await world.device("juliet@localhost/balcony");
      await juliet.sends("<presence/>");
      expect(juliet.bodies).toEqual(["one", "two"]);
      await expectMemoryIsStore(world);
    }
  });
});

const mixed = [
  add("juliet@localhost", "1"),
  chat("juliet", "one"),
  "<presence to='benvolio@localhost' type='subscribe'/>",
  add("mercutio@localhost", "2"),
  chat("juliet", "two"),
  "<presence to='juliet@localhost' type='subscribe'/>",
  "<iq type='set' id='3'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='remove'/></query></iq>",
  chat("benvolio", "three"),
];

/** Presence that needs the store. */
const writesPresence: Feature = {
  name: "test",
  specs: [],
  sent: {
    presence: {
      store: (flow) => {
        if (flow.stanza.type === undefined)
          flow.write({ op: "put", store: "last", owner: "romeo@localhost", key: "", doc: { v: 1 } });
      },
    },
  },
};

describe("a handler that throws", () => {
  const broken: Feature = {
    name: "test",
    specs: [],
    sent: {
      message: { after: fail },
      presence: { after: fail },
    },
  };

  function fail({ stanza }: { stanza: { id: string | undefined } }): void {
    if (stanza.id === "boom") throw new Error("a bug");
  }

  it("is answered with internal-server-error, counts, and the others go on @1.9", async () => {
    const { world, romeo } = await verona({ more: broken });
    romeo.sendsNow("<message to='juliet@localhost' id='boom'><body>x</body></message>");
    await romeo.sends(ping("next"));
    expect(seen(romeo)).toEqual(["error boom internal-server-error", "result next"]);
    expect(handledBy(romeo)).toBe(2);
    expect(world.events.map(({ ev }) => ev)).toContain("core.handler_failed");
  });

  it("on a stanza that may not be answered ends nothing: sent again, it would fail again @1.9", async () => {
    const { romeo } = await verona({ more: broken });
    romeo.sendsNow("<presence id='boom'/>");
    await romeo.sends(ping("next"));
    expect([seen(romeo), handledBy(romeo), romeo.closedWith]).toEqual([["result next"], 2, undefined]);
  });

  it("takes back what it had changed @1.9", async () => {
    const { world, romeo } = await verona({ more: broken });
    await romeo.sends("<presence id='boom' to='juliet@localhost' type='subscribe'/>");
    expect(seen(romeo)).toEqual(["error boom internal-server-error"]);
    expect(await contactsOf(world, "romeo")).toEqual({ memory: [], stored: [] });
  });
});

describe("a refusal", () => {
  it("is not held back behind stored messages, or an answer to what was sent after it would seem to confirm it @1.9", async () => {
    const { world, romeo } = await verona();
    romeo.session?.holdLive();
    world.storage.failNext("refused");
    romeo.sendsNow(chat("benvolio", "lost"));
    await romeo.sends(ping("after"));
    expect(seen(romeo)).toEqual(["error resource-constraint", "result after"]);
  });
});

describe("who sends too much", () => {
  it("is not read above the limit, and read again below half of it @1.9", async () => {
    const { world } = await verona({ config: "[limits]\ninflight_stanzas = 4" });
    const juliet = await pausable(world, "juliet@localhost/balcony");
    world.storage.hold();
    for (let n = 0; n < 5; n++) juliet.sendsNow(chat("romeo", String(n)));
    expect(juliet.log).toEqual(["pause"]);
    world.storage.release();
    await world.settled();
    expect(juliet.log).toEqual(["pause", "resume"]);
  });

  it("together fills the commit queue: who goes on sending is not read until half of it is written @1.9 @limit.commit_queue", async () => {
    const { world, romeo } = await verona({ config: "[limits]\ncommit_queue = 1048576" });
    const juliet = await pausable(world, "juliet@localhost/balcony");
    const large = "x".repeat(250_000);
    world.storage.hold();
    for (let n = 0; n < 6; n++) (n % 2 ? juliet : romeo).sendsNow(chat("benvolio", large));
    await world.settled();
    expect(juliet.log).toEqual(["pause"]);
    world.storage.release();
    await world.settled();
    expect(juliet.log).toEqual(["pause", "resume"]);
  });

  it("asks much at once: answers that take their time are in flight too @1.9", async () => {
    const slow: Feature = {
      name: "test",
      specs: [],
      iq: { server: { "get test:slow slow": () => () => new Promise<never>(() => undefined) } },
    };
    const { world } = await verona({ config: "[limits]\ninflight_stanzas = 4", more: slow });
    const juliet = await pausable(world, "juliet@localhost/balcony");
    for (let n = 0; n < 5; n++)
      juliet.sendsNow(`<iq type='get' id='s${n}' to='localhost'><slow xmlns='test:slow'/></iq>`);
    expect([juliet.log, handledBy(juliet)]).toEqual([["pause"], 5]);
  });

  it("is refused at once while the store has not taken anything for storage.timeout @1.9", async () => {
    const { world, romeo } = await verona();
    world.storage.hold();
    const juliet = await world.device("juliet@localhost/balcony");
    await juliet.sends(chat("romeo", "waits"));
    world.clock.advance(31_000);
    await romeo.sends(chat("benvolio", "refused"));
    expect(seen(romeo)).toEqual(["error resource-constraint"]);
    // What the store has had for so long may be written or not: not counted, so that it is sent again.
    expect([handledBy(juliet), juliet.closedWith?.condition]).toEqual([0, "internal-server-error"]);
    world.storage.release();
    await world.settled();
    await romeo.sends(add("juliet@localhost"));
    expect(seen(romeo)).toEqual(["error resource-constraint", "result r"]);
  });
});

class Pausable extends Device {
  readonly log: string[] = [];
  override pause(): void {
    this.log.push("pause");
  }
  override resume(): void {
    this.log.push("resume");
  }
}

async function pausable(world: World, jid: string): Promise<Pausable> {
  const device = new Pausable(world);
  const session = await world.core.sessions.bind(JID.parse(jid), device);
  if (!("lane" in session)) throw session;
  device.session = session;
  return device;
}
