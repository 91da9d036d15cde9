import { describe, expect, it } from "@jest/globals";
import { features } from "../../features.js";
import { conditionOf, type Device, World, type WorldOptions } from "../world.test.kit.js";

const JULIET = "juliet@localhost";
const ROMEO = "romeo@localhost";
const ORIGIN = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>";
const DELAY = `<delay xmlns='urn:xmpp:delay' from='${ROMEO}/orchard' stamp='2030-01-01T00:00:00Z'/>`;
const MINUTE_MS = 60_000;

const chat = (content: string, to = JULIET, attributes = "id='1' type='chat'") =>
  `<message to='${to}' ${attributes}><body>hi</body>${content}</message>`;

async function verona(options: WorldOptions = {}) {
  const world = await World.open(features, { accounts: [JULIET, ROMEO], ...options });
  return { world, romeo: await world.device(`${ROMEO}/orchard`) };
}

/** How many entries each side has. */
const counts = async (world: World) => [
  await world.storage.countLog(JULIET, {}),
  await world.storage.countLog(ROMEO, {}),
];
const handled = (device: Device) => device.session?.lane.handled;
const errorsAt = (device: Device) => device.received.map((stanza) => conditionOf(stanza.element)).filter(Boolean);

const NEVER = '[archive]\ndefault = "never"';
const JULIET_NEVER = "hers only";

/** Juliet is there, and archives nothing. */
async function there(prefs: string) {
  const { world, romeo } = await verona(prefs === NEVER ? { config: NEVER } : {});
  const juliet = await world.device(`${JULIET}/balcony`);
  await juliet.sends("<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
  await juliet.sends("<presence/>");
  return { world, romeo, juliet };
}

async function sendsAgain(world: World, text: string, resource = "orchard"): Promise<Device> {
  const romeo = await world.device(`${ROMEO}/${resource}`);
  await romeo.sends(text);
  return romeo;
}

describe("a message that is sent again after its session was lost", () => {
  it.each([
    ["as it was", DELAY, "orchard"],
    ["from another resource", "", "phone"],
  ])("%s is acknowledged, not kept or delivered again @2.1", async (_, more, resource) => {
    const { world, romeo } = await verona();
    const juliet = await world.device(`${JULIET}/balcony`);
    await juliet.sends("<presence/>");
    await romeo.sends(chat(ORIGIN));
    await romeo.breaks();
    const again = await sendsAgain(world, chat(more + ORIGIN), resource);
    expect([juliet.bodies, await counts(world)]).toEqual([["hi"], [1, 1]]);
    expect([handled(again), errorsAt(again)]).toEqual([1, []]);
  });

  it("is recognised after a restart, whoever had a session @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat(ORIGIN));
    world.clock.advance(9 * MINUTE_MS);
    const next = await World.open(features, { disk: world.disk, clock: world.clock });
    await sendsAgain(next, chat(ORIGIN));
    expect(await counts(next)).toEqual([1, 1]);
  });

  it("is recognised while the first one is still on its way to the store @2.1", async () => {
    const { world, romeo } = await verona();
    world.storage.hold();
    romeo.sendsNow(chat(ORIGIN));
    await world.settled();
    await romeo.breaks();
    const back = sendsAgain(world, chat(ORIGIN), "phone");
    await world.settled();
    world.storage.release();
    await back;
    expect(await counts(world)).toEqual([1, 1]);
  });

  it("is sent for the first time where the store had refused it @2.1 @2.bad", async () => {
    const { world, romeo } = await verona();
    world.storage.hold();
    romeo.sendsNow(chat(ORIGIN));
    await world.settled();
    await romeo.breaks();
    world.storage.failNext("refused");
    world.storage.release();
    await world.settled();
    await sendsAgain(world, chat(ORIGIN));
    expect(await counts(world)).toEqual([1, 1]);
  });

  it("is recognised where the sender keeps no archive, by an entry without content @2.1", async () => {
    const { world, romeo } = await verona({ config: '[archive]\ndefault = "never"' });
    await romeo.sends(chat(ORIGIN, `${JULIET}/gone`));
    await romeo.breaks();
    await sendsAgain(world, chat(ORIGIN, `${JULIET}/gone`));
    expect(await counts(world)).toEqual([1, 1]);
    expect(await world.storage.log(ROMEO, { limit: 9 })).toMatchObject([{ stanza: "", hidden: true, pending: false }]);
  });

  it("to oneself is recognised @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat(ORIGIN, ROMEO));
    await romeo.breaks();
    await sendsAgain(world, chat(ORIGIN, ROMEO));
    expect(await counts(world)).toEqual([0, 1]);
  });

  it.each([
    ["has no origin id", chat(""), chat("")],
    ["has another origin id", chat(ORIGIN), chat(ORIGIN.replace("o1", "o2"))],
    ["has other content", chat(ORIGIN), chat(`<thread>t</thread>${ORIGIN}`)],
    ["is of another type", chat(ORIGIN), chat(ORIGIN, JULIET, "type='normal'")],
    ["goes to another address", chat(ORIGIN), chat(ORIGIN, `${JULIET}/gone`)],
  ])("is another message if it %s @2.1", async (_, first, second) => {
    const { world, romeo } = await verona();
    await romeo.sends(first);
    await romeo.breaks();
    await sendsAgain(world, second);
    expect(await counts(world)).toEqual([2, 2]);
  });

  it("is another message for another sender, and later than sessions can be resumed @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat(ORIGIN));
    await romeo.breaks();
    const juliet = await world.device(`${JULIET}/balcony`);
    await juliet.sends(chat(ORIGIN));
    expect(await counts(world)).toEqual([2, 1]);
    const back = await world.device(`${ROMEO}/orchard`);
    world.clock.advance(11 * MINUTE_MS);
    await back.sends(chat(ORIGIN));
    expect(await counts(world)).toEqual([3, 2]);
  });

  it("is not asked about where no session was lost @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat(ORIGIN));
    await romeo.goes();
    await sendsAgain(world, chat(ORIGIN));
    expect(await counts(world)).toEqual([2, 2]);
  });

  it("is refused again if it was, and stands once in the sender's archive @2.1 @2.2", async () => {
    const { world, romeo } = await verona();
    const text = chat(ORIGIN, "nobody@localhost");
    await romeo.sends(text);
    await romeo.breaks();
    const again = await sendsAgain(world, text);
    expect([errorsAt(again), await counts(world)]).toEqual([["service-unavailable"], [0, 1]]);
  });

  it("is sent to who keeps nothing after a restart, as nothing says that it arrived, and stands once in the sender's archive @2.1", async () => {
    const { world, romeo } = await verona();
    const juliet = await world.device(`${JULIET}/balcony`);
    await juliet.sends("<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
    await juliet.sends("<presence/>");
    await romeo.sends(chat(ORIGIN));
    const next = await World.open(features, { disk: world.disk, clock: world.clock });
    const again = await next.device(`${JULIET}/balcony`);
    await again.sends("<presence/>");
    await sendsAgain(next, chat(ORIGIN));
    expect([juliet.bodies, again.bodies, await counts(next)]).toEqual([["hi"], ["hi"], [0, 1]]);
  });

  it.each([
    ["nobody", NEVER],
    ["the sender", JULIET_NEVER],
  ])("is recognised though nothing was written for its recipient, where %s keeps an archive @2.1", async (_, prefs) => {
    const { world, romeo, juliet } = await there(prefs);
    await romeo.sends(chat(ORIGIN));
    const before = await counts(world);
    await romeo.breaks();
    const again = await sendsAgain(world, chat(DELAY + ORIGIN));
    expect([juliet.bodies, before, await counts(world)]).toEqual([["hi"], [0, prefs === NEVER ? 0 : 1], before]);
    expect([handled(again), errorsAt(again)]).toEqual([1, []]);
    await again.sends(chat(`<thread>t</thread>${ORIGIN}`));
    expect(juliet.bodies).toEqual(["hi", "hi"]);
  });

  it("is recognised after a restart where it was written because nobody had it in time @2.1 @2.4", async () => {
    const { world, romeo, juliet } = await there(NEVER);
    if (romeo.session) world.core.sessions.manage(romeo.session, { resume: true, waitMs: undefined });
    juliet.stall();
    await romeo.sends(chat(ORIGIN));
    world.clock.advance(250);
    await world.settled();
    expect(await counts(world)).toEqual([1, 1]);
    const next = await World.open(features, { disk: world.disk, clock: world.clock, config: NEVER });
    await sendsAgain(next, chat(ORIGIN));
    expect(await counts(next)).toEqual([1, 1]);
  });

  it("is sent for the first time where the store refused what a lost session had not @2.1 @2.bad", async () => {
    const { world, romeo, juliet } = await there(NEVER);
    juliet.stall();
    await romeo.sends(chat(ORIGIN));
    world.storage.failNext("refused", { commits: 2 });
    await juliet.goes();
    await world.settled();
    expect(errorsAt(romeo)).toEqual(["resource-constraint"]);
    await romeo.breaks();
    await sendsAgain(world, chat(ORIGIN));
    expect(await counts(world)).toEqual([1, 1]);
  });

  it("is not taken for one that its recipient has sent with the same id @2.1", async () => {
    const { world, romeo } = await there(NEVER);
    await romeo.goes();
    const juliet = await world.device(`${JULIET}/hall`);
    await juliet.sends(chat(ORIGIN, ROMEO));
    const back = await world.device(`${ROMEO}/orchard`);
    await back.sends("<presence/>");
    await world.settled();
    expect(back.bodies).toEqual(["hi"]);
    await back.breaks();
    await sendsAgain(world, chat(ORIGIN, `${JULIET}/hall`));
    expect(juliet.bodies).toEqual(["hi"]);
  });

  it("is remembered, of those that were not written, among the last of its session only @2.1 @2.bad", async () => {
    const { world, romeo, juliet } = await there(NEVER);
    for (let n = 0; n <= 256; n++) romeo.sendsNow(chat(ORIGIN.replace("o1", `o${n}`)));
    await world.settled();
    await romeo.breaks();
    const back = await world.device(`${ROMEO}/orchard`);
    const before = juliet.bodies.length;
    for (const id of ["o0", "o1", "o256"]) await back.sends(chat(ORIGIN.replace("o1", id)));
    expect([before, juliet.bodies.length]).toEqual([257, 258]);
  });

  it("is not recognised, but taken, if the log cannot be read @2.1 @2.bad", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat(ORIGIN));
    await romeo.breaks();
    const log = world.storage.log.bind(world.storage);
    world.storage.log = () => Promise.reject(new Error("down"));
    const back = await world.device(`${ROMEO}/orchard`);
    world.storage.log = log;
    await back.sends(chat(ORIGIN));
    expect(await counts(world)).toEqual([2, 2]);
  });

  it("is found among many of the last minutes, and none before are read @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat(ORIGIN.replace("o1", "before")));
    world.clock.advance(11 * MINUTE_MS);
    for (let n = 1; n <= 450; n++) romeo.sendsNow(chat(ORIGIN.replace("o1", `o${n}`)));
    await world.settled();
    await romeo.breaks();
    const back = await world.device(`${ROMEO}/orchard`);
    for (const id of ["o1", "o225", "o450", "before"]) await back.sends(chat(ORIGIN.replace("o1", id)));
    expect(await counts(world)).toEqual([452, 452]);
  });
});
