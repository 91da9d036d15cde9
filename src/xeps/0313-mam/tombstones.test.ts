import { describe, expect, it } from "@jest/globals";
import { features } from "../../features.js";
import { conditionOf, type Device, World, type WorldOptions } from "../world.test.kit.js";

const JULIET = "juliet@localhost";
const ROMEO = "romeo@localhost";
const NURSE = "nurse@localhost";

async function verona(options: WorldOptions = {}) {
  const world = await World.open(features, { accounts: [JULIET, ROMEO, NURSE], ...options });
  return { world, romeo: await world.device(`${ROMEO}/orchard`), nurse: await world.device(`${NURSE}/n`) };
}

const chat = (id: string, content = "<body>secret</body>", to = JULIET) =>
  `<message to='${to}' id='${id}' type='chat'>${content}</message>`;
const retract = (id: string, to = JULIET, own = "r1") =>
  chat(own, `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>`, to);
const origin = (id: string) => `<origin-id xmlns='urn:xmpp:sid:0' id='${id}'/>`;

/** What is left of a message with a body, per owner: the ids of messages whose body is still there. */
async function bodies(world: World, owner: string): Promise<readonly number[]> {
  const rows = await world.storage.log(owner, { limit: 9 });
  return rows.flatMap(({ stanza }, at) => (stanza.includes("secret") ? [at] : []));
}

async function settled(world: World): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await world.settled();
}

async function retracts(world: World, device: Device, text: string): Promise<void> {
  await device.sends(text);
  await settled(world);
}

describe("a message that its author retracts", () => {
  it("leaves a tombstone in both archives, under the same id, with nothing but its addresses @2.2 @M6", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("m1", "<body>secret</body><thread>also secret</thread>"));
    const before = await world.storage.log(JULIET, { limit: 9 });
    world.clock.advance(1000);
    await retracts(world, romeo, retract("m1"));
    for (const owner of [JULIET, ROMEO]) {
      const [tombstone, retraction, ...more] = await world.storage.log(owner, { limit: 9 });
      expect(tombstone?.stanza).toBe(
        `<message xmlns='jabber:client' from='${ROMEO}/orchard' to='${JULIET}' id='m1' type='chat' xml:lang='en'>` +
          "<retracted xmlns='urn:xmpp:message-retract:1' id='r1' stamp='2030-01-01T00:00:01.000Z'/></message>",
      );
      expect(retraction?.stanza).toContain("<retract ");
      expect(more).toEqual([]);
    }
    const [after] = await world.storage.log(JULIET, { limit: 1 });
    expect([after?.id, after?.pending, after?.hidden]).toEqual([before[0]?.id, true, false]);
    expect(await world.storage.countLog(JULIET, { text: "secret" })).toBe(0);
  });

  it("is not shown to a device that was away meanwhile @2.1 @M6", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("m1"));
    await retracts(world, romeo, retract("m1"));
    const juliet = await world.device(`${JULIET}/balcony`);
    await juliet.sends("<presence/>");
    expect(juliet.messages.map(({ id }) => id)).toEqual(["m1", "r1"]);
    expect(juliet.bodies).toEqual([]);
  });

  it.each([
    ["the origin id, from another device", chat("m1", `<body>secret</body>${origin("o&amp;1")}`), "o&amp;1"],
    ["an id with characters of XML", chat("&lt;&apos;", "<body>secret</body>"), "&lt;&apos;"],
  ])("is found by %s @2.2", async (_, text, id) => {
    const { world, romeo } = await verona();
    await romeo.sends(text);
    const phone = await world.device(`${ROMEO}/phone`);
    await retracts(world, phone, retract(id));
    expect([await bodies(world, JULIET), await bodies(world, ROMEO)]).toEqual([[], []]);
  });

  it("is found among some that came after it, and only the last one of this id goes @2.2", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("m1"));
    await romeo.sends(chat("m1"));
    for (let n = 0; n < 250; n++) romeo.sendsNow(chat(`n${n}`, "<body>other</body>"));
    await world.settled();
    await retracts(world, romeo, retract("m1"));
    expect([await bodies(world, JULIET), await bodies(world, ROMEO)]).toEqual([[0], [0]]);
  });

  it("to oneself leaves a tombstone @2.2", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("m1", "<body>secret</body>", ROMEO));
    await retracts(world, romeo, retract("m1", ROMEO));
    expect(await bodies(world, ROMEO)).toEqual([]);
  });
});

describe("a retraction changes nothing", () => {
  it.each([
    ["of a message that somebody else sent to the same account", NURSE, retract("m1")],
    ["by who received the message", JULIET, retract("m1", ROMEO)],
    ["of a message in another conversation", ROMEO, retract("m1", NURSE)],
    ["of a message that is not there", ROMEO, retract("m2")],
    ["without an id", ROMEO, chat("r1", "<retract xmlns='urn:xmpp:message-retract:1'/>")],
  ])("%s, and is kept @2.2 @M6", async (_, by, text) => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("m1"));
    const device = await world.device(`${by}/x`);
    await retracts(world, device, text);
    expect([await bodies(world, JULIET), await bodies(world, ROMEO)]).toEqual([[0], [0]]);
    expect((await world.storage.log(by, { limit: 9 })).some(({ stanza }) => stanza.includes("<retract "))).toBe(true);
  });

  it("of a private message in a room by another occupant @2.2 @M6", async () => {
    const { world, romeo } = await verona();
    const inRoom = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    await romeo.sends(chat("m1", `<body>secret</body>${inRoom}`));
    const other = await world.device(`${ROMEO}/other-occupant`);
    await retracts(world, other, retract("m1"));
    expect(await bodies(world, JULIET)).toEqual([0]);
    await retracts(world, romeo, retract("m1"));
    expect(await bodies(world, JULIET)).toEqual([]);
  });

  it("that the recipient's side refuses, but at the author's own side @2.2", async () => {
    const { world, romeo } = await verona({ config: "[limits]\noffline_messages = 2" });
    await romeo.sends(chat("m1"));
    await romeo.sends(chat("m2"));
    await romeo.sends(chat("counted", "<body>x</body>"));
    await retracts(world, romeo, retract("m1"));
    expect(romeo.received.map(({ element }) => conditionOf(element))).toContain("service-unavailable");
    expect([await bodies(world, JULIET), await bodies(world, ROMEO)]).toEqual([[0, 1], [1]]);
  });

  it("that is refused for now, at neither side: it was never sent @2.2", async () => {
    const { world, romeo } = await verona({ config: "[limits]\noffline_messages_per_sender = 2" });
    await romeo.sends(chat("m1"));
    await romeo.sends(chat("m2"));
    await retracts(world, romeo, retract("m1"));
    expect(romeo.received.map(({ element }) => conditionOf(element))).toEqual(["resource-constraint"]);
    expect([await bodies(world, JULIET), await bodies(world, ROMEO)]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it("where the store fails, which is logged, and the next one works @2.2 @2.bad", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("m1"));
    const log = world.storage.log.bind(world.storage);
    world.storage.log = () => Promise.reject(new Error("down"));
    await retracts(world, romeo, retract("m1"));
    world.storage.log = log;
    expect(world.events.filter(({ ev }) => ev === "archive.tombstone_failed")).toHaveLength(2);
    expect(await bodies(world, JULIET)).toEqual([0]);
    await retracts(world, romeo, retract("m1"));
    expect(await bodies(world, JULIET)).toEqual([]);
  });
});
