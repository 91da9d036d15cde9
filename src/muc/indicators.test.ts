import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { asked, infoOf } from "./asking.test.kit.js";
import { type CovenOptions, gathered, ROOM, type Witch } from "./coven.test.kit.js";

const SERVICE = "conference.localhost";
const RAI = "urn:xmpp:rai:0";

const listens = (witch: Witch) => witch.sends(`<presence to='${SERVICE}' id='rai'><rai xmlns='${RAI}'/></presence>`);

/** The rooms of each notice; what was heard is forgotten. */
function notices(witch: Witch): readonly (readonly string[])[] {
  const all = witch.device.messages.flatMap(({ element }) => element.getChild("rai", RAI) ?? []);
  witch.forget();
  return all.map((rai) => rai.getChildren("activity").map((one) => one.text()));
}

const TWO_DOMAINS = 'domains = ["localhost", "example"]';

/** A persistent room in which hag is; its owner, crone, and wicca, who is on none of its lists, are not. */
async function withoutOwner(options: CovenOptions = {}) {
  const all = await gathered({ "muc#roomconfig_persistentroom": "1" }, options);
  await all.crone.leaves("crone");
  await all.wicca.leaves("wicca");
  for (const witch of [all.crone, all.hag, all.wicca]) witch.forget();
  return all;
}

describe("whoever wants to know where something is said", () => {
  it("is told once for each room, if they are on its lists and not in it @3.4", async () => {
    const { crone, hag, wicca } = await withoutOwner();
    for (const witch of [crone, hag, wicca]) await listens(witch);
    await hag.says("one");
    expect(crone.device.messages[0]).toMatchObject({ type: "normal" });
    expect(String(crone.device.messages[0]?.from)).toBe(SERVICE);
    await hag.says("two");
    expect([notices(crone), notices(hag), notices(wicca)]).toEqual([[[ROOM]], [], []]);
    await listens(crone);
    expect(notices(crone)).toEqual([[ROOM]]);
    await hag.says("three");
    expect(notices(crone)).toEqual([]);
  });

  it("is told of what was said while they did not listen, until they have been in the room @3.4", async () => {
    const { crone, hag } = await withoutOwner();
    await listens(crone);
    await crone.sends(`<presence type='unavailable' to='${SERVICE}'/>`);
    await hag.says("one");
    expect(notices(crone)).toEqual([]);
    await listens(crone);
    expect(notices(crone)).toEqual([[ROOM]]);
    await crone.enters("crone");
    await hag.says("two");
    await crone.leaves("crone");
    crone.forget();
    await listens(crone);
    expect(notices(crone)).toEqual([]);
  });

  it("is not told by the device that is in, and is by another one that is not @3.4", async () => {
    const { crone, hag, another } = await withoutOwner();
    const phone = await another("crone@localhost/phone");
    await crone.enters("crone");
    await listens(crone);
    await listens(phone);
    await hag.says("one");
    expect([notices(crone), notices(phone)]).toEqual([[], [[ROOM]]]);
  });

  it("hears nothing of a room that is there no more, or of what has no words or could not be kept @3.4", async () => {
    const { world, crone, hag } = await withoutOwner();
    await listens(crone);
    await hag.sends(`<message type='groupchat' to='${ROOM}'><active xmlns='${NS.chatStates}'/></message>`);
    world.storage.failNext("refused");
    await hag.says("lost");
    expect(notices(crone)).toEqual([]);
    await crone.sends(`<presence type='unavailable' to='${SERVICE}'/>`);
    await hag.says("one");
    await asked(crone, "set", `<query xmlns='${NS.mucOwner}'><destroy/></query>`);
    await listens(crone);
    expect(notices(crone)).toEqual([]);
  });

  it("stops by going away; presence that says nothing of it is not heard @3.4", async () => {
    const { crone, hag, another, settle } = await withoutOwner();
    await crone.sends(`<presence to='${SERVICE}'/>`);
    const phone = await another("crone@localhost/phone");
    await phone.sends("<presence/>");
    await listens(phone);
    await phone.device.goes();
    await settle();
    phone.forget();
    await hag.says("one");
    expect([notices(crone), notices(phone)]).toEqual([[], []]);
  });

  it("may ask several services, each for itself @3.4", async () => {
    const { crone, hag } = await withoutOwner({ config: TWO_DOMAINS });
    await listens(crone);
    const other = `to='conference.example'`;
    await crone.sends(`<presence ${other}><rai xmlns='${RAI}'/></presence>`);
    await crone.sends(`<presence type='unavailable' ${other}/>`);
    await hag.says("one");
    expect(notices(crone)).toEqual([[ROOM]]);
  });

  it("leaves nothing in any archive @3.4", async () => {
    const { world, crone, hag } = await withoutOwner();
    await listens(crone);
    await hag.says("one");
    expect(await world.storage.log("crone@localhost", { limit: 10 })).toEqual([]);
  });

  it("is refused when there are too many @3.5 @limit.activity_subscriptions", async () => {
    const { crone, hag, wicca } = await withoutOwner({ config: "[limits]\nactivity_subscriptions = 1" });
    await listens(wicca);
    await listens(crone);
    expect(crone.hears()).toEqual(["error resource-constraint"]);
    await wicca.sends(`<presence type='unavailable' to='${SERVICE}'/>`);
    await listens(crone);
    await hag.says("one");
    expect(notices(crone)).toEqual([[ROOM]]);
  });

  it("finds out that the service does so @3.4", async () => {
    const { crone } = await withoutOwner();
    expect((await infoOf(crone, SERVICE)).features).toContain(RAI);
  });
});
