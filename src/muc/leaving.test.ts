import { describe, expect, it } from "@jest/globals";
import { simulate, until } from "../simulation/simulation.js";
import { NS } from "../xml/namespaces.js";
import { coven, gathered, ROOM, type Witch } from "./coven.test.kit.js";
import { ROOM_STORES } from "./documents.js";

const exists = async (witch: Witch) => {
  witch.forget();
  await witch.sends(`<iq type='get' id='i' to='${ROOM}'><query xmlns='${NS.discoInfo}'/></iq>`);
  return witch.hears()[0] === "result i";
};
const error = (condition: string) =>
  `<message type='error' to='${ROOM}'><error type='cancel'><${condition} xmlns='${NS.stanzaErrors}'/></error></message>`;

describe("an occupant who leaves", () => {
  it("is told so, and the others see it with what they say @3.1", async () => {
    const { hag, wicca } = await gathered();
    await hag.sends(`<presence type='unavailable' to='${ROOM}/hag'><status>off to the heath</status></presence>`);
    expect([hag.hears(), wicca.heard]).toEqual([["hag goes 110"], ["hag goes"]]);
    const [gone] = wicca.device.received;
    expect(gone?.child("status", NS.client)?.text()).toBe("off to the heath");
    expect(gone?.child("x", NS.mucUser)?.getChild("item")?.attrs).toMatchObject({ role: "none", affiliation: "none" });
    await wicca.says("alone");
    expect(hag.hears()).toEqual([]);
  });

  it("with one of several clients is still there with the others @3.1", async () => {
    const { crone, hag, another } = await gathered();
    const desk = await another("hag@localhost/desk");
    await desk.enters("hag");
    for (const witch of [crone, hag, desk]) witch.forget();
    await hag.leaves("hag");
    expect([hag.hears(), crone.hears(), desk.hears()]).toEqual([["hag goes 110"], [], []]);
    await desk.leaves("hag");
    expect([desk.hears(), crone.hears()]).toEqual([["hag goes 110"], ["hag goes"]]);
  });

  it("by the end of their session, in order or not, has left @3.1", async () => {
    const { crone, hag, wicca, settle } = await gathered();
    await hag.device.goes();
    await settle();
    await wicca.device.breaks();
    await settle();
    expect(crone.hears()).toEqual(["hag goes", "wicca goes"]);
  });

  it("by the end of their session has left, also after presence that the room did not take @3.1 @M5", async () => {
    const { hag, wicca } = await gathered({}, { config: "[limits]\nroom_presences_per_minute = 1" });
    await hag.sends(`<presence to='${ROOM}/hag'><show>away</show></presence>`);
    expect(hag.hears()).toEqual(["error resource-constraint"]);
    wicca.forget();
    await hag.device.goes();
    expect(wicca.hears()).toEqual(["hag goes"]);
  });

  it("by general unavailable presence has left, also after a change of nick @3.1", async () => {
    const { crone, hag } = await gathered();
    await hag.sends("<presence/>");
    await hag.sends(`<presence to='${ROOM}/oldhag'/>`);
    crone.forget();
    await hag.sends("<presence type='unavailable'/>");
    expect(crone.hears()).toEqual(["oldhag goes"]);
  });

  it("last takes a temporary room along, and all that is kept of it; a persistent one stays @3.1", async () => {
    const temporary = await coven();
    await temporary.crone.enters("crone");
    await temporary.crone.configures({ "muc#roomconfig_persistentroom": "0" });
    await temporary.crone.says("gone with the wind");
    await temporary.crone.leaves("crone");
    expect(await exists(temporary.crone)).toBe(false);
    expect(await temporary.world.storage.log(ROOM, { limit: 1 })).toEqual([]);
    const persistent = await coven();
    await persistent.crone.enters("crone");
    await persistent.crone.configures({ "muc#roomconfig_persistentroom": "1" });
    await persistent.crone.leaves("crone");
    expect(await exists(persistent.crone)).toBe(true);
  });

  it("before the room is configured takes it along, whoever comes next makes it anew @3.1", async () => {
    const { crone, hag } = await coven();
    await crone.enters("crone");
    await crone.leaves("crone");
    await hag.enters("hag");
    expect(hag.heard[0]).toBe("hag enters 110 170 201");
  });
});

describe("an occupant who is gone without a word", () => {
  it("is removed by what comes back from there @3.1 @M5", async () => {
    const { crone, hag, wicca } = await gathered();
    await hag.sends(error("recipient-unavailable"));
    expect([crone.hears(), hag.hears()]).toEqual([["hag goes 333"], ["hag goes 110 333"]]);
    await crone.says("hello");
    expect([hag.hears(), wicca.hears().at(-1)]).toEqual([[], "crone: hello"]);
  });

  it("stays if the error says something else, also if a client only says that it is unavailable @3.1", async () => {
    const { crone, hag } = await gathered();
    await hag.sends(error("not-acceptable"));
    await hag.sends(error("service-unavailable"));
    expect(crone.hears()).toEqual([]);
  });
});

describe("an occupant whose session waits to be resumed", () => {
  const XMLNS = `xmlns='${NS.streamManagement}'`;

  it("stays in the room; once the session is given up, the room is told by what did not arrive @3.1 @M5", async () => {
    const simulation = await simulate();
    const crone = await simulation.login("crone", "desktop");
    const hag = await simulation.login("hag", "pda");
    const enter = (nick: string) => `<presence to='${ROOM}/${nick}'><x xmlns='${NS.muc}'/></presence>`;
    crone.send(enter("crone"));
    crone.send(
      `<iq type='set' id='c' to='${ROOM}'><query xmlns='${NS.mucOwner}'><x xmlns='${NS.dataForms}' type='submit'/></query></iq>`,
    );
    await until(simulation, crone, "iq");
    hag.send(`<enable ${XMLNS} resume='true'/>`);
    hag.send(enter("hag"));
    await until(simulation, hag, "message");
    hag.cut();
    await simulation.settle();
    crone.take();
    crone.send(`<message type='groupchat' to='${ROOM}'><body>still there?</body></message>`);
    await simulation.settle();
    expect(crone.take().map(({ name }) => name)).toEqual(["message"]);
    simulation.clock.advance(10 * 60_000 + 1000);
    await simulation.settle();
    const told = crone.take().filter(({ name }) => name === "presence");
    expect(told.map(({ attrs }) => `${String(attrs["from"])} ${String(attrs["type"])}`)).toEqual([
      `${ROOM}/hag unavailable`,
    ]);
    const [status, ...others] = told[0]?.getChild("x")?.getChildren("status") ?? [];
    expect([status?.attrs["code"], others.length]).toEqual(["333", 0]);
  });
});

describe("a room that is destroyed", () => {
  it("says so to everybody once, and is there no more @3.1", async () => {
    const { world, crone, hag, wicca } = await gathered({ "muc#roomconfig_persistentroom": "1" });
    await crone.says("soon gone");
    for (const witch of [crone, hag, wicca]) witch.forget();
    const destroy = `<destroy jid='heath@conference.localhost'><reason>Macbeth</reason></destroy>`;
    await hag.sends(`<iq type='set' id='d' to='${ROOM}'><query xmlns='${NS.mucOwner}'>${destroy}</query></iq>`);
    expect(hag.hears()).toEqual(["error forbidden"]);
    await crone.sends(`<iq type='set' id='d' to='${ROOM}'><query xmlns='${NS.mucOwner}'>${destroy}</query></iq>`);
    expect([hag.heard, crone.hears()]).toEqual([["hag goes 110"], ["crone goes 110", "result d"]]);
    const told = hag.device.received[0]?.child("x", NS.mucUser)?.getChild("destroy");
    expect([told?.attrs["jid"], told?.getChildText("reason")]).toEqual(["heath@conference.localhost", "Macbeth"]);
    expect(await exists(wicca)).toBe(false);
    expect(await world.storage.log(ROOM, { limit: 1 })).toEqual([]);
  });

  it("leaves nothing in the store, which takes out a long archive in slices from then on @3.3", async () => {
    const { world, crone } = await gathered({ "muc#roomconfig_persistentroom": "1" });
    await crone.says("soon gone");
    await crone.sends(`<message type='groupchat' to='${ROOM}'><subject>soon gone</subject></message>`);
    let slices = 3;
    world.storage.discard = () => Promise.resolve(--slices > 0);
    await crone.sends(`<iq type='set' id='d' to='${ROOM}'><query xmlns='${NS.mucOwner}'><destroy/></query></iq>`);
    expect(slices).toBe(0);
    const rows = await world.storage.load(
      [ROOM],
      ROOM_STORES.map(({ name }) => name),
    );
    expect(rows.get(ROOM)).toEqual([]);
    await crone.enters("crone");
    await crone.configures({});
    expect(crone.heard).toContain("subject: ");
    expect(await world.storage.countLog(ROOM, {})).toBe(0);
  });
});
