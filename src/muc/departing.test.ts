// An account that is removed (rulings 18): what becomes of its affiliations, and of the rooms it owned.
import { describe, expect, it } from "@jest/globals";
import { JID } from "../stanza/jid.js";
import { NS_COMMANDS } from "../xeps/0050-commands.api.js";
import { NS } from "../xml/namespaces.js";
import { coven, type Coven, gathered, ROOM } from "./coven.test.kit.js";

const PERSISTENT = { "muc#roomconfig_persistentroom": "1" };
const CRONE = JID.parse("crone@localhost");
const departed = async ({ world }: Coven) =>
  (await world.storage.list("room_departure", { limit: 5 })).map(({ key }) => key);

const formOf = (fields: Readonly<Record<string, string>>): string => {
  const filled = Object.entries({ FORM_TYPE: "urn:xmpp:hats:commands", ...fields });
  const values = filled.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`);
  return `<x xmlns='${NS.dataForms}' type='submit'>${values.join("")}</x>`;
};

async function removed(all: Coven): Promise<void> {
  const outcome = all.world.core.users.remove(CRONE);
  await all.settle();
  expect(await outcome).toBe("done");
  await all.settle();
}

describe("an account that is removed", () => {
  it("is on no list any more, and whoever has its address later owns nothing by it @2.3 @3.1", async () => {
    const all = await gathered(PERSISTENT);
    const { world, crone, hag, another } = all;
    await crone.sets("jid=hag@localhost affiliation=owner");
    await crone.leaves("crone");
    hag.forget();
    await removed(all);
    expect(await hag.lists("affiliation=owner")).toEqual(["hag@localhost owner hag"]);
    expect(hag.items).toEqual(["room crone@localhost none none"]);
    await world.core.users.create(CRONE, "secret");
    const late = await another("crone@localhost/late");
    await late.enters("crone");
    expect(late.items.at(-1)).toBe("crone crone@localhost/late none participant");
    expect(await departed(all)).toEqual([]);
  });

  it("wears no hats any more, whether it was on a list or not: whoever has its address later does not either @3.1 @3.4 @R3", async () => {
    const all = await gathered(PERSISTENT);
    const { world, crone, hag, another } = all;
    await crone.sets("jid=hag@localhost affiliation=owner");
    for (const [node, fields] of [
      ["create", { "hats#uri": "urn:scribe", "hats#title": "Scribe" }],
      ["assign", { "hats#uri": "urn:scribe", "hats#jid": "crone@localhost" }],
    ] as const)
      await crone.sends(
        `<iq type='set' id='h' to='${ROOM}'><command xmlns='${NS_COMMANDS}' node='urn:xmpp:hats:commands:${node}'>${formOf(fields)}</command></iq>`,
      );
    expect(hag.device.received.at(-1)?.toWire()).toContain("Scribe");
    await crone.leaves("crone");
    await hag.sets("jid=crone@localhost affiliation=none");
    await removed(all);
    await world.core.users.create(CRONE, "secret");
    const late = await another("crone@localhost/late");
    hag.forget();
    await late.enters("crone");
    expect([hag.heard, hag.device.received[0]?.toWire().includes("Scribe")]).toEqual([["crone enters"], false]);
    expect([await departed(all), (await world.storage.load([ROOM], ["room_hat_wearer"])).get(ROOM)]).toEqual([[], []]);
  });

  it("leaves the room to its admins if it was the last owner @3.1 @M4", async () => {
    const all = await gathered(PERSISTENT);
    await all.crone.sets("jid=hag@localhost affiliation=admin", "jid=wicca@localhost affiliation=member");
    all.hag.forget();
    await removed(all);
    expect(all.hag.items).toContain("hag hag@localhost/pda owner moderator");
    expect(await all.hag.lists("affiliation=owner")).toEqual(["hag@localhost owner hag"]);
  });

  it("leaves it to members and occupants, and the server's administrators, if there are no admins @3.1", async () => {
    const all = await gathered(PERSISTENT, { config: 'admins = ["hag@localhost"]' });
    await all.wicca.leaves("wicca");
    await all.crone.sets("jid=wicca@localhost affiliation=member");
    await removed(all);
    await all.hag.leaves("hag");
    expect(await all.hag.lists("affiliation=owner")).toEqual([]);
    await all.hag.sets("jid=wicca@localhost affiliation=owner");
    expect(await all.hag.lists("affiliation=owner")).toEqual(["wicca@localhost owner"]);
  });

  it("takes a room along in which there is nobody else, with all that is kept of it @2.3 @3.1", async () => {
    const all = await gathered(PERSISTENT);
    const { world, crone, hag, wicca } = all;
    await crone.says("to whom?");
    await crone.sets("jid=evil@localhost affiliation=outcast");
    await hag.leaves("hag");
    await wicca.leaves("wicca");
    await removed(all);
    expect((await world.storage.load([ROOM], ["room", "room_affiliation", "room_listing"])).get(ROOM)).toEqual([]);
    expect(await world.storage.log(ROOM, { limit: 5 })).toEqual([]);
  });

  it("takes along a room that it never configured, in the same process or another @3.1", async () => {
    const before = await coven();
    await before.crone.enters("crone");
    const after = await coven({ disk: before.world.disk, clock: before.world.clock, accounts: [] });
    await removed(after);
    expect((await after.world.storage.load([ROOM], ["room", "room_affiliation"])).get(ROOM)).toEqual([]);
    expect(await departed(after)).toEqual([]);
  });

  it("is let go of a minute after a fault of the store @2.3 @3.2", async () => {
    const all = await faulty();
    expect(await all.hag.lists("affiliation=owner")).toEqual(["crone@localhost owner", "hag@localhost owner hag"]);
    expect(await departed(all)).toEqual(["crone@localhost"]);
    all.world.clock.advance(60_000);
    await all.settle();
    expect([all.hag.items, await departed(all)]).toEqual([["room crone@localhost none none"], []]);
  });

  it("is let go of at the next start, if the process ends before @2.3 @3.2", async () => {
    const { world } = await faulty();
    const after = await coven({ disk: world.disk, accounts: ["crone@localhost"] }); // made anew
    await after.settle();
    expect(await after.hag.lists("affiliation=owner")).toEqual(["hag@localhost owner"]);
    expect(await departed(after)).toEqual([]);
  });
});

/** Crone's account has been removed, but not the affiliation beside Hag's in the room. */
async function faulty(): Promise<Coven> {
  const failures = new Map<number, { readonly outcome: "refused" }>();
  const all = await gathered(PERSISTENT, { plan: failures });
  await all.crone.sets("jid=hag@localhost affiliation=owner");
  await all.crone.leaves("crone");
  all.hag.forget();
  failures.set(all.world.storage.commits + 2, { outcome: "refused" }); // after the removal itself
  await removed(all);
  return all;
}
