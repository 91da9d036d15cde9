// The order of one sender's messages where nothing is archived: some are written late, sessions end, and others take over.
import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { type Device, World } from "../xeps/world.test.kit.js";
import { Line } from "./line.js";

const ROMEO = "romeo@localhost";
const JULIET = "juliet@localhost";
const NEVER = '[archive]\ndefault = "never"';
const chat = (body: string, to = JULIET) =>
  `<message to='${to}' type='chat' id='${body}'><body>${body}</body></message>`;
const rosterSet = `<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`;

async function verona(config = NEVER) {
  const world = await World.open(features, { accounts: [ROMEO, JULIET], config });
  return { world, romeo: await world.device(`${ROMEO}/orchard`) };
}

async function online(world: World, resource: string): Promise<Device> {
  const device = await world.device(`${JULIET}/${resource}`);
  await device.sends("<presence/>");
  return device;
}

function manage(world: World, { session }: Device): void {
  if (session) world.core.sessions.manage(session, { resume: true, waitMs: undefined });
}

/** What waits in her log, in order. */
async function waiting(world: World): Promise<readonly string[]> {
  const rows = await world.storage.log(JULIET, { pending: true, limit: 9 });
  return rows.map(({ stanza }) => /<body>(.*)<\/body>/.exec(stanza)?.[1] ?? "");
}

describe("messages of one sender, of which some are written late,", () => {
  it("reach another device in order when a session ends while the store is busy @2.1 @2.4", async () => {
    const { world, romeo } = await verona();
    const balcony = await online(world, "balcony");
    const phone = await online(world, "phone");
    balcony.stall();
    await romeo.sends(chat("one", `${JULIET}/balcony`));
    world.storage.hold();
    await balcony.goes();
    await romeo.sends(chat("two"));
    expect(phone.bodies).toEqual([]);
    world.storage.release();
    await world.settled();
    expect(phone.bodies).toEqual(["one", "two"]);
    await romeo.sends(chat("three"));
    expect(phone.bodies).toEqual(["one", "two", "three"]);
  });

  it("wait in order where one was on its way to a session that ended, and the next one was stored @2.1", async () => {
    const { world, romeo } = await verona();
    const balcony = await online(world, "balcony");
    world.storage.hold();
    romeo.sendsNow(rosterSet);
    romeo.sendsNow(chat("one"));
    await balcony.goes();
    romeo.sendsNow(chat("two"));
    world.storage.release();
    await world.settled();
    expect(await waiting(world)).toEqual(["one", "two"]);
    expect((await online(world, "phone")).bodies).toEqual(["one", "two"]);
  });

  it("are written in order where the second must be written first @2.1 @2.4", async () => {
    const { world, romeo } = await verona();
    const balcony = await online(world, "balcony");
    const hall = await online(world, "hall");
    manage(world, hall);
    balcony.stall();
    await romeo.sends(chat("one", `${JULIET}/balcony`));
    expect(await waiting(world)).toEqual([]);
    await hall.breaks();
    await romeo.sends(chat("two", `${JULIET}/hall`));
    expect(await waiting(world)).toEqual(["one", "two"]);
  });

  it.each([
    ["after what its socket had not taken", false, ["one", "two"]],
    ["and not what its socket took in the end", true, ["two"]],
  ])("reach the next session %s @2.1", async (_, isTaken, bodies) => {
    const { world, romeo } = await verona();
    const balcony = await online(world, "balcony");
    balcony.stall();
    await romeo.sends(chat("one"));
    if (balcony.session) world.core.sessions.goodbye(balcony.session, balcony);
    const phone = await online(world, "phone");
    await romeo.sends(chat("two"));
    expect(phone.bodies).toEqual([]);
    if (isTaken) balcony.flows();
    else await balcony.goes();
    await world.settled();
    expect(phone.bodies).toEqual(bodies);
  });

  it("are not kept for anybody where their sender was told that they were refused @2.1 @2.bad", async () => {
    const { world, romeo } = await verona("");
    const balcony = await online(world, "balcony");
    await balcony.sends("<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
    world.storage.failNext("refused");
    world.storage.hold();
    romeo.sendsNow(chat("one"));
    await world.settled();
    await balcony.goes();
    romeo.sendsNow(chat("two"));
    world.storage.release();
    await world.settled();
    await world.settled();
    expect(romeo.received.map(({ type, id }) => `${type ?? ""} ${id ?? ""}`)).toEqual(["error one"]);
    expect((await online(world, "phone")).bodies).toEqual(["two"]);
  });
});

describe("a message to a session that has not sent presence yet", () => {
  it.each([
    ["nothing is archived", NEVER],
    ["all is archived", ""],
  ])("is not given again when it does, where %s @2.1", async (_, config) => {
    const { world, romeo } = await verona(config);
    manage(world, romeo);
    const balcony = await world.device(`${JULIET}/balcony`);
    balcony.stall();
    await romeo.sends(chat("one", `${JULIET}/balcony`));
    world.clock.advance(250);
    await world.settled();
    expect(await waiting(world)).toEqual(["one"]);
    await balcony.sends("<presence/>");
    balcony.flows();
    await world.settled();
    expect([balcony.bodies, await waiting(world)]).toEqual([["one"], []]);
  });

  it("waits for another one if it ends without it @2.1", async () => {
    const { world, romeo } = await verona();
    const balcony = await world.device(`${JULIET}/balcony`);
    balcony.stall();
    await romeo.sends(chat("one", `${JULIET}/balcony`));
    await balcony.breaks();
    expect((await online(world, "phone")).bodies).toEqual(["one"]);
  });

  it("is written at once where its priority is negative, for one that may settle it @2.1", async () => {
    const { world, romeo } = await verona();
    const balcony = await world.device(`${JULIET}/balcony`);
    await balcony.sends("<presence><priority>-1</priority></presence>");
    await romeo.sends(chat("one", `${JULIET}/balcony`));
    expect([balcony.bodies, await waiting(world)]).toEqual([["one"], ["one"]]);
  });
});

describe("what is remembered for the order", () => {
  it("is nothing once all has arrived @2.1", async () => {
    const { world, romeo } = await verona();
    const balcony = await online(world, "balcony");
    balcony.stall();
    await romeo.sends(chat("one"));
    await balcony.goes();
    const phone = await online(world, "phone");
    await romeo.sends(chat("two"));
    expect(phone.bodies).toEqual(["one", "two"]);
    expect(world.core.order.size).toBe(0);
  });
});

describe("a line", () => {
  it("goes on in the order of the reservations, what an act reserves first @2.1", () => {
    const done: string[] = [];
    const line = new Line(() => done.push("empty"));
    const first = line.reserve();
    line.reserve().take(() => done.push("second"));
    first.take(() => {
      line.reserve().take(() => done.push("first again"));
      done.push("first");
    });
    expect(done).toEqual(["first", "first again", "second", "empty"]);
  });

  it("does not wait for the first if too many wait @2.1 @2.bad", () => {
    const done: number[] = [];
    const line = new Line(() => undefined);
    const first = line.reserve();
    for (let n = 1; n <= 1000; n++) line.reserve().take(() => done.push(n));
    expect(done).toHaveLength(1000);
    first.take(() => done.push(0));
    expect(done.at(-1)).toBe(0);
  });
});
