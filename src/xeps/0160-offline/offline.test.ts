import { describe, expect, it } from "@jest/globals";
import { features } from "../../features.js";
import { NS } from "../../xml/namespaces.js";
import { befriend, conditionOf, type Device, World, type WorldOptions } from "../world.test.kit.js";

const ACCOUNTS = ["juliet@localhost", "romeo@localhost"];
const NEGATIVE = "<presence><priority>-1</priority></presence>";

async function withRomeo(options: WorldOptions = {}) {
  const world = await World.open(features, { accounts: ACCOUNTS, ...options });
  return { world, romeo: await world.device("romeo@localhost/orchard") };
}

const chat = (body: string, to = "juliet@localhost") =>
  `<message to='${to}' type='chat'><body>${body}</body></message>`;

async function says(device: Device, ...bodies: readonly string[]): Promise<void> {
  for (const body of bodies) await device.sends(chat(body));
}

async function comesOnline(world: World, resource: string, presence = "<presence/>"): Promise<Device> {
  const device = await world.device(`juliet@localhost/${resource}`);
  await device.sends(presence);
  return device;
}

const pendingOf = async (world: World) =>
  (await world.storage.log("juliet@localhost", { pending: true, limit: 100 })).length;
const errorsAt = (device: Device) => device.received.map((stanza) => conditionOf(stanza.element)).filter(Boolean);

describe("offline messages", () => {
  it("are kept over a restart and delivered once, in order, with the time they were sent @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one", "zwei Ψ 🐦");
    world.clock.advance(60_000);
    const again = await World.open(features, { disk: world.disk, clock: world.clock });
    const balcony = await comesOnline(again, "balcony");
    expect(balcony.bodies).toEqual(["one", "zwei Ψ 🐦"]);
    const delay = balcony.messages[0]?.child("delay", NS.delay);
    expect(delay?.attrs).toMatchObject({ from: "localhost", stamp: "2030-01-01T00:00:00.000Z" });
    expect(balcony.messages[0]?.element.attrs).toMatchObject({
      from: "romeo@localhost/orchard",
      to: "juliet@localhost",
      type: "chat",
      "xml:lang": "en",
    });
    await balcony.goes();
    expect((await comesOnline(again, "balcony")).bodies).toEqual([]);
    expect(await pendingOf(again)).toBe(0);
  });

  it("are kept for an account whose resources all have negative priority, until one has not @1.7", async () => {
    const { world, romeo } = await withRomeo();
    const balcony = await comesOnline(world, "balcony", NEGATIVE);
    await says(romeo, "one");
    expect(balcony.bodies).toEqual([]);
    await balcony.sends("<presence><priority>1</priority></presence>");
    expect(balcony.bodies).toEqual(["one"]);
    await balcony.sends(NEGATIVE);
    await says(romeo, "two");
    await balcony.sends("<presence/>");
    expect(balcony.bodies).toEqual(["one", "two"]);
  });

  it("go to the first of two devices only @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one", "two");
    const balcony = await world.device("juliet@localhost/balcony");
    const phone = await world.device("juliet@localhost/phone");
    balcony.sendsNow("<presence/>");
    phone.sendsNow("<presence/>");
    await world.settled();
    expect([balcony.bodies, phone.bodies]).toEqual([["one", "two"], []]);
    expect(await pendingOf(world)).toBe(0);
  });

  it("go to the second device if the first went away before it had them @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one", "two");
    const balcony = await world.device("juliet@localhost/balcony");
    balcony.stall();
    await balcony.sends("<presence/>");
    const phone = await comesOnline(world, "phone");
    expect([balcony.bodies, phone.bodies]).toEqual([["one", "two"], []]);
    await balcony.goes();
    expect(phone.bodies).toEqual(["one", "two"]);
    expect(await pendingOf(world)).toBe(0);
  });

  it("stay for the next login if the only device went away before it had them @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one");
    const balcony = await world.device("juliet@localhost/balcony");
    balcony.stall();
    await balcony.sends("<presence/>");
    await balcony.goes();
    expect(await pendingOf(world)).toBe(1);
    expect((await comesOnline(world, "phone")).bodies).toEqual(["one"]);
  });

  it("come before live ones that arrive while they are read @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "stored");
    const balcony = await world.device("juliet@localhost/balcony");
    balcony.sendsNow("<presence/>");
    romeo.sendsNow(chat("live"));
    await world.settled();
    expect(balcony.bodies).toEqual(["stored", "live"]);
  });

  it("hold back what the sender of a live message says after it @1.7", async () => {
    const { world, romeo } = await withRomeo();
    const balcony = await world.device("juliet@localhost/balcony");
    balcony.sendsNow("<presence/>");
    romeo.sendsNow(chat("live", "juliet@localhost/balcony"));
    romeo.sendsNow("<iq to='juliet@localhost/balcony' type='get' id='v'><query xmlns='jabber:iq:version'/></iq>");
    await world.settled();
    const ofRomeo = balcony.received.filter((stanza) => stanza.from?.local === "romeo");
    expect(ofRomeo.map(({ kind }) => kind)).toEqual(["message", "iq"]);
  });

  it("are not lost or doubled when the recipient comes online between decision and commit @1.7", async () => {
    const { world, romeo } = await withRomeo();
    world.storage.hold();
    romeo.sendsNow(chat("one"));
    await world.settled();
    romeo.sendsNow(chat("two"));
    const balcony = await comesOnline(world, "balcony");
    expect(balcony.bodies).toEqual([]);
    world.storage.release();
    await world.settled();
    expect(balcony.bodies).toEqual(["one", "two"]);
    expect(balcony.messages.map((stanza) => stanza.has("delay", NS.delay))).toEqual([true, false]);
    expect(await pendingOf(world)).toBe(0);
  });

  it("sent live to a device that has not taken them yet are another's only when that one goes @1.7", async () => {
    const { world, romeo } = await withRomeo();
    world.storage.hold();
    romeo.sendsNow("<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>R</FN></vCard></iq>");
    await world.settled();
    romeo.sendsNow(chat("one")); // decided while nobody is there, and behind a commit under way
    const balcony = await world.device("juliet@localhost/balcony");
    balcony.stall();
    balcony.sendsNow("<presence/>");
    world.storage.release();
    await world.settled();
    const phone = await comesOnline(world, "phone");
    expect([balcony.bodies, phone.bodies]).toEqual([["one"], []]);
    await balcony.goes();
    expect(phone.bodies).toEqual(["one"]);
  });

  it("kept while the reading device has turned negative are for the next one, or for itself again @1.7", async () => {
    for (const next of ["phone", "balcony"]) {
      const { world, romeo } = await withRomeo();
      await says(romeo, "one");
      const balcony = await world.device("juliet@localhost/balcony");
      balcony.stall();
      await balcony.sends("<presence/>");
      await balcony.sends(NEGATIVE);
      await says(romeo, "late");
      if (next === "balcony") await balcony.sends("<presence/>");
      const device = next === "balcony" ? balcony : await comesOnline(world, next);
      balcony.flows();
      await world.settled();
      expect(device.bodies).toEqual(next === "balcony" ? ["one", "late"] : ["late"]);
      expect(await pendingOf(world)).toBe(0);
    }
  });

  it("arrive more than a page at a time @1.7", async () => {
    const { world, romeo } = await withRomeo();
    const bodies = Array.from({ length: 150 }, (_, n) => `${n} ${"x".repeat(n % 50 === 0 ? 70_000 : 10)}`);
    await says(romeo, ...bodies);
    expect((await comesOnline(world, "balcony")).bodies).toEqual(bodies);
  });

  it("are refused where the store is down, and nothing is kept @1.7", async () => {
    const { world, romeo } = await withRomeo();
    world.storage.failNext("refused");
    await says(romeo, "one");
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["resource-constraint"], 0]);
  });

  it("wait for the next presence when they cannot be read @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one");
    const log = world.storage.log.bind(world.storage);
    world.storage.log = () => Promise.reject(new Error("down"));
    const balcony = await comesOnline(world, "balcony");
    await says(romeo, "live");
    expect(balcony.bodies).toEqual(["live"]);
    world.storage.log = log;
    expect((await comesOnline(world, "phone")).bodies).toEqual(["one"]);
  });

  it("hold back roster pushes as well, which come after the presence that led to them @1.6 @1.7", async () => {
    const { world, romeo } = await withRomeo();
    const phone = await comesOnline(world, "phone");
    await befriend(romeo, phone);
    await phone.goes();
    const log = world.storage.log.bind(world.storage);
    let read = (): void => undefined;
    const held = new Promise<void>((resolve) => (read = resolve));
    world.storage.log = (...query) => held.then(() => log(...query));
    const balcony = await world.device("juliet@localhost/balcony");
    await balcony.sends(`<iq type='get' id='r'><query xmlns='${NS.roster}'/></iq>`);
    await balcony.sends("<presence/>");
    balcony.received.length = 0;
    await romeo.sends("<presence to='juliet@localhost' type='unsubscribe'/>");
    read();
    await world.settled();
    expect(balcony.received.map(({ kind, type }) => [kind, type])).toEqual([
      ["presence", "unsubscribe"],
      ["iq", "set"],
    ]);
  });

  it.each([
    ["a headline", "type='headline'", "<body>x</body>", []],
    ["an error", "type='error'", "<body>x</body>", []],
    ["a groupchat", "type='groupchat'", "<body>x</body>", ["service-unavailable"]],
    ["a chat state", "type='chat'", "<active xmlns='http://jabber.org/protocol/chatstates'/>", ["service-unavailable"]],
    ["no-store", "type='chat'", "<body>x</body><no-store xmlns='urn:xmpp:hints'/>", ["service-unavailable"]],
  ])("are not made of %s, as who may see that nobody is online is told @1.7", async (_, type, content, errors) => {
    const { world, romeo } = await withRomeo();
    const juliet = await comesOnline(world, "balcony");
    await befriend(romeo, juliet);
    await juliet.goes();
    await romeo.sends(`<message to='juliet@localhost' ${type}>${content}</message>`);
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([errors, 0]);
  });

  it("are made of a chat to a resource that has gone, not of a normal message @1.7", async () => {
    const { world, romeo } = await withRomeo();
    await romeo.sends(chat("one", "juliet@localhost/gone"));
    await romeo.sends("<message to='juliet@localhost/gone'><body>two</body></message>");
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["service-unavailable"], 1]);
  });

  it("are hidden entries when they ask for no permanent store, and note the origin id @1.7", async () => {
    const { world, romeo } = await withRomeo();
    const children =
      "<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/><no-permanent-store xmlns='urn:xmpp:hints'/>";
    await romeo.sends(`<message to='juliet@localhost'>${children}</message>`);
    const [row] = await world.storage.log("juliet@localhost", { limit: 1 });
    expect(row).toMatchObject({ with: "romeo@localhost", hidden: true, pending: true, originId: "o1" });
  });

  it("carry no delay that somebody else claims in the server's name @1.7", async () => {
    const { world, romeo } = await withRomeo();
    const forged = "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2000-01-01T00:00:00Z'/>";
    const other = forged.replace("localhost", "room.example");
    const shouted = forged.replace("localhost", "LOCALHOST./x");
    await romeo.sends(`<message to='juliet@localhost'><body>x</body>${forged}${other}${shouted}${forged}</message>`);
    const [message] = (await comesOnline(world, "balcony")).messages;
    const delays = message?.element
      .getChildren("delay")
      .map(({ attrs }) => [attrs["from"] as string, String(attrs["stamp"]).slice(0, 4)]);
    expect(delays).toEqual([
      ["room.example", "2000"],
      ["localhost", "2030"],
    ]);
  });
});

describe("presence", () => {
  it("carries no delay that somebody else claims in the server's name @1.7", async () => {
    const world = await World.open(features, { accounts: ACCOUNTS });
    const juliet = await world.device("juliet@localhost/balcony");
    const romeo = await world.device("romeo@localhost/orchard");
    const forged = "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2000-01-01T00:00:00Z'/>";
    const own = forged.replace("localhost", "romeo@localhost/orchard");
    await juliet.sends("<presence/>");
    await befriend(juliet, romeo);
    for (const to of ["", " to='juliet@localhost'", " to='juliet@localhost/balcony'"]) {
      juliet.received.splice(0);
      await romeo.sends(`<presence${to}>${forged}${own}</presence>`);
      const delays = juliet.received.flatMap(({ element }) => element.getChildren("delay"));
      expect(delays.map(({ attrs }) => attrs["from"] as string)).toEqual(["romeo@localhost/orchard"]);
    }
  });
});

describe("offline messages that a client reads in its archive before its presence", () => {
  const QUERY = "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>";

  async function reads(world: World, device: Device): Promise<number> {
    const before = device.messages.length;
    await device.sends(QUERY);
    for (let turn = 0; turn < 4; turn++) await world.settled();
    return device.messages.length - before;
  }

  it("are not sent to it again, and wait for nobody once it has them @2.1", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one", "two");
    const balcony = await world.device("juliet@localhost/balcony");
    expect([await reads(world, balcony), await pendingOf(world)]).toEqual([2, 2]);
    await says(romeo, "three");
    await balcony.sends("<presence/>");
    expect([balcony.bodies, await pendingOf(world)]).toEqual([["three"], 0]);
    expect((await comesOnline(world, "phone")).bodies).toEqual([]);
  });

  it("are for the next device if it goes without having taken them @2.1", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one");
    const balcony = await world.device("juliet@localhost/balcony");
    balcony.stall();
    await reads(world, balcony);
    await balcony.sends("<presence/>");
    expect([balcony.bodies, await pendingOf(world)]).toEqual([[], 1]);
    await balcony.breaks();
    expect((await comesOnline(world, "phone")).bodies).toEqual(["one"]);
  });

  it("wait for another device as before if it is not one that messages are for @2.1", async () => {
    const { world, romeo } = await withRomeo();
    await says(romeo, "one");
    const lurker = await world.device("juliet@localhost/lurker");
    expect(await reads(world, lurker)).toBe(1);
    await lurker.sends(NEGATIVE);
    expect(await pendingOf(world)).toBe(1);
    expect((await comesOnline(world, "balcony")).bodies).toEqual(["one"]);
    await lurker.sends("<presence/>");
    expect(lurker.bodies).toEqual([]);
  });

  it("are sent to it as ever if it read hidden ones or none, or after its presence @2.1", async () => {
    const { world, romeo } = await withRomeo();
    await romeo.sends(chat("hidden").replace("</body>", "</body><no-permanent-store xmlns='urn:xmpp:hints'/>"));
    const balcony = await world.device("juliet@localhost/balcony");
    expect(await reads(world, balcony)).toBe(0);
    await says(romeo, "one");
    await balcony.sends("<presence/>");
    expect([balcony.bodies, await reads(world, balcony)]).toEqual([["hidden", "one"], 1]);
    expect(await pendingOf(world)).toBe(0);
  });
});

describe("the quota of offline messages", () => {
  const config = "[limits]\noffline_messages = 2";

  it("refuses what is above it, and has room again once they are delivered @1.7 @limit.offline_messages", async () => {
    const { world, romeo } = await withRomeo({ config });
    await says(romeo, "one", "two", "three");
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["service-unavailable"], 2]);
    const balcony = await comesOnline(world, "balcony");
    await balcony.goes();
    await says(romeo, "four");
    expect([balcony.bodies, await pendingOf(world)]).toEqual([["one", "two"], 1]);
  });

  it("counts what is on its way to the store, and not what the store refused @1.7", async () => {
    const { world, romeo } = await withRomeo({ config });
    await says(romeo, "one");
    world.storage.failNext("refused");
    await says(romeo, "refused");
    world.storage.hold();
    for (const body of ["two", "three"]) romeo.sendsNow(chat(body));
    world.storage.release();
    await world.settled();
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["resource-constraint", "service-unavailable"], 2]);
  });

  it("knows after a restart what is there already @1.7", async () => {
    const { world, romeo } = await withRomeo({ config });
    await says(romeo, "one", "two");
    const again = await withRomeo({ config, disk: world.disk, accounts: [] });
    await says(again.romeo, "passes while it is counted", "refused");
    expect([errorsAt(again.romeo), await pendingOf(again.world)]).toEqual([["service-unavailable"], 3]);
  });

  it("is also one of each sender, however many others there are @R9 @limit.offline_messages_per_sender", async () => {
    const { world, romeo } = await withRomeo({
      config: "[limits]\noffline_messages_per_sender = 2",
      accounts: [...ACCOUNTS, "nurse@localhost"],
    });
    const nurse = await world.device("nurse@localhost/n");
    await says(romeo, "one", "two");
    const phone = await world.device("romeo@localhost/phone");
    await says(phone, "three");
    await says(nurse, "one", "two", "three");
    expect([errorsAt(romeo), errorsAt(phone), errorsAt(nurse)]).toEqual([
      [],
      ["resource-constraint"],
      ["resource-constraint"],
    ]);
    expect(phone.received[0]?.element.getChild("error")?.attrs["type"]).toBe("wait");
    const again = await withRomeo({
      config: "[limits]\noffline_messages_per_sender = 3",
      disk: world.disk,
      accounts: [],
    });
    await says(again.romeo, "passes while it is counted", "refused");
    expect(errorsAt(again.romeo)).toEqual(["resource-constraint"]);
    const balcony = await comesOnline(again.world, "balcony");
    await balcony.goes();
    await says(again.romeo, "has room again");
    expect(errorsAt(again.romeo)).toEqual(["resource-constraint"]);
  });

  it("counts what a device was sent and did not take @1.7 @R9", async () => {
    const { world, romeo } = await withRomeo({ config });
    await says(romeo, "counted");
    const balcony = await comesOnline(world, "balcony");
    balcony.stall();
    await says(romeo, "one", "two");
    await balcony.breaks();
    await says(romeo, "passes while it is counted", "refused");
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["service-unavailable"], 3]);
  });

  it("counts what a device had that settles nothing, and lets it have what is above the quota @2.1 @R9", async () => {
    const { world, romeo } = await withRomeo({ config });
    const lurker = await comesOnline(world, "lurker", NEGATIVE);
    const bodies = ["passes while it is counted", "one", "above", "above, too"];
    for (const body of bodies) await romeo.sends(chat(body, "juliet@localhost/lurker"));
    expect([lurker.bodies, errorsAt(romeo), await pendingOf(world)]).toEqual([bodies, [], 2]);
    await says(romeo, "refused");
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["service-unavailable"], 2]);
    const archive = await world.storage.log("juliet@localhost", { shown: true, limit: 10 });
    expect(archive).toHaveLength(bodies.length);
  });

  it("also holds where nothing is archived @2.1 @R9", async () => {
    const { world, romeo } = await withRomeo({ config });
    const lurker = await comesOnline(world, "lurker", NEGATIVE);
    await lurker.sends("<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
    for (const body of ["one", "two", "three", "four"]) {
      await romeo.sends(chat(body, "juliet@localhost/lurker"));
      world.clock.advance(1000);
      await world.settled();
    }
    expect([lurker.bodies.length, errorsAt(romeo), await pendingOf(world)]).toEqual([4, [], 2]);
  });

  it("also counts bytes @1.7 @limit.offline_bytes", async () => {
    const { world, romeo } = await withRomeo({ config: "[limits]\noffline_bytes = 1000" });
    await says(romeo, "one", "x".repeat(1000), "two");
    expect([errorsAt(romeo), await pendingOf(world)]).toEqual([["service-unavailable"], 2]);
  });
});
