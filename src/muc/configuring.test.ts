// What a change of the configuration means for those who are in the room, the full lists in the form, and the end of a room.
import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { gathered, ROOM, type Witch } from "./coven.test.kit.js";

const OWNERS = "muc#roomconfig_roomowners";
const ADMINS = "muc#roomconfig_roomadmins";
const PERSISTENT = { "muc#roomconfig_persistentroom": "1" };
const destroys = (witch: Witch, destroy: string) =>
  witch.sends(`<iq type='set' id='d' to='${ROOM}'><query xmlns='${NS.mucOwner}'>${destroy}</query></iq>`);

/** The values of a field in the form as the owner gets it. */
async function valuesOf(owner: Witch, name: string): Promise<readonly string[] | undefined> {
  const form = await owner.device.asks(`<iq type='get' id='f' to='${ROOM}'><query xmlns='${NS.mucOwner}'/></iq>`);
  const fields = form.getChild("query")?.getChild("x", NS.dataForms)?.getChildren("field");
  const field = fields?.find(({ attrs }) => attrs["var"] === name);
  return field?.getChildren("value").map((value) => value.text());
}

describe("a room that becomes members-only", () => {
  it("keeps its members, and removes the others with 322 before it tells of the change @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.sets("jid=wicca@localhost affiliation=member");
    for (const witch of [crone, hag, wicca]) witch.forget();
    await crone.configures({ "muc#roomconfig_membersonly": "1" });
    expect([hag.hears(), wicca.hears()]).toEqual([["hag goes 110 322"], ["hag goes 322", "room notes 104"]]);
    await hag.enters("hag");
    expect(hag.hears()).toEqual(["error registration-required"]);
  });

  it("takes the new admins of the same form for what they are @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.configures({ "muc#roomconfig_membersonly": "1", [ADMINS]: "hag@localhost" });
    expect(hag.items).toEqual([
      "hag hag@localhost/pda admin moderator by crone",
      "wicca wicca@localhost/laptop none none by crone",
    ]);
    expect(wicca.hears().at(-1)).toBe("wicca goes 110 322");
  });
});

describe("a room that is moderated", () => {
  it("gives everybody voice when it is so no more, and takes it from nobody when it becomes so @3.1", async () => {
    const { crone, hag, wicca } = await gathered({ "muc#roomconfig_moderatedroom": "1" });
    await hag.says("unheard");
    expect(hag.hears()).toEqual(["error forbidden"]);
    await crone.configures({ "muc#roomconfig_moderatedroom": "0" });
    expect(hag.items).toContain("hag hag@localhost/pda none participant by crone");
    await crone.configures({ "muc#roomconfig_moderatedroom": "1" });
    for (const witch of [crone, hag, wicca]) witch.forget();
    await hag.says("heard");
    expect(wicca.hears()).toEqual(["hag: heard"]);
  });
});

describe("notices of a change", () => {
  it("name each that touches privacy, and are 104 for all others, and there are none where nothing changed @3.1", async () => {
    const { crone, hag } = await gathered();
    const change = async (field: string, value: string) => {
      await crone.configures({ [`muc#roomconfig_${field}`]: value });
      return hag.hears().at(-1);
    };
    expect([
      await change("enablelogging", "0"),
      await change("enablelogging", "1"),
      await change("whois", "anyone"),
      await change("whois", "moderators"),
      await change("roomname", "Cave"),
    ]).toEqual(["171", "170", "172", "173", "104"].map((code) => `room notes ${code}`));
    await crone.configures({ "muc#roomconfig_roomname": "Cave" });
    expect(hag.hears()).toEqual([]);
  });
});

describe("the lists in the form", () => {
  it("are whole: who is not named any more falls, who is named anew rises @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.configures({ [OWNERS]: "crone@localhost", [ADMINS]: "hag@localhost/pda" });
    expect([await valuesOf(crone, OWNERS), await valuesOf(crone, ADMINS)]).toEqual([
      ["crone@localhost"],
      ["hag@localhost"],
    ]);
    expect(wicca.items).toEqual(["hag admin moderator by crone"]);
    await crone.configures({ [ADMINS]: "wicca@localhost" });
    expect(await crone.lists("affiliation=member")).toEqual(["hag@localhost member hag"]);
    await crone.configures({ [OWNERS]: "wicca@localhost" });
    expect(await wicca.lists("affiliation=admin")).toEqual(["crone@localhost admin crone"]);
    expect(await wicca.lists("affiliation=owner")).toEqual(["wicca@localhost owner wicca"]);
    expect(hag.items.slice(-2)).toEqual([...["crone admin moderator by crone", "wicca owner moderator by crone"]]);
  });

  it("that name no owner, or nobody at all, are refused, and nothing of the form holds @3.1 @M4", async () => {
    const { crone, hag } = await gathered();
    for (const owners of ["", "a@b@c"]) {
      await crone.configures({ [OWNERS]: owners, "muc#roomconfig_membersonly": "1" });
    }
    expect([crone.hears(), hag.hears()]).toEqual([["error conflict", "error not-acceptable"], []]);
    expect(await valuesOf(crone, "muc#roomconfig_membersonly")).toEqual(["0"]);
  });
});

describe("a room that is destroyed", () => {
  it("tells everybody where to go, with what is needed there, and leaves nothing @3.1 @3.2", async () => {
    const { world, crone, hag } = await gathered(PERSISTENT);
    await crone.says("gone with the wind");
    hag.forget();
    const venue = "<destroy jid='heath@conference.localhost'><reason>Rain</reason><password>mud</password></destroy>";
    await destroys(crone, venue);
    const [gone, ...more] = hag.device.received;
    expect(more).toEqual([]);
    expect(gone?.child("x", NS.mucUser)?.getChild("destroy")?.toString()).toBe(
      '<destroy jid="heath@conference.localhost"><reason>Rain</reason><password>mud</password></destroy>',
    );
    expect(
      [...(await world.storage.load([ROOM], ["room", "room_affiliation", "room_listing"])).values()].flat(),
    ).toEqual([]);
    expect(await world.storage.log(ROOM, { limit: 5 })).toEqual([]);
    await hag.enters("hag");
    expect(hag.hears().at(-2)).toBe("hag enters 110 170 201");
  });

  it("is not when the venue is no address, or who asks is no owner @3.1", async () => {
    const { crone, hag } = await gathered();
    await destroys(crone, "<destroy jid='a@b@c'/>");
    await crone.sets("jid=hag@localhost affiliation=admin");
    await destroys(hag, "<destroy/>");
    expect([crone.hears()[0], hag.hears().at(-1)]).toEqual(["error jid-malformed", "error forbidden"]);
    await hag.says("still here");
    expect(crone.hears()).toEqual(["hag: still here"]);
  });
});
