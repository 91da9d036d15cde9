import { describe, expect, it } from "@jest/globals";
import { idToText } from "../../core/ids.js";
import { NS } from "../../xml/namespaces.js";
import { gathered, ROOM, type Witch } from "../coven.test.kit.js";

const ON = { "muc#roomconfig_persistentroom": "1", "muc#roomconfig_forwardmentions": "1" };
const mention = (uri: string) =>
  `<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='5' uri='${uri}'/>`;
const says = (witch: Witch, ...content: readonly string[]) =>
  witch.sends(`<message type='groupchat' id='m1' to='${ROOM}'><body>crone: hi</body>${content.join("")}</message>`);

const registers = (witch: Witch, nick: string) => {
  const fields = Object.entries({ FORM_TYPE: NS.mucRegister, "muc#register_roomnick": nick });
  const form = fields.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join("");
  const query = `<query xmlns='${NS.register}'><x xmlns='${NS.dataForms}' type='submit'>${form}</x></query>`;
  return witch.sends(`<iq type='set' id='r' to='${ROOM}'>${query}</iq>`);
};

/** The owner is not in her room, but available. */
async function withoutOwner(fields: Readonly<Record<string, string>> = ON) {
  const all = await gathered(fields);
  await all.crone.sends("<presence/>");
  await all.crone.leaves("crone");
  for (const witch of [all.crone, all.hag, all.wicca]) witch.forget();
  return all;
}

describe("a mention of somebody on the room's lists who is not in", () => {
  it("is forwarded to their account, whole and with the room's id @3.4", async () => {
    const { world, crone, hag, wicca } = await withoutOwner();
    await says(hag, mention("xmpp:crone@localhost"));
    const [row] = await world.storage.log(ROOM, { limit: 5 });
    const [notice] = crone.device.messages;
    expect([String(notice?.from), String(notice?.to), notice?.type]).toEqual([ROOM, "crone@localhost", "normal"]);
    const forwarded = notice?.child("mentions", "urn:xmpp:mmn:0")?.getChild("forwarded", "urn:xmpp:forward:0");
    expect(forwarded?.getChild("delay", "urn:xmpp:delay")?.attrs["stamp"]).toMatch(/Z$/);
    const said = forwarded?.getChild("message", "jabber:client");
    expect(said?.attrs).toMatchObject({ type: "groupchat", id: "m1", from: `${ROOM}/hag`, to: ROOM });
    expect(said?.getChild("stanza-id", "urn:xmpp:sid:0")?.attrs).toMatchObject({
      by: ROOM,
      id: idToText(row?.id ?? 0),
    });
    expect(wicca.hears()).toEqual(["hag: crone: hi"]);
  });

  it("waits for them when they are away @3.4", async () => {
    const { crone, hag, another, settle } = await withoutOwner();
    await crone.device.goes();
    await says(hag, mention("xmpp:crone@localhost"));
    const later = await another("crone@localhost/later");
    await later.sends("<presence/>");
    await settle();
    expect(later.device.messages.filter((one) => one.has("mentions", "urn:xmpp:mmn:0"))).toHaveLength(1);
  });

  it("comes once, however often and in whatever way they are named @3.4", async () => {
    const { crone, hag } = await withoutOwner();
    await says(hag, mention("xmpp:crone@localhost"), mention("xmpp:Crone@localhost/x?message"));
    expect(crone.device.messages).toHaveLength(1);
  });

  it("may name them by the room and their registered nick, as one would find it, and tells nobody whose it is @3.4 @M1", async () => {
    const { crone, hag, wicca } = await withoutOwner();
    await registers(crone, "Old Crone");
    for (const uri of [`xmpp:${ROOM}/Old%20Crone`, `xmpp:${ROOM}/old%20crone?message`]) {
      for (const witch of [crone, hag, wicca]) witch.forget();
      await says(hag, mention(uri));
      expect([crone.device.messages.length, hag.heard, wicca.heard]).toEqual([
        ...[1, ["hag: crone: hi"], ["hag: crone: hi"]],
      ]);
      const heardByOthers = [...hag.device.received, ...wicca.device.received]
        .map(({ element }) => element.toString())
        .join("");
      expect(heardByOthers).not.toContain("crone@localhost");
    }
    crone.forget();
    await says(hag, mention(`xmpp:${ROOM}/Old%20Crone`), mention("xmpp:crone@localhost"));
    expect(crone.device.messages).toHaveLength(1);
  });

  it("by a nick goes to nobody that is in, of another room, on no list, or whose nick is not registered @3.4 @M1", async () => {
    const { crone, hag, wicca } = await withoutOwner();
    await registers(wicca, "third");
    await registers(crone, "first");
    for (const witch of [crone, hag, wicca]) witch.forget();
    for (const address of [`${ROOM}/third`, `${ROOM}/crone`, `${ROOM}/nobody`, ROOM, "moor@conference.localhost/first"])
      await says(hag, mention(`xmpp:${address}`));
    expect([crone.heard, wicca.device.messages.length]).toEqual([[], 5]);
    await wicca.leaves("wicca");
    wicca.forget();
    await says(hag, mention(`xmpp:${ROOM}/third`));
    expect(wicca.device.messages.length).toBe(0);
    await wicca.sends("<presence/>");
    wicca.forget();
    await says(hag, mention(`xmpp:${ROOM}/third`));
    expect(wicca.device.messages.length).toBe(1);
    await wicca.sends(`<iq type='set' id='r' to='${ROOM}'><query xmlns='${NS.register}'><remove/></query></iq>`);
    wicca.forget();
    await says(hag, mention(`xmpp:${ROOM}/third`));
    expect(wicca.heard).toEqual([]);
  });

  it("is not forwarded to whoever is in, or on no list, or where it names nobody @3.4", async () => {
    const { crone, hag, wicca } = await withoutOwner();
    await wicca.leaves("wicca");
    wicca.forget();
    for (const uri of ["xmpp:wicca@localhost", "xmpp:hag@localhost", "xmpp:@", "xmpp:%", "https://crone@localhost"])
      await says(hag, mention(uri));
    await says(hag, "<reference xmlns='urn:xmpp:reference:0' type='data' uri='xmpp:crone@localhost'/>");
    expect([crone.heard, wicca.heard, hag.device.messages.length]).toEqual([[], [], 6]);
    await crone.enters("crone");
    crone.forget();
    await says(hag, mention("xmpp:crone@localhost"));
    expect(crone.hears()).toEqual(["hag: crone: hi"]);
  });

  it("is forwarded to no more than twenty @3.4 @3.5", async () => {
    const { crone, hag } = await withoutOwner();
    const others = Array.from({ length: 20 }, (_, n) => mention(`xmpp:witch${n}@localhost`));
    await says(hag, ...others, mention("xmpp:crone@localhost"));
    expect(crone.heard).toEqual([]);
    await says(hag, ...others.slice(1), mention("xmpp:crone@localhost"));
    expect(crone.device.messages).toHaveLength(1);
  });

  it("stays in the room unless an owner has said otherwise, or if the message could not be kept @3.4", async () => {
    const quiet = await withoutOwner({ "muc#roomconfig_persistentroom": "1" });
    await says(quiet.hag, mention("xmpp:crone@localhost"));
    expect(quiet.crone.heard).toEqual([]);
    const { world, crone, hag } = await withoutOwner();
    world.storage.failNext("refused");
    await says(hag, mention("xmpp:crone@localhost"));
    expect([hag.heard, crone.heard]).toEqual([["error resource-constraint"], []]);
  });
});
