// Promises that hold for rooms as for accounts: nothing is seen before it is durable, what fails leaves no trace, and what was acknowledged
// is there after a restart.
import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { coven, type Coven, gathered, ROOM } from "./coven.test.kit.js";

const ACCOUNTS_MADE = 3; // by the first commits
const handled = (all: Coven) => all.hag.device.session?.lane.handled;
const bodies = async ({ world }: Coven) =>
  (await world.storage.log(ROOM, { limit: 50 })).map(({ stanza }) => /<body>(.*)<\/body>/.exec(stanza)?.[1]);
const subject = (text: string) => `<message type='groupchat' to='${ROOM}'><subject>${text}</subject></message>`;

describe("nothing of a room is seen before it is durable", () => {
  it("no message, no entering behind it, and nothing is counted; all of it afterwards, in order @3.2", async () => {
    const all = await gathered();
    const { world, crone, hag, another, settle } = all;
    const late = await another("wicca@localhost/late");
    const before = handled(all) ?? 0;
    world.storage.hold();
    await hag.says("one");
    await late.enters("late");
    await hag.says("two");
    await crone.sends(`<presence to='${ROOM}/crone'/>`);
    expect([crone.hears(), hag.hears(), late.hears(), handled(all)]).toEqual([[], [], [], before]);
    world.storage.release();
    await settle();
    await settle();
    expect(crone.hears()).toEqual(["hag: one", "late enters", "hag: two", "crone enters 110"]);
    expect(late.hears().slice(3)).toEqual([
      ...["late enters 110 170", "hag: one (before)", "subject: ", "hag: two", "crone enters"],
    ]);
    expect(handled(all)).toBe(before + 2);
    expect(await bodies(all)).toEqual(["one", "two"]);
  });
});

describe("a room that cannot be loaded now", () => {
  it("is refused for the moment, and is there again later @3.2", async () => {
    const before = await gathered({ "muc#roomconfig_persistentroom": "1" });
    await before.crone.says("one");
    const { disk, clock } = before.world;
    const { world, hag } = await coven({ disk, clock, accounts: [] });
    world.storage.breakLoads(true);
    await hag.enters("hag");
    await hag.sends("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    expect(hag.hears()).toEqual(["error resource-constraint", "result p"]);
    world.storage.breakLoads(false);
    await hag.enters("hag");
    expect(hag.hears()).toEqual(["hag enters 110 170", "crone: one (before)", "subject: "]);
  });
});

describe("a commit that fails", () => {
  it("is told to the sender, seen by nobody, and in no archive or history @3.2", async () => {
    const all = await gathered();
    const { world, crone, hag, another } = all;
    await hag.says("one");
    world.storage.failNext("refused");
    await hag.says("two", "lost");
    await hag.says("three");
    expect(hag.hears()).toEqual(["hag: one", "error resource-constraint", "hag: three"]);
    expect(crone.hears()).toEqual(["hag: one", "hag: three"]);
    const late = await another("wicca@localhost/late");
    await late.enters("late");
    expect(late.device.bodies).toEqual(["one", "three"]);
    expect(await bodies(all)).toEqual(["one", "three"]);
  });

  it("takes with it what was decided on it, and memory is what the store has @3.2", async () => {
    const all = await gathered({ "muc#roomconfig_persistentroom": "1" });
    const { world, crone, hag, wicca, another, settle } = all;
    const late = await another("wicca@localhost/late");
    world.storage.hold();
    world.storage.failNext("refused");
    crone.device.sendsNow(subject("never"));
    late.device.sendsNow(`<presence to='${ROOM}/late'><x xmlns='${NS.muc}'/></presence>`);
    hag.device.sendsNow(`<presence to='${ROOM}/oldhag'/>`);
    await settle();
    world.storage.release();
    await settle();
    expect([crone.hears(), late.hears(), hag.hears()]).toEqual([
      ["error resource-constraint"],
      ["error resource-constraint"],
      ["error resource-constraint"],
    ]);
    expect(wicca.hears()).toEqual([]);
    await late.enters("late");
    expect(late.hears()).toEqual(["crone enters", "hag enters", "wicca enters", "late enters 110 170", "subject: "]);
    await hag.says("still here");
    expect(wicca.hears()).toEqual(["late enters", "hag: still here"]);
  });

  it("of which nobody can say whether it failed ends the sender's stream uncounted: the client sends it again @3.2", async () => {
    const all = await gathered();
    const { world, crone, hag, settle } = all;
    const before = handled(all);
    world.storage.failNext("unknown", { commits: 1000 });
    await hag.says("perhaps");
    for (let tries = 0; tries < 200; tries++) {
      world.clock.advance(250);
      await settle();
    }
    expect([hag.device.closedWith?.condition, handled(all)]).toEqual(["internal-server-error", before]);
    expect(crone.device.bodies).toEqual([]);
  });

  it("of a room's making leaves no room; who asked may ask again @3.2", async () => {
    const { world, crone } = await coven();
    world.storage.failNext("refused");
    await crone.enters("crone");
    expect(crone.hears()).toEqual(["error resource-constraint"]);
    await crone.enters("crone");
    expect(crone.hears()[0]).toBe("crone enters 110 170 201");
  });

  it("at the moment somebody goes does not keep them in @3.2 @M5", async () => {
    const { world, crone, hag, settle } = await gathered();
    world.storage.hold();
    world.storage.failNext("refused");
    crone.device.sendsNow(subject("never"));
    await settle();
    await hag.device.goes();
    world.storage.release();
    await settle();
    expect(crone.hears()).toEqual(["error resource-constraint"]);
    world.clock.advance(1000);
    await settle();
    expect(crone.hears()).toEqual(["hag goes"]);
  });

  it("whichever it is, all hear the same, and the archive has exactly that @3.2", async () => {
    for (let failing = ACCOUNTS_MADE + 1; failing <= ACCOUNTS_MADE + 12; failing++) {
      const plan = new Map([[failing, { outcome: "refused" as const }]]);
      const all = await gathered({ "muc#roomconfig_persistentroom": "1" }, { plan });
      const { crone, hag, wicca } = all;
      for (let n = 0; n < 4; n++) await hag.says(`h${n}`);
      const heard = hag.device.bodies;
      const archived = await bodies(all);
      expect({ failing, archived }).toEqual({ failing, archived: heard });
      if (crone.device.bodies.length > 0) expect(crone.device.bodies).toEqual(heard);
      if (wicca.device.bodies.length > 0) expect(wicca.device.bodies).toEqual(heard);
    }
  });
});

describe("after a restart", () => {
  it("a room is as it was: its configuration, owner, subject, archive and what whoever enters hears @3.2", async () => {
    const before = await gathered({
      ...{ "muc#roomconfig_persistentroom": "1", "muc#roomconfig_roomname": "A Dark Cave" },
      "muc#roomconfig_moderatedroom": "1",
    });
    await before.crone.sends(subject("Fire burn"));
    await before.crone.says("one");
    await before.crone.says("two");
    const { disk, clock } = before.world;
    const after = await coven({ disk, clock, accounts: [] });
    await after.hag.enters("hag");
    expect(after.hag.hears()).toEqual([
      ...["hag enters 110 170", "crone: one (before)", "crone: two (before)", "subject: Fire burn"],
    ]);
    await after.hag.says("no voice");
    await after.crone.enters("crone");
    await after.crone.configures({ "muc#roomconfig_roomdesc": "still mine" });
    expect(after.hag.hears()).toEqual(["error forbidden", "crone enters", "room notes 104"]);
    await after.hag.sends(`<iq type='get' id='i' to='${ROOM}'><query xmlns='${NS.discoInfo}'/></iq>`);
    const info = after.hag.device.received.at(-1)?.toWire();
    expect(info).toContain("name='A Dark Cave'");
    expect(info).toContain("muc_moderated");
    expect(await bodies(after)).toEqual([undefined, "one", "two"]);
  });

  it("a room that was never configured is there no more, and whoever makes it anew owns it alone @3.1 @3.2", async () => {
    const before = await coven();
    await before.crone.enters("crone");
    const { disk, clock } = before.world;
    const after = await coven({ disk, clock, accounts: [] });
    await after.crone.sends(`<iq type='get' id='i' to='${ROOM}'><query xmlns='${NS.discoInfo}'/></iq>`);
    await after.hag.enters("hag");
    expect([after.crone.hears(), after.hag.hears()[0]]).toEqual([["error item-not-found"], "hag enters 110 170 201"]);
    await after.hag.configures({});
    await after.crone.enters("crone");
    await after.crone.configures({});
    expect(after.crone.hears().at(-1)).toBe("error forbidden");
    const rows = (await after.world.storage.load([ROOM], ["room_affiliation"])).get(ROOM);
    expect(rows?.map(({ key }) => key)).toEqual(["hag@localhost"]);
  });

  it("the order of the archive goes on, and ids are those that were told before @3.2", async () => {
    const before = await gathered({ "muc#roomconfig_persistentroom": "1" });
    await before.crone.says("one");
    const told = before.hag.device.messages[0]?.child("stanza-id", NS.stanzaIds)?.attrs["id"] as string;
    const { disk, clock } = before.world;
    const after = await coven({ disk, clock, accounts: [] });
    await after.hag.enters("hag");
    const [past] = after.hag.device.messages;
    expect(past?.child("stanza-id", NS.stanzaIds)?.attrs["id"]).toBe(told);
    await after.hag.says("two");
    expect(await bodies(after)).toEqual(["one", "two"]);
  });
});
