import { describe, expect, it } from "@jest/globals";
import { StanzaError } from "../../stanza/errors.js";
import { NS } from "../../xml/namespaces.js";
import { gathered, ROOM, type Witch } from "../coven.test.kit.js";

const told = (witch: Witch, inside: string) =>
  witch.sends(`<message id='i' to='${ROOM}'><x xmlns='${NS.mucUser}'>${inside}</x></message>`);
const invites = (witch: Witch, ...names: readonly string[]) =>
  told(witch, names.map((name) => `<invite to='${name}@localhost'/>`).join(""));
const wordsTo = (witch: Witch) => {
  const x = witch.device.messages.at(-1)?.child("x", NS.mucUser);
  return x ? String(x).replace(` xmlns="${NS.mucUser}"`, "") : undefined;
};
/** Somebody who is online and not in the room. */
const outside = async (all: Awaited<ReturnType<typeof gathered>>, name: "hag" | "wicca") => {
  await all[name].leaves(name);
  await all[name].sends("<presence/>");
  for (const witch of [all.crone, all.hag, all.wicca]) witch.forget();
  return all[name];
};
const BLOCKED = new StanzaError("service-unavailable");
const MEMBERS_ONLY = { "muc#roomconfig_membersonly": "1" };

describe("an invitation through the room", () => {
  it("says who invites, why, what goes on and the password, and nothing else @3.1 @R3", async () => {
    const all = await gathered({});
    const { crone } = all;
    await crone.configures({
      "muc#roomconfig_passwordprotectedroom": "1",
      "muc#roomconfig_roomsecret": "cauldron",
    });
    const hag = await outside(all, "hag");
    const claims = `<status code='104'/><password>none</password>`;
    await told(
      crone,
      `<invite to='hag@localhost' from='x@y'><reason>Come &amp; see</reason><continue thread='t'/><z/></invite>${claims}`,
    );
    expect(wordsTo(hag)).toBe(
      '<x><invite from="crone@localhost"><reason>Come &amp; see</reason><continue thread="t"/></invite><password>cauldron</password></x>',
    );
    const [message] = hag.device.messages;
    expect([message?.from?.toString(), message?.id, message?.type]).toEqual([ROOM, "i", "normal"]);
    expect(crone.heard).toEqual([]);
  });

  it("waits for somebody who is offline @3.1 @3.2", async () => {
    const { world, crone, hag, another } = await gathered();
    await hag.device.goes();
    await invites(crone, "hag");
    expect(await world.storage.log("hag@localhost", { limit: 5 })).toMatchObject([{ with: ROOM, pending: true }]);
    const later = await another("hag@localhost/later");
    await later.sends("<presence/>");
    expect(wordsTo(later)).toContain("crone@localhost");
  });

  it("makes members in a members-only room, where admins may invite, and members if the room says so @3.1 @M3", async () => {
    const all = await gathered();
    const { crone, wicca } = all;
    const hag = await outside(all, "hag");
    await crone.configures(MEMBERS_ONLY);
    await invites(crone, "wicca");
    await wicca.enters("wicca");
    expect(crone.device.received.at(-1)?.toWire()).toMatch(/affiliation=.member./);
    crone.forget();
    await hag.enters("hag");
    await invites(wicca, "hag");
    expect([hag.hears(), wicca.hears().at(-1)]).toEqual([["error registration-required"], "error forbidden"]);
    await crone.configures({ "muc#roomconfig_allowinvites": "1" });
    await invites(wicca, "hag");
    expect(wordsTo(hag)).toContain("wicca@localhost");
    await hag.enters("hag");
    expect(hag.heard).toContain("hag enters 110 170");
    expect(hag.device.received.at(-2)?.toWire()).toMatch(/affiliation=.member./);
  });

  it("makes no members in an open room, and lets nobody in who is banned @3.1 @M3", async () => {
    const all = await gathered();
    const hag = await outside(all, "hag");
    await invites(all.wicca, "hag");
    await hag.enters("hag");
    expect(hag.device.received.find(({ kind }) => kind === "presence")?.toWire()).not.toContain("member");
    expect(await all.world.storage.load([ROOM], ["room_affiliation"]).then((rows) => rows.get(ROOM)?.length)).toBe(1);
  });

  it("from outside, to no address, or to nobody is refused, and so are all the others with it @3.1", async () => {
    const all = await gathered();
    const wicca = await outside(all, "wicca");
    await invites(wicca, "hag");
    expect([wicca.hears(), all.hag.hears()]).toEqual([["error not-acceptable"], []]);
    await told(all.crone, `<invite to='wicca@localhost'/><invite to='@'/>`);
    await told(all.crone, `<invite to='wicca@localhost'/><invite to='localhost'/>`);
    await told(all.crone, `<invite to='wicca@localhost'/><invite/>`);
    expect([all.crone.hears(), wicca.hears()]).toEqual([
      ["error jid-malformed", "error jid-malformed", "error bad-request"],
      [],
    ]);
  });

  it("has a limit, of invitations and not of stanzas @3.5 @M11 @R11 @limit.invitations_per_hour", async () => {
    const all = await gathered({}, { config: "[limits]\ninvitations_per_hour = 3" });
    const wicca = await outside(all, "wicca");
    await invites(all.crone, "wicca", "wicca");
    await invites(all.crone, "wicca", "wicca");
    expect([all.crone.hears(), wicca.hears().length]).toEqual([["error resource-constraint"], 2]);
    await invites(all.hag, "wicca");
    await invites(all.crone, "wicca");
    await invites(all.crone, "wicca");
    expect([all.crone.hears(), wicca.hears().length]).toEqual([["error resource-constraint"], 2]);
    all.world.clock.advance(20 * 60_000);
    await invites(all.crone, "wicca");
    expect([all.crone.hears(), wicca.hears().length]).toEqual([[], 1]);
  });

  it("makes no more members than the lists may hold @3.5 @M11 @limit.room_affiliations", async () => {
    const all = await gathered(MEMBERS_ONLY, { config: "[limits]\nroom_affiliations = 2" });
    await invites(all.crone, "hag", "wicca");
    expect([all.crone.hears(), all.hag.hears()]).toEqual([["error policy-violation"], []]);
    await invites(all.crone, "hag");
    await invites(all.crone, "hag");
    await invites(all.crone, "wicca");
    expect(all.crone.hears()).toEqual(["room notes", "error policy-violation"]);
  });

  it("that somebody has blocked is not told to the others @3.1", async () => {
    const guard = (flow: { stanza: { has(name: string, ns: string): boolean } }): StanzaError | undefined =>
      flow.stanza.has("x", NS.mucUser) ? BLOCKED : undefined;
    const all = await gathered({}, { more: { name: "blocking", specs: [], received: { message: { guard } } } });
    const wicca = await outside(all, "wicca");
    await invites(all.crone, "wicca");
    await all.crone.says("still here");
    expect([wicca.hears(), all.crone.hears(), all.hag.hears()]).toEqual([
      [],
      ["crone: still here"],
      ["crone: still here"],
    ]);
  });
});

describe("who declines an invitation", () => {
  const declines = (witch: Witch, to: string) =>
    told(witch, `<decline to='${to}'><reason>too busy</reason><evil/></decline>`);

  it("is heard by who has invited, by address or nick, and by nobody else @3.1", async () => {
    const all = await gathered();
    await all.crone.sends("<presence/>");
    const hag = await outside(all, "hag");
    for (const to of ["crone@localhost", "crone@localhost/desktop", `${ROOM}/crone`]) {
      await declines(hag, to);
      expect(wordsTo(all.crone)).toBe('<x><decline from="hag@localhost"><reason>too busy</reason></decline></x>');
      all.crone.forget();
    }
    expect([hag.heard, all.wicca.heard]).toEqual([[], []]);
  });

  it("reaches nobody through a room that they do not belong to, who is banned nobody at all, and not without end @3.1 @R11", async () => {
    const all = await gathered({}, { config: "[limits]\ninvitations_per_hour = 2" });
    await all.crone.sends("<presence/>");
    const wicca = await outside(all, "wicca");
    const hag = await outside(all, "hag");
    for (const to of ["wicca@localhost", "crone@localhost", "crone@localhost"]) await declines(hag, to);
    expect([hag.hears(), wicca.heard.length]).toEqual([["error resource-constraint"], 0]);
    expect(all.crone.device.messages.length).toBe(1);
    await all.crone.sets("jid=wicca@localhost affiliation=outcast");
    all.crone.forget();
    await declines(wicca, "crone@localhost");
    expect([wicca.heard, all.crone.heard]).toEqual([[], []]);
  });

  it("learns by it neither who belongs to the room nor which nicks there are @3.1 @M1", async () => {
    const all = await gathered({}, { config: "[limits]\ninvitations_per_hour = 6" });
    await all.wicca.sends("<presence/>");
    await all.crone.sets("jid=wicca@localhost affiliation=member");
    const hag = await outside(all, "hag");
    const some = [
      "crone@localhost",
      "wicca@localhost",
      "nobody@localhost",
      "hag@localhost",
      `${ROOM}/crone`,
      `${ROOM}/no`,
    ];
    for (const to of some) await declines(hag, to);
    expect(hag.hears()).toEqual([]);
    for (const to of some) await declines(hag, to);
    expect(hag.hears()).toEqual(some.map(() => "error resource-constraint"));
  });
});
