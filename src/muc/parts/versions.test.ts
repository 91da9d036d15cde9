// XEP-0463: what whoever follows the lists of a room is told, when they enter and as they change.
import { describe, expect, it } from "@jest/globals";
import type { Stanza } from "../../stanza/stanza.js";
import type { Element } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { coven, type Coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const OPEN = { "muc#roomconfig_whois": "anyone", "muc#roomconfig_persistentroom": "1" };
const asking = (since?: string) => `<mav xmlns='${NS.mucVersions}'${since === undefined ? "" : ` since='${since}'`}/>`;

/** The `<mav/>` of a stanza, as "since > until". */
function mavOf(stanza: Stanza | undefined): Element | undefined {
  return stanza?.child("x", NS.mucUser)?.getChild("mav", NS.mucVersions);
}

function attribute(element: Element | undefined, name: string): string | undefined {
  const value: unknown = element?.attrs[name];
  return typeof value === "string" ? value : undefined;
}

const since = (stanza: Stanza | undefined) => attribute(mavOf(stanza), "since");
const until = (stanza: Stanza | undefined) => attribute(mavOf(stanza), "until");

/** The lists and changes that have come, as "address affiliation". */
function items(stanza: Stanza | undefined): readonly string[] {
  const all = stanza?.child("x", NS.mucUser)?.getChildren("item") ?? [];
  return all.map(({ attrs }) => `${String(attrs["jid"])} ${String(attrs["affiliation"])}`);
}

/** Enters anew; gives what has come before any presence, and the version that the own presence names. */
async function enters(witch: Witch, nick: string, version?: string) {
  witch.forget();
  await witch.enters(nick, asking(version));
  const { received } = witch.device;
  const presence = received.findIndex(({ kind }) => kind === "presence");
  const own = received.find(({ from, kind }) => kind === "presence" && from?.resource === nick);
  const before = received.slice(0, presence);
  witch.forget();
  return { before, version: until(own) };
}

/** Hag is a member, Wicca is nobody, in a room where everybody is known. */
async function knownRoom(): Promise<Coven> {
  const all = await gathered(OPEN);
  await all.crone.sets("jid=hag@localhost affiliation=member", "jid=evil@localhost affiliation=outcast");
  for (const witch of [all.crone, all.hag, all.wicca]) witch.forget();
  return all;
}

describe("whoever asks for the lists when they enter", () => {
  it("is told all they may read before any presence, and the version in their own, and nobody else is told that they asked @3.4", async () => {
    const { crone, hag, wicca } = await knownRoom();
    await crone.sends(`<presence to='${ROOM}/crone'/>`);
    const mine = await enters(hag, "hag");
    expect(mine.before.map(items)).toEqual([["crone@localhost owner", "hag@localhost member"]]);
    expect([since(mine.before[0]), until(mine.before[0])]).toEqual([undefined, mine.version]);
    expect(mine.version).toBeDefined();
    const owners = await enters(crone, "crone");
    expect(items(owners.before[0])).toContain("evil@localhost outcast");
    expect(wicca.device.received.map((stanza) => stanza.element.toString()).join("")).not.toContain("mav");
  });

  it("and has the current version is told nothing but that it is, also after a restart @3.4 @3.2", async () => {
    const { world, hag } = await knownRoom();
    const { version } = await enters(hag, "hag");
    expect(await enters(hag, "hag", version)).toEqual({ before: [], version });
    const after = await coven({ disk: world.disk, clock: world.clock, accounts: [] });
    expect(await enters(after.hag, "hag", version)).toEqual({ before: [], version });
    await after.crone.sets("jid=far@localhost affiliation=member");
    const next = await coven({ disk: world.disk, clock: world.clock, accounts: [] });
    const anew = await enters(next.hag, "hag", version);
    expect([since(anew.before[0]), items(anew.before[0]).length]).toEqual([undefined, 3]);
  });

  it("and was away over a restart misses no change from before or after it, and follows on from there @3.4 @3.2", async () => {
    const before = await knownRoom();
    await before.crone.sets("jid=old@localhost affiliation=member");
    const { version } = await enters(before.hag, "hag");
    await before.hag.leaves("hag");
    await before.crone.sets("jid=old@localhost affiliation=none", "jid=far@localhost affiliation=admin");
    const { disk, clock } = before.world;
    const { crone, hag } = await coven({ disk, clock, accounts: [] });
    await crone.sets("jid=late@localhost affiliation=member");
    const whole = await enters(hag, "hag", version);
    expect(whole.before.map(items)).toEqual([
      ["crone@localhost owner", "far@localhost admin", "hag@localhost member", "late@localhost member"],
    ]);
    expect([since(whole.before[0]), until(whole.before[0])]).toEqual([undefined, whole.version]);
    await hag.leaves("hag");
    await crone.sets("jid=late@localhost affiliation=none");
    const rest = await enters(hag, "hag", whole.version);
    expect([rest.before.map(items), since(rest.before[0])]).toEqual([[["late@localhost none"]], whole.version]);
  });

  it("and was away is told what has changed, once for each account, and of no bans @3.4 @M1", async () => {
    const { crone, hag } = await knownRoom();
    await crone.sets("jid=old@localhost affiliation=member");
    const { version } = await enters(hag, "hag");
    await hag.leaves("hag");
    await crone.sets("jid=far@localhost affiliation=member", "jid=worse@localhost affiliation=outcast");
    await crone.sets("jid=far@localhost affiliation=admin", "jid=old@localhost affiliation=outcast");
    await crone.sets("jid=short@localhost affiliation=member");
    await crone.sets("jid=short@localhost affiliation=none");
    const { before, version: now } = await enters(hag, "hag", version);
    expect(before.map(items)).toEqual([["far@localhost admin", "old@localhost none"]]);
    expect([since(before[0]), until(before[0])]).toEqual([version, now]);
  });

  it("with a version of other lists, another room or nobody's is told all anew @3.4", async () => {
    const { crone, hag } = await knownRoom();
    const owners = (await enters(crone, "crone")).version;
    for (const version of [owners, "", "9pacabr2q1", "0-zzzzzzzzzz", "234-zzzzzzzzzz", "234-1"]) {
      const { before } = await enters(hag, "hag", version);
      expect([since(before[0]), items(before[0]).length]).toEqual([undefined, 2]);
    }
  });

  it("and may not read them is told so, enters all the same, and is told no version @3.4 @M1", async () => {
    const { wicca, crone } = await knownRoom();
    const { before, version } = await enters(wicca, "wicca");
    expect(before.map(({ kind, type }) => `${kind} ${String(type)}`)).toEqual(["message error"]);
    expect(before[0]?.child("error", NS.client)?.getChild("forbidden", NS.stanzaErrors)).toBeDefined();
    expect(version).toBeUndefined();
    await crone.sets("jid=hag@localhost affiliation=admin");
    expect(wicca.device.received.flatMap((stanza) => mavOf(stanza) ?? [])).toEqual([]);
  });

  it("is not told what was on the lists before they might read them @3.4 @M1", async () => {
    const { crone, hag, wicca } = await knownRoom();
    const { version } = await enters(hag, "hag");
    await crone.sets("jid=far@localhost affiliation=member");
    await crone.sets("jid=wicca@localhost affiliation=member");
    const { before } = await enters(wicca, "wicca", version);
    expect(before.map(({ type }) => type)).toEqual(["error"]);
  });

  it("is told large lists in pages that follow each other @3.4 @3.5", async () => {
    const { crone, hag } = await knownRoom();
    const many = Array.from({ length: 1100 }, (_, n) => `jid=w${n}@localhost affiliation=member`);
    for (let at = 0; at < many.length; at += 200) await crone.sets(...many.slice(at, at + 200));
    const { before, version } = await enters(hag, "hag");
    expect(before.map((stanza) => items(stanza).length)).toEqual([500, 500, 102]);
    expect([since(before[0]), ...before.slice(1).map(since)]).toEqual([undefined, until(before[0]), until(before[1])]);
    expect(until(before[2])).toBe(version);
  });
});

describe("whoever follows the lists", () => {
  it("is told by each change where they are, whether its account is in the room or not @3.4", async () => {
    const { crone, hag, wicca } = await knownRoom();
    const { version } = await enters(hag, "hag");
    await hag.sends(`<presence to='${ROOM}/oldhag'/>`);
    wicca.forget();
    hag.forget();
    await crone.sets("jid=far@localhost affiliation=member", "jid=wicca@localhost affiliation=member");
    await crone.sets("jid=worse@localhost affiliation=outcast");
    await crone.sets("jid=wicca@localhost affiliation=outcast");
    const told = hag.device.received.filter((stanza) => mavOf(stanza) !== undefined);
    expect(told.flatMap(items)).toEqual([
      ...["wicca@localhost/laptop member", "far@localhost member", "wicca@localhost/laptop outcast"],
    ]);
    expect(told.map(since)).toEqual([version, until(told[0]), until(told[1])]);
    expect(wicca.device.received.flatMap((stanza) => mavOf(stanza) ?? [])).toEqual([]);
  });
});
