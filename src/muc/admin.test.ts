// Roles and affiliations as people change them: who may, what everybody is told, what is kept, and what nobody learns by it.
import { describe, expect, it } from "@jest/globals";
import { SeededRandom } from "../core/random.js";
import { NS } from "../xml/namespaces.js";
import { coven, type Coven, gathered, ROOM, type Witch } from "./coven.test.kit.js";
import { AFFILIATIONS } from "./privileges.js";

const NON_ANONYMOUS = { "muc#roomconfig_whois": "anyone" };
const MEMBERS_ONLY = { "muc#roomconfig_membersonly": "1" };
const PERSISTENT = { "muc#roomconfig_persistentroom": "1" };
const STAFFED = { config: 'admins = ["wicca@localhost"]' };
const STEPS = 200;
const everythingToldTo = ({ device }: Witch) => device.received.map((stanza) => stanza.element.toString()).join("");

/** Of all lists, from the least powerful on. */
async function allLists(reader: Witch): Promise<readonly (readonly string[])[]> {
  const all = [];
  for (const list of AFFILIATIONS) if (list !== "none") all.push(await reader.lists(`affiliation=${list}`));
  return all;
}

/** What the store has. */
async function standings({ world }: Coven): Promise<ReadonlyMap<string, unknown>> {
  const rows = await world.storage.load([ROOM], ["room_affiliation"]);
  return new Map((rows.get(ROOM) ?? []).map(({ key, doc }) => [key, doc["affiliation"]]));
}

describe("a kick", () => {
  it("is told to the moderator first, then to all, with who did it and why @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.sets("nick=hag role=none: Avaunt!");
    expect(hag.items).toEqual(["hag hag@localhost/pda none none by crone: Avaunt!"]);
    expect(wicca.items).toEqual(["hag none none by crone: Avaunt!"]);
    expect([crone.hears(), hag.hears(), wicca.hears()]).toEqual([
      ["result set", "hag goes 307"],
      ["hag goes 110 307"],
      ["hag goes 307"],
    ]);
  });

  it("of several is done as a whole or not at all @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.sets("nick=hag role=none", "nick=nobody role=none");
    expect([crone.hears(), hag.hears()]).toEqual([["error item-not-found"], []]);
    await crone.sets("nick=hag role=none", "nick=wicca role=none");
    expect(crone.hears()).toEqual(["result set", "hag goes 307", "wicca goes 307"]);
    expect([hag.heard[0], wicca.heard.at(-1)]).toEqual(["hag goes 110 307", "wicca goes 110 307"]);
  });

  it("of oneself is an apology @3.1", async () => {
    const { crone } = await gathered(PERSISTENT);
    await crone.sets("nick=crone role=none: sorry");
    expect(crone.hears()).toEqual(["result set", "crone goes 110 307"]);
  });

  it("teaches nobody which nicks there are @3.1 @M1", async () => {
    const { hag, wicca } = await gathered();
    await wicca.leaves("wicca");
    for (const one of [hag, wicca]) one.forget();
    for (const one of [hag, wicca]) for (const nick of ["crone", "nobody"]) await one.sets(`nick=${nick} role=none`);
    expect([hag.hears(), wicca.hears()]).toEqual([
      ["error forbidden", "error forbidden"],
      ["error forbidden", "error forbidden"],
    ]);
  });
});

describe("a ban", () => {
  it("also holds for somebody who is not in, and is kept with its reason @3.1 @3.2", async () => {
    const { world, crone, wicca } = await gathered(PERSISTENT);
    await wicca.leaves("wicca");
    await crone.sets("jid=wicca@localhost/laptop affiliation=outcast: Treason");
    const after = await coven({ disk: world.disk, clock: world.clock, accounts: [] });
    await after.wicca.enters("wicca");
    expect(after.wicca.hears()).toEqual(["error forbidden"]);
    expect(await after.crone.lists("affiliation=outcast")).toEqual(["wicca@localhost outcast: Treason"]);
  });

  it("of a whole domain spares those who have an affiliation of their own @3.1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.sets("jid=hag@localhost affiliation=member");
    for (const witch of [crone, hag, wicca]) witch.forget();
    await crone.sets("jid=localhost affiliation=outcast: all of you");
    expect(wicca.items).toEqual(["wicca wicca@localhost/laptop outcast none by crone: all of you"]);
    expect([wicca.hears(), hag.hears()]).toEqual([["wicca goes 110 301"], ["wicca goes 301"]]);
    await wicca.enters("wicca");
    expect(wicca.hears()).toEqual(["error forbidden"]);
    await crone.sets("jid=localhost affiliation=none");
    await wicca.enters("wicca");
    expect(wicca.hears()).toContain("wicca enters 110 170");
  });

  it("that fails to be stored has not been @3.2", async () => {
    const { world, crone, hag } = await gathered();
    world.storage.failNext("refused");
    await crone.sets("jid=hag@localhost affiliation=outcast");
    expect([crone.hears(), hag.hears()]).toEqual([["error resource-constraint"], []]);
    expect(await crone.lists("affiliation=outcast")).toEqual([]);
    await hag.says("still here");
    expect(crone.hears()).toEqual(["hag: still here"]);
  });
});

describe("an affiliation", () => {
  it("that rises takes the role along, and what falls does, too @3.1", async () => {
    const { crone, hag } = await gathered({ "muc#roomconfig_moderatedroom": "1" });
    const roles = [];
    for (const affiliation of ["member", "admin", "owner", "admin", "none"]) {
      await crone.sets(`jid=hag@localhost affiliation=${affiliation}`);
      roles.push(...hag.items);
      hag.forget();
    }
    expect(roles).toEqual([
      "hag hag@localhost/pda member participant by crone",
      "hag hag@localhost/pda admin moderator by crone",
      "hag hag@localhost/pda owner moderator by crone",
      "hag hag@localhost/pda admin moderator by crone",
      "hag hag@localhost/pda none visitor by crone",
    ]);
  });

  it("that rises leaves a moderator who was made one what they are @3.1", async () => {
    const { crone, hag } = await gathered();
    await crone.sets("nick=hag role=moderator");
    hag.forget();
    await crone.sets("jid=hag@localhost affiliation=member");
    expect(hag.items).toEqual(["hag hag@localhost/pda member moderator by crone"]);
  });

  it("of somebody who is not in is told to those who may read the list @3.1 @M1", async () => {
    const { world, crone, hag, wicca } = await gathered();
    await crone.sets("jid=hag@localhost affiliation=member");
    for (const witch of [crone, hag, wicca]) witch.forget();
    await crone.sets("jid=far@localhost affiliation=member: far away", "jid=evil@localhost affiliation=outcast");
    expect(crone.items).toEqual(["room far@localhost member none: far away", "room evil@localhost outcast none"]);
    expect([hag.items, wicca.items]).toEqual([[], []]);
    await crone.configures(NON_ANONYMOUS);
    for (const witch of [crone, hag, wicca]) witch.forget();
    await crone.sets("jid=far@localhost affiliation=admin", "jid=evil@localhost affiliation=none");
    await crone.sets("jid=far@localhost affiliation=outcast");
    expect(crone.items).toEqual([
      ...["room far@localhost admin none", "room evil@localhost none none", "room far@localhost outcast none"],
    ]);
    expect([hag.items, wicca.items]).toEqual([["room far@localhost admin none", "room far@localhost none none"], []]);
    expect(await world.storage.log("crone@localhost", { limit: 5 })).toEqual([]);
  });

  it("in a members-only room comes with an invitation, its password, and no real address @3.1 @M1", async () => {
    const secrets = { "muc#roomconfig_passwordprotectedroom": "1", "muc#roomconfig_roomsecret": "cauldronburn" };
    const { crone, wicca } = await gathered();
    await wicca.leaves("wicca");
    await crone.configures({ ...MEMBERS_ONLY, ...secrets });
    await wicca.sends("<presence/>");
    wicca.forget();
    await crone.sets("jid=wicca@localhost affiliation=member");
    const [invitation] = wicca.device.messages;
    expect(String(invitation?.element)).toContain(`<invite from="${ROOM}/crone"/><password>cauldronburn</password>`);
    wicca.forget();
    await crone.sets("jid=wicca@localhost affiliation=admin");
    expect(wicca.hears()).toEqual([]);
  });

  it("in a members-only room invites no more people than one may invite @3.1 @R11 @limit.invitations_per_hour", async () => {
    const { crone, wicca } = await gathered({}, { config: "[limits]\ninvitations_per_hour = 2" });
    await wicca.leaves("wicca");
    await crone.configures(MEMBERS_ONLY);
    await wicca.sends("<presence/>");
    wicca.forget();
    for (let time = 0; time < 3; time++) {
      await crone.sets("jid=wicca@localhost affiliation=member");
      await crone.sets("jid=wicca@localhost affiliation=none");
    }
    expect([wicca.device.messages.length, await crone.lists("affiliation=member")]).toEqual([2, []]);
    await crone.sets("jid=wicca@localhost affiliation=member");
    expect([wicca.device.messages.length, await crone.lists("affiliation=member")]).toEqual([
      2,
      ["wicca@localhost member"],
    ]);
  });

  it("that is lost in a members-only room is no way back in, by nick or by presence @3.1 @M3", async () => {
    const { crone, hag } = await gathered();
    await crone.sets("jid=hag@localhost affiliation=member");
    await crone.configures(MEMBERS_ONLY);
    await crone.sets("jid=hag@localhost affiliation=none");
    hag.forget();
    await hag.sends(`<presence to='${ROOM}/other'/>`);
    await hag.sends(`<presence to='${ROOM}/hag'/>`);
    await hag.enters("hag");
    await hag.says("let me in");
    expect(hag.hears()).toEqual([
      ...["other goes 110 307 333", "hag goes 110 307 333", "error registration-required", "error not-acceptable"],
    ]);
  });
});

describe("a request that makes no sense", () => {
  it("is refused by what is wrong with it @3.1", async () => {
    const { crone } = await gathered();
    for (const items of [
      [],
      ["jid=hag@localhost"],
      ["nick=hag affiliation=member"],
      ["jid=hag@localhost affiliation=member", "jid=hag@localhost/pda affiliation=outcast"],
      ["nick=hag role=visitor", "nick=hag role=none"],
      ["jid=a@b@c affiliation=member"],
      ["jid=localhost affiliation=admin"],
      [`nick=hag role=none: ${"x".repeat(1025)}`],
    ])
      await crone.sets(...items);
    expect(crone.hears()).toEqual([
      ...Array<string>(5).fill("error bad-request"),
      ...["error jid-malformed", "error not-acceptable", "error not-acceptable"],
    ]);
    expect([await crone.lists("affiliation=none"), await crone.lists("role=none")]).toEqual([
      ["error bad-request"],
      ["error bad-request"],
    ]);
  });

  it("or wants too much at once, is refused as a whole @3.5 @M11", async () => {
    const { crone } = await gathered();
    await crone.sets(...Array.from({ length: 201 }, (_, n) => `jid=w${n}@localhost affiliation=outcast`));
    expect(crone.hears()).toEqual(["error policy-violation"]);
    expect(await crone.lists("affiliation=outcast")).toEqual([]);
  });

  it("or makes a list too long, is refused; lists may become shorter @3.5 @M11 @limit.room_affiliations", async () => {
    const { crone } = await gathered({}, { config: "[limits]\nroom_affiliations = 3" });
    await crone.sets("jid=a@localhost affiliation=outcast", "jid=b@localhost affiliation=member");
    await crone.sets("jid=c@localhost affiliation=outcast");
    await crone.sets("jid=a@localhost affiliation=none", "jid=c@localhost affiliation=outcast");
    await crone.configures({ "muc#roomconfig_roomadmins": "d@localhost" });
    expect(crone.heard.filter((line) => !line.startsWith("room notes"))).toEqual([
      ...["result set", "error policy-violation", "result set", "error policy-violation"],
    ]);
    expect(await crone.lists("affiliation=outcast")).toEqual(["c@localhost outcast"]);
  });
});

describe("lists", () => {
  it("are read by members in a room where everybody is known, but for the bans and what the room keeps from them @3.1 @M1", async () => {
    const { crone, hag, wicca } = await gathered(NON_ANONYMOUS);
    await crone.sets("jid=hag@localhost affiliation=member", "jid=evil@localhost affiliation=outcast");
    const [outcasts, members] = await allLists(hag);
    expect([outcasts, members]).toEqual([["error forbidden"], ["hag@localhost member hag"]]);
    expect((await allLists(wicca)).flat()).toEqual(Array<string>(4).fill("error forbidden"));
    await crone.configures({ "muc#roomconfig_getmemberlist": "moderator" });
    expect((await allLists(hag)).flat()).toEqual(Array<string>(4).fill("error forbidden"));
  });
});

describe("an administrator of the server", () => {
  it("owns the room, is on no list, and is neither kicked nor banned by its people @3.1", async () => {
    const { crone, hag, wicca } = await gathered({}, STAFFED);
    await crone.sets("nick=hag role=moderator");
    for (const witch of [crone, hag, wicca]) witch.forget();
    expect(await crone.lists("affiliation=owner")).toEqual(["crone@localhost owner crone"]);
    await hag.sets("nick=wicca role=none");
    await crone.sets("nick=wicca role=none");
    await crone.sets("nick=wicca role=visitor");
    await crone.sets("jid=wicca@localhost affiliation=outcast");
    expect([hag.hears(), crone.hears()]).toEqual([["error not-allowed"], Array<string>(3).fill("error not-allowed")]);
    await crone.sets("jid=localhost affiliation=outcast");
    expect(wicca.hears()).toEqual(["hag goes 301", "room notes"]);
  });

  it("acts as an owner, in the room or not @3.1", async () => {
    const { crone, hag, wicca } = await gathered({}, STAFFED);
    await wicca.leaves("wicca");
    for (const witch of [crone, hag, wicca]) witch.forget();
    await wicca.sets("jid=hag@localhost affiliation=outcast");
    await wicca.sets("jid=crone@localhost affiliation=none");
    expect([wicca.hears(), crone.hears()]).toEqual([["result set", "error conflict"], ["hag goes 301"]]);
  });
});

describe("whoever is no moderator of a semi-anonymous room", () => {
  it("is told no real address, whatever the others do @3.4 @M1", async () => {
    const { crone, hag, wicca } = await gathered();
    await crone.sets("jid=hag@localhost affiliation=member", "jid=wicca@localhost affiliation=member");
    await crone.sets("nick=wicca role=moderator: a worthy witch");
    await wicca.sets("nick=crone role=none");
    await crone.configures(MEMBERS_ONLY);
    await crone.sets("jid=far@localhost affiliation=admin");
    await crone.sets("jid=wicca@localhost affiliation=none");
    await crone.sets("jid=wicca@localhost affiliation=outcast");
    await hag.lists("affiliation=owner");
    await hag.sets("nick=wicca role=none");
    const told = everythingToldTo(hag);
    expect(told).toContain("wicca");
    for (const other of ["crone", "wicca", "far"]) expect(told).not.toContain(`${other}@localhost`);
  });
});

describe("whatever people ask for", () => {
  it("a room always has an owner, and nobody rises or falls but by somebody who may change it @3.6 @M4", async () => {
    const all = await gathered(PERSISTENT);
    const random = new SeededRandom("coven");
    const one = <T>(of: readonly T[]): T => of[random.bytes(1).readUInt8() % of.length] as T;
    const names = ["crone", "hag", "wicca"] as const;
    const item = () => `jid=${one(names)}@localhost affiliation=${one(AFFILIATIONS)}`;
    let changes = 0;
    for (let step = 0; step < STEPS; step++) {
      const before = await standings(all);
      const actor = one(names);
      await all[actor].sets(...(one([true, false]) ? [item()] : [item(), item()]));
      const after = await standings(all);
      expect([...after.values()]).toContain("owner");
      for (const name of names) {
        const [was, is, own] = [
          before.get(`${name}@localhost`),
          after.get(`${name}@localhost`),
          before.get(`${actor}@localhost`),
        ];
        if (was === is) continue;
        changes++;
        const needed = [was, is].some((list) => list === "owner" || list === "admin") ? ["owner"] : ["owner", "admin"];
        expect(needed).toContain(own);
      }
    }
    expect(changes).toBeGreaterThan(STEPS / 10);
  });
});

describe("who asks for a list", () => {
  it("is told it once, however often one request names it @3.1 @3.5 @M11 @R11", async () => {
    const { crone } = await gathered();
    const many = Array.from({ length: 50 }, () => `<item affiliation='owner'/><item role='moderator'/>`).join("");
    await crone.sends(`<iq type='get' id='g' to='${ROOM}'><query xmlns='${NS.mucAdmin}'>${many}</query></iq>`);
    const items = crone.device.received[0]?.child("query", NS.mucAdmin)?.getChildren("item") ?? [];
    expect(items.map(({ attrs }) => String(attrs["jid"]))).toEqual(["crone@localhost", "crone@localhost/desktop"]);
  });
});
