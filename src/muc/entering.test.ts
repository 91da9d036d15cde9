import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { coven, gathered, ROOM, type Witch } from "./coven.test.kit.js";

/** The attributes of the item in the last presence heard from a nick. */
function itemOf(witch: Witch, nick: string): Record<string, unknown> {
  const presences = witch.device.received.filter(({ kind, from }) => kind === "presence" && from?.resource === nick);
  return presences.at(-1)?.child("x", NS.mucUser)?.getChild("item")?.attrs ?? {};
}

describe("who enters a room", () => {
  it("that there is not makes it, owns it and is told so; until it is configured nobody else gets in @3.1", async () => {
    const { crone, hag } = await coven();
    await crone.enters("first");
    expect(crone.hears()).toEqual(["first enters 110 170 201", "subject: "]);
    await hag.enters("third");
    expect(hag.hears()).toEqual(["error item-not-found"]);
    await crone.configures({});
    await hag.enters("third");
    expect(hag.heard).toEqual(["first enters", "third enters 110 170", "subject: "]);
    expect(itemOf(hag, "first")).toMatchObject({ affiliation: "owner", role: "moderator" });
    expect(itemOf(hag, "third")).toMatchObject({ affiliation: "none", role: "participant" });
  });

  it("hears the others, then of themselves, then what was said, then the subject, then what comes @3.1", async () => {
    const { crone, hag, another } = await gathered({ "muc#roomconfig_changesubject": "1" });
    await crone.says("one");
    await hag.sends(`<message type='groupchat' to='${ROOM}'><subject>Fire burn</subject></message>`);
    await crone.says("two");
    const late = await another("hag@localhost/late");
    await late.enters("late");
    await crone.says("three");
    expect(late.heard).toEqual([
      ...["crone enters", "hag enters", "wicca enters", "late enters 110 170"],
      ...["crone: one (before)", "crone: two (before)", "subject: Fire burn", "crone: three"],
    ]);
  });

  it("under a nick that somebody else has, does not; one account may be in with several clients @3.1", async () => {
    const { crone, hag, another } = await gathered();
    const wicca = await another("wicca@localhost/other");
    await wicca.enters("hag");
    expect([wicca.hears(), hag.hears(), crone.hears()]).toEqual([["error conflict"], [], []]);
    await wicca.enters("wicca");
    expect(wicca.hears()).toEqual(["crone enters", "hag enters", "wicca enters 110 170", "subject: "]);
    await crone.says("hello");
    expect(wicca.hears()).toEqual(["crone: hello"]);
  });

  it("without a nick is told that one is missing, with one that is too long that it is @3.1 @M11 @limit.nick_bytes", async () => {
    const { hag } = await gathered();
    await hag.sends(`<presence to='${ROOM}'><x xmlns='${NS.muc}'/></presence>`);
    const other = "n".repeat(257);
    await hag.enters(other);
    expect(hag.hears()).toEqual(["error jid-malformed", "error not-acceptable"]);
  });

  it("too often, or changes too much there, waits; who leaves does not @3.5 @M11 @limit.room_presences_per_minute", async () => {
    const all = await coven({ config: "[limits]\nroom_presences_per_minute = 3" });
    const { world, crone, hag } = all;
    await crone.enters("crone");
    await crone.configures({});
    await hag.enters("hag");
    await hag.enters("oldhag");
    await hag.sends(`<presence to='${ROOM}/oldhag'><show>away</show></presence>`);
    crone.forget();
    await hag.enters("hag");
    expect([hag.heard.at(-1), crone.hears()]).toEqual(["error resource-constraint", []]);
    await hag.leaves("oldhag");
    expect(crone.hears()).toEqual(["oldhag goes"]);
    world.clock.advance(20_000);
    await hag.enters("hag");
    expect(crone.hears()).toEqual(["hag enters"]);
  });

  it("once more, has lost track: is told everything anew, and the others of the presence @3.1", async () => {
    const { crone, hag } = await gathered();
    await crone.says("one");
    crone.forget();
    hag.forget();
    await hag.enters("hag");
    expect(hag.hears()).toEqual([
      "crone enters",
      "wicca enters",
      "hag enters 110 170",
      "crone: one (before)",
      "subject: ",
    ]);
    expect(crone.hears()).toEqual(["hag enters"]);
  });

  it("may be refused the making of rooms @3.1 @M11 @limit.rooms_per_account", async () => {
    const admins = await coven({ config: 'admins = ["Crone@LocalHost"]\n[muc]\ncreate = "admins"' });
    await admins.hag.enters("hag");
    await admins.crone.enters("crone");
    expect([admins.hag.hears(), admins.crone.heard[0]]).toEqual([["error not-allowed"], "crone enters 110 170 201"]);
    const few = await coven({ config: "[limits]\nrooms_per_account = 1" });
    await few.hag.enters("hag");
    await few.hag.configures({ "muc#roomconfig_persistentroom": "1" });
    few.hag.forget();
    await few.hag.sends(`<presence to='heath@conference.localhost/hag'><x xmlns='${NS.muc}'/></presence>`);
    expect(few.hag.hears()).toEqual(["error resource-constraint"]);
  });
});

describe("a room that is full", () => {
  it("by the limit of the service lets nobody else in but admins, nor one of their clients under a nick of its own @3.5 @M3 @limit.room_occupants", async () => {
    const config = 'admins = ["wicca@localhost"]\n[limits]\nroom_occupants = 2';
    const { crone, hag, wicca, another } = await coven({ config });
    await crone.enters("crone");
    await crone.configures({});
    await hag.enters("hag");
    const late = await another("hag@localhost/late");
    await late.enters("late");
    await late.enters("hag");
    await wicca.enters("wicca");
    expect(late.hears().slice(0, 3)).toEqual(["error service-unavailable", "crone enters", "hag enters 110 170"]);
    expect(wicca.heard).toContain("wicca enters 110 170");
    late.forget();
    await late.sends(`<presence to='${ROOM}/late'/>`); // would be one more beside the other client
    await late.says("hello");
    expect(late.hears()).toEqual(["error service-unavailable", "hag: hello"]);
    await hag.leaves("hag");
    late.forget();
    await late.sends(`<presence to='${ROOM}/late'/>`);
    expect(late.hears()).toEqual(["hag goes 110 303", "late enters 110"]);
  });

  it("of messages forgets the oldest, whatever its configuration says @3.5 @limit.room_history", async () => {
    const config = "[limits]\nroom_history = 2";
    const { crone, another } = await gathered({ "muc#maxhistoryfetch": "50" }, { config });
    for (const body of ["one", "two", "three"]) await crone.says(body);
    const late = await another("hag@localhost/late");
    await late.enters("late");
    expect(late.device.bodies).toEqual(["two", "three"]);
  });

  it("of messages forgets the oldest of those that are large, also when it is read again: nobody keeps others out by them @3.5 @M11 @limit.room_history_bytes", async () => {
    const config = "[limits]\nroom_history_bytes = 1000";
    const { world, crone, another } = await gathered({ "muc#roomconfig_persistentroom": "1" }, { config });
    for (const letter of ["a", "b", "c"]) await crone.says(letter.repeat(300));
    const late = await another("hag@localhost/late");
    await late.enters("hag");
    const again = await coven({ disk: world.disk, clock: world.clock, accounts: [], config });
    await again.hag.enters("hag");
    for (const { bodies } of [late.device, again.hag.device])
      expect(bodies.map((body) => body.slice(0, 1))).toEqual(["b", "c"]);
  });

  it("takes in no presence that is too large, nor keeps it @3.5 @M11 @limit.room_presence_bytes", async () => {
    const { hag, wicca, another } = await gathered({}, { config: "[limits]\nroom_presence_bytes = 1000" });
    const status = (letter: string, count: number) => `<status>${letter.repeat(count)}</status>`;
    await hag.sends(`<presence to='${ROOM}/hag'>${status("a", 500)}</presence>`);
    await hag.sends(`<presence to='${ROOM}/hag'>${status("b", 1000)}</presence>`);
    expect([hag.hears(), wicca.hears()]).toEqual([["hag enters 110", "error policy-violation"], ["hag enters"]]);
    const late = await another("crone@localhost/late");
    await late.sends(`<presence to='${ROOM}/late'><x xmlns='${NS.muc}'/>${status("c", 1000)}</presence>`);
    expect(late.hears()).toEqual(["error policy-violation"]);
  });
});

describe("presence of somebody who", () => {
  it("is not in is answered with the truth, and their leaving with nothing @3.1", async () => {
    const { wicca, crone, another } = await gathered();
    const stray = await another("wicca@localhost/stray");
    await stray.sends(`<presence to='${ROOM}/wicca'/>`);
    await stray.leaves("wicca");
    expect(stray.hears()).toEqual(["wicca goes 110 307 333"]);
    expect([crone.hears(), wicca.hears()]).toEqual([[], []]);
  });

  it("is in is shown to all, without what only the room may say @3.1 @M4", async () => {
    const { hag, wicca } = await gathered();
    const claim = `<x xmlns='${NS.mucUser}'><item affiliation='owner' role='moderator'/><status code='301'/></x>`;
    await hag.sends(`<presence to='${ROOM}/hag'><show>away</show>${claim}</presence>`);
    const [seen] = wicca.device.received;
    expect(wicca.heard).toEqual(["hag enters"]);
    expect(seen?.child("show", NS.client)?.text()).toBe("away");
    expect(itemOf(wicca, "hag")).toMatchObject({ affiliation: "none", role: "participant" });
  });

  it("changes their nick goes under the old one and comes under the new one @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await hag.sends(`<presence id='n' to='${ROOM}/oldhag'/>`);
    expect(hag.hears()).toEqual(["hag goes 110 303", "oldhag enters 110"]);
    expect(wicca.heard).toEqual(["hag goes 303", "oldhag enters"]);
    const [gone] = wicca.device.received;
    expect(gone?.child("x", NS.mucUser)?.getChild("item")?.attrs["nick"]).toBe("oldhag");
    wicca.forget();
    await hag.sends(`<presence to='${ROOM}/crone'/>`);
    await hag.says("hello");
    expect(hag.hears()).toEqual(["error conflict", "oldhag: hello"]);
    expect([wicca.hears(), crone.heard.at(-1)]).toEqual([["oldhag: hello"], "oldhag: hello"]);
  });

  it("changes the nick of one of several clients, is still there under the old one @3.1", async () => {
    const { crone, hag, another } = await gathered();
    const desk = await another("hag@localhost/desk");
    await desk.enters("hag");
    for (const witch of [crone, hag, desk]) witch.forget();
    await desk.sends(`<presence to='${ROOM}/oldhag'/>`);
    expect(desk.hears()).toEqual(["hag goes 110 303", "oldhag enters 110"]);
    expect([crone.hears(), hag.hears()]).toEqual([["oldhag enters"], ["oldhag enters"]]);
  });
});

describe("real addresses", () => {
  it("in a semi-anonymous room are shown to moderators and to oneself @3.1 @M1", async () => {
    const { crone, hag, wicca } = await gathered();
    await hag.sends(`<presence to='${ROOM}/hag'/>`);
    expect(itemOf(crone, "hag")["jid"]).toBe("hag@localhost/pda");
    expect(itemOf(hag, "hag")["jid"]).toBe("hag@localhost/pda");
    expect(itemOf(wicca, "hag")["jid"]).toBeUndefined();
    expect(wicca.device.received.map((stanza) => stanza.toWire()).join("")).not.toContain("hag@localhost");
  });

  it("in a non-anonymous room are shown to all, and whoever enters is warned @3.1", async () => {
    const { hag, another } = await gathered({ "muc#roomconfig_whois": "anyone" });
    const late = await another("wicca@localhost/late");
    await late.enters("late");
    expect(late.heard).toContain("late enters 100 110 170");
    expect(itemOf(hag, "late")["jid"]).toBe("wicca@localhost/late");
  });
});

describe("the history that whoever enters gets", () => {
  async function three() {
    const { world, crone, another } = await gathered({ "muc#maxhistoryfetch": "3" });
    for (const body of ["zero", "one", "two", "three"]) {
      await crone.says(body);
      world.clock.advance(60_000);
    }
    const asking = async (history: string) => {
      const late = await another("hag@localhost/late");
      await late.enters("late", history);
      const bodies = late.device.bodies;
      await late.leaves("late");
      return bodies;
    };
    return { world, asking };
  }

  it("is what the room's configuration says, or less if that is asked for @3.1", async () => {
    const { world, asking } = await three();
    expect(await asking("")).toEqual(["one", "two", "three"]);
    expect(await asking("<history maxstanzas='50'/>")).toEqual(["one", "two", "three"]);
    expect(await asking("<history maxstanzas='1'/>")).toEqual(["three"]);
    expect(await asking("<history maxchars='0'/>")).toEqual([]);
    expect(await asking("<history seconds='130'/>")).toEqual(["two", "three"]);
    const since = new Date(world.clock.now() - 70_000).toISOString();
    expect(await asking(`<history since='${since}'/>`)).toEqual(["three"]);
    expect(await asking(`<history since='${since}' maxstanzas='0'/>`)).toEqual([]);
    expect(await asking("<history seconds='soon' since='then' maxchars='-1'/>")).toEqual(["one", "two", "three"]);
  });

  it("is as many whole stanzas as fit into the characters asked for @3.1", async () => {
    const { asking } = await three();
    const counts: number[] = [];
    for (const chars of [100, 600, 1100, 5000]) counts.push((await asking(`<history maxchars='${chars}'/>`)).length);
    expect(counts[0]).toBe(0);
    expect(counts[1]).toBe(1);
    expect(counts[2]).toBe(2);
    expect(counts[3]).toBe(3);
  });
});
