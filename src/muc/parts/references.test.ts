import { describe, expect, it } from "@jest/globals";
import { asked, configurationOf, infoOf, refusal } from "../asking.test.kit.js";
import { gathered, type Witch } from "../coven.test.kit.js";
import { NS } from "../../xml/namespaces.js";

const form = (name: string, ...values: readonly string[]) => {
  const field = `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
  const type = `<field var='FORM_TYPE'><value>${NS.mucRoomConfig}</value></field>`;
  return `<query xmlns='${NS.mucOwner}'><x xmlns='${NS.dataForms}' type='submit'>${type}${field}</x></query>`;
};

describe("the form of what a room is", () => {
  it("says what is so of every room, by the names that clients look for @3.4", async () => {
    const { crone, hag } = await gathered({
      "muc#roomconfig_roomname": "Cave",
      "muc#roomconfig_roomdesc": "Deep",
      "muc#roomconfig_lang": "en",
      "muc#roomconfig_changesubject": "1",
      "muc#roomconfig_allowpm": "moderators",
      "muc#maxhistoryfetch": "7",
    });
    await crone.sends("<message type='groupchat' to='coven@conference.localhost'><subject>Fire</subject></message>");
    expect((await infoOf(hag)).fields).toEqual({
      FORM_TYPE: [NS.mucRoomInfo],
      "muc#roomconfig_roomname": ["Cave"],
      "muc#roominfo_description": ["Deep"],
      "muc#roominfo_lang": ["en"],
      "muc#roominfo_occupants": ["3"],
      "muc#roominfo_subject": ["Fire"],
      "muc#roominfo_subjectmod": ["1"],
      "muc#roomconfig_changesubject": ["1"],
      "muc#roomconfig_allowpm": ["moderators"],
      "muc#maxhistoryfetch": ["7"],
      "muc#roominfo_slow_mode_duration": ["0"],
    });
  });

  it("tells the subject to nobody who may not enter @3.1 @3.4 @M1 @M3", async () => {
    const subjectOf = async (witch: Witch) => (await infoOf(witch)).fields["muc#roominfo_subject"];
    const { crone, hag, another } = await gathered();
    const stray = await another("wicca@localhost/stray");
    await crone.sends("<message type='groupchat' to='coven@conference.localhost'><subject>Fire</subject></message>");
    expect(await subjectOf(stray)).toEqual(["Fire"]);
    await crone.configures({ "muc#roomconfig_passwordprotectedroom": "1", "muc#roomconfig_roomsecret": "cauldron" });
    expect([await subjectOf(stray), await subjectOf(hag), await subjectOf(crone)]).toEqual([
      undefined,
      ["Fire"],
      ["Fire"],
    ]);
    await crone.configures({ "muc#roomconfig_passwordprotectedroom": "0", "muc#roomconfig_membersonly": "1" });
    expect(await subjectOf(stray)).toBeUndefined();
    await crone.sets("jid=wicca@localhost affiliation=member");
    expect(await subjectOf(stray)).toEqual(["Fire"]);
    await crone.configures({ "muc#roomconfig_membersonly": "0" });
    await crone.sets("jid=wicca@localhost affiliation=outcast");
    expect(await subjectOf(stray)).toBeUndefined();
  });

  it("has contacts, logs and a node if an owner has named them @3.4", async () => {
    const { crone, hag } = await gathered({
      "muc#roomconfig_logs": "https://example.org/logs",
      "muc#roomconfig_pubsub": "xmpp:pubsub.localhost?;node=coven",
    });
    await asked(crone, "set", form("muc#roomconfig_contactjid", "Crone@localhost", "", "hag@localhost"));
    const contacts = ["crone@localhost", "hag@localhost"];
    expect((await configurationOf(crone))["muc#roomconfig_contactjid"]).toEqual(contacts);
    expect((await infoOf(hag)).fields).toMatchObject({
      "muc#roominfo_contactjid": contacts,
      "muc#roominfo_logs": ["https://example.org/logs"],
      "muc#roomconfig_pubsub": ["xmpp:pubsub.localhost?;node=coven"],
    });
  });

  it("takes no contacts that are no addresses, and not too many @3.4 @3.5", async () => {
    const { crone, hag } = await gathered();
    const many = Array.from({ length: 11 }, (_, n) => `witch${n}@localhost`);
    expect(await refusal(crone, "set", form("muc#roomconfig_contactjid", "@"))).toBe("not-acceptable");
    expect(await refusal(crone, "set", form("muc#roomconfig_contactjid", ...many))).toBe("not-acceptable");
    expect((await infoOf(hag)).fields["muc#roominfo_contactjid"]).toBeUndefined();
    expect(await refusal(crone, "set", form("muc#roomconfig_contactjid", ...many.slice(1)))).toBe("");
  });
});
