import { describe, expect, it } from "@jest/globals";
import { NS } from "../../xml/namespaces.js";
import { coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const query = (inside: string) => `<query xmlns='${NS.register}'>${inside}</query>`;
const form = (fields: Readonly<Record<string, string>>) =>
  `<x xmlns='${NS.dataForms}' type='submit'>${Object.entries({ FORM_TYPE: NS.mucRegister, ...fields })
    .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    .join("")}</x>`;
const sets = (witch: Witch, inside: string) => witch.sends(`<iq type='set' id='r' to='${ROOM}'>${query(inside)}</iq>`);
const registers = (witch: Witch, nick: string) => sets(witch, form({ "muc#register_roomnick": nick }));
/** What the room says of the sender's registration, in short. */
const asks = async (witch: Witch) => {
  witch.forget();
  await witch.sends(`<iq type='get' id='g' to='${ROOM}'>${query("")}</iq>`);
  const [line] = witch.heard;
  const answer = witch.device.received[0]?.child("query", NS.register);
  witch.forget();
  if (!answer) return line;
  return answer.getChild("registered") ? `registered ${String(answer.getChildText("username"))}` : "form";
};
const ownNick = async (witch: Witch) => {
  witch.forget();
  await witch.sends(`<iq type='get' id='n' to='${ROOM}'><query xmlns='${NS.discoInfo}' node='x-roomuser-item'/></iq>`);
  const answer = witch.device.received[0]?.child("query", NS.discoInfo);
  witch.forget();
  return answer?.getChildElements().map(({ attrs }) => String(attrs["name"]));
};
const itemIn = (witch: Witch) => witch.device.received[0]?.child("x", NS.mucUser)?.getChild("item")?.attrs;

describe("registering with a room", () => {
  it("makes a member with a nick, told to all, kept over a restart, and asked about by its owner alone @3.1 @3.2", async () => {
    const before = await gathered({ "muc#roomconfig_persistentroom": "1" });
    expect([await asks(before.hag), await ownNick(before.hag)]).toEqual(["form", []]);
    await registers(before.hag, "third");
    expect([before.crone.heard, before.hag.hears()]).toEqual([["hag enters"], ["hag enters 110", "result r"]]);
    expect(itemIn(before.crone)).toMatchObject({ affiliation: "member", role: "participant" });
    const { disk, clock } = before.world;
    const { hag, wicca } = await coven({ disk, clock, accounts: [] });
    expect([await asks(hag), await asks(wicca)]).toEqual(["registered third", "form"]);
    expect([await ownNick(hag), await ownNick(wicca)]).toEqual([["third"], []]);
  });

  it("keeps everybody else from the nick and from what looks like it, and nobody from others @3.1 @R8 @M11", async () => {
    const { hag, wicca, another } = await gathered();
    await registers(hag, "Third Witch");
    wicca.forget();
    for (const nick of ["Third Witch", "third witch", "Third  Witch", "Ｔｈｉｒｄ Witch"]) {
      await registers(wicca, nick);
      await wicca.sends(`<presence to='${ROOM}/${nick}'/>`);
      expect(wicca.hears()).toEqual(["error conflict", "error conflict"]);
    }
    const stray = await another("wicca@localhost/stray");
    await stray.enters("THIRD WITCH");
    expect(stray.hears()).toEqual(["error conflict"]);
    await hag.sends(`<presence to='${ROOM}/third witch'/>`);
    expect(wicca.hears()).toEqual(["hag goes 303", "third witch enters"]);
    await registers(wicca, "Witch");
    expect(wicca.heard.at(-1)).toBe("result r");
  });

  it("does not take the nick of somebody who is in under it @3.1 @R8", async () => {
    const { hag, wicca } = await gathered();
    await registers(wicca, "HAG");
    expect([wicca.hears(), await asks(hag)]).toEqual([["error conflict"], "form"]);
    await hag.leaves("hag");
    wicca.forget();
    await registers(wicca, "HAG");
    expect(wicca.heard.at(-1)).toBe("result r");
  });

  it("again changes the nick, and frees the old one @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await registers(crone, "first");
    await registers(crone, "second");
    expect([await asks(crone), crone.heard]).toEqual(["registered second", []]);
    await registers(hag, "first");
    expect([await asks(hag), await asks(wicca)]).toEqual(["registered first", "form"]);
  });

  it("can be taken back, with the membership; an owner stays one @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await registers(hag, "third");
    await registers(crone, "first");
    for (const witch of [crone, hag, wicca]) witch.forget();
    for (const witch of [crone, hag, wicca]) await sets(witch, "<remove/>");
    expect(wicca.heard).toEqual(["hag enters", "error registration-required"]);
    expect(itemIn(wicca)).toMatchObject({ affiliation: "none", role: "participant" });
    expect([await asks(hag), await ownNick(crone)]).toEqual(["form", []]);
    await crone.configures({});
    expect(crone.hears()).toEqual(["result form"]);
  });

  it("is also for those who stand on the lists with their domain, or on none as the server's administrators @3.1", async () => {
    const { crone, hag, wicca } = await gathered({}, { config: 'admins = ["wicca@localhost"]' });
    await crone.sets("jid=localhost affiliation=member");
    await registers(hag, "third");
    await registers(wicca, "second");
    expect([await asks(hag), await asks(wicca)]).toEqual(["registered third", "registered second"]);
    for (const witch of [hag, wicca]) await sets(witch, "<remove/>");
    expect([await asks(hag), await asks(wicca)]).toEqual(["form", "form"]);
    expect(await crone.lists("affiliation=member")).toEqual(["localhost member"]);
  });

  it("gets nobody in or a voice: not in a members-only room, nor as a visitor of a moderated one @3.1 @M3", async () => {
    const closed = await gathered({ "muc#roomconfig_membersonly": "1" });
    await registers(closed.hag, "third");
    expect([closed.hag.hears(), await asks(closed.hag)]).toEqual([["error not-allowed"], "error not-allowed"]);
    const moderated = await gathered({ "muc#roomconfig_moderatedroom": "1" });
    const stray = await moderated.another("hag@localhost/stray");
    for (const witch of [moderated.hag, stray]) {
      await registers(witch, "third");
      expect(witch.hears()).toEqual(["error not-allowed"]);
    }
    await moderated.hag.says("hush");
    expect(moderated.hag.hears()).toEqual(["error forbidden"]);
  });

  it("gets nobody past a password, nor others by what members may do: who has not shown it does not register @3.1 @M3", async () => {
    const { crone, another } = await gathered({
      "muc#roomconfig_persistentroom": "1",
      "muc#roomconfig_allowinvites": "1",
    });
    await crone.configures({ "muc#roomconfig_passwordprotectedroom": "1", "muc#roomconfig_roomsecret": "cauldron" });
    const stray = await another("wicca@localhost/stray");
    await registers(stray, "fourth");
    expect([stray.hears(), await asks(stray)]).toEqual([["error not-allowed"], "error not-allowed"]);
    await stray.sends(`<iq type='set' id='t' to='${ROOM}'><request xmlns='${NS.mucTokens}'/></iq>`);
    expect(stray.hears()).toEqual(["error forbidden"]);
    await stray.enters("wicca", "<password>cauldron</password>");
    await registers(stray, "fourth");
    expect(stray.heard.at(-1)).toBe("result r");
  });

  it("ends in a members-only room with the door @3.1 @M3", async () => {
    const { crone, hag } = await gathered();
    await registers(hag, "third");
    await crone.configures({ "muc#roomconfig_membersonly": "1" });
    hag.forget();
    await sets(hag, "<remove/>");
    expect(hag.hears()).toEqual(["hag goes 110 321", "result r"]);
    await hag.enters("hag");
    expect(hag.hears()).toEqual(["error registration-required"]);
  });

  it("is not possible before the room is configured: it may be for members only @3.1 @M3", async () => {
    const { crone, hag } = await coven();
    await crone.enters("crone");
    await registers(hag, "third");
    expect([hag.hears(), await asks(hag)]).toEqual([["error item-not-found"], "error item-not-found"]);
    await crone.configures({ "muc#roomconfig_membersonly": "1" });
    await hag.enters("hag");
    expect(hag.hears()).toEqual(["error registration-required"]);
  });

  it("is told to others no more often than presence is @3.1 @M11 @R11 @limit.room_presences_per_minute", async () => {
    const { crone, hag } = await gathered({}, { config: "[limits]\nroom_presences_per_minute = 3" });
    for (let time = 0; time < 3; time++) {
      await registers(hag, "third");
      await sets(hag, "<remove/>");
    }
    expect(crone.heard).toEqual(["hag enters", "hag enters"]); // entering was the first
    expect(hag.heard.slice(-4)).toEqual(Array.from({ length: 4 }, () => "error resource-constraint"));
  });

  it("needs a form with a nick that one could have @3.1 @M11", async () => {
    const { hag } = await gathered();
    await sets(hag, "");
    await sets(hag, form({}));
    await sets(hag, `<x xmlns='${NS.dataForms}' type='submit'/>`);
    await registers(hag, " ");
    await registers(hag, "n".repeat(257));
    expect(hag.hears()).toEqual([
      ...["error bad-request", "error bad-request", "error bad-request"],
      ...["error not-acceptable", "error not-acceptable"],
    ]);
  });

  it("has no more members than the lists may hold, and is not offered by the service @3.5 @M11 @limit.room_affiliations", async () => {
    const { hag, wicca } = await gathered({}, { config: "[limits]\nroom_affiliations = 2" });
    await registers(hag, "third");
    wicca.forget();
    await registers(wicca, "fourth");
    await registers(hag, "again");
    expect([wicca.hears(), hag.heard.at(-1)]).toEqual([["error policy-violation"], "result r"]);
    await wicca.sends(`<iq type='get' id='s' to='conference.localhost'>${query("")}</iq>`);
    expect(wicca.hears()).toEqual(["error service-unavailable"]);
  });
});
