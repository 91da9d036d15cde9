import { describe, expect, it } from "@jest/globals";
import { idToText } from "../../core/ids.js";
import { NS } from "../../xml/namespaces.js";
import { type Coven, coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const PERSISTENT = { "muc#roomconfig_persistentroom": "1" };
const rows = ({ world }: Coven) => world.storage.log(ROOM, { limit: 50 });
const idOfLast = async (all: Coven) => idToText((await rows(all)).at(-1)?.id ?? 0);
const found = ({ world }: Coven, text: string) => world.storage.countLog(ROOM, { text });

function retracts(witch: Witch, id: string): Promise<void> {
  const inside = `<retract id='${id}' xmlns='${NS.retraction}'/><body>I take it back</body>`;
  return witch.sends(`<message type='groupchat' id='r1' to='${ROOM}'>${inside}</message>`);
}

async function entersAnew(witch: Witch, nick: string): Promise<readonly string[]> {
  await witch.leaves(nick);
  witch.forget();
  await witch.enters(nick);
  return witch.heard.filter((line) => line.endsWith("(before)"));
}

describe("a retraction in a room", () => {
  it("removes what its author said from the archive, its index and the history, and is kept and told @3.3 @M6", async () => {
    const all = await gathered();
    const { hag, wicca } = all;
    await hag.says("secret potion", "m1");
    await wicca.says("what");
    expect(await found(all, "potion")).toBe(1);
    wicca.forget();
    await retracts(hag, idToText((await rows(all))[0]?.id ?? 0));
    expect(wicca.hears()).toEqual(["hag: I take it back"]);
    const [first, , third] = await rows(all);
    const stamp = new Date(all.world.clock.now()).toISOString();
    expect(first?.stanza.replace(/<occupant-id [^>]*\/>/, "")).toBe(
      `<message xmlns='jabber:client' from='${ROOM}/hag' id='m1' type='groupchat' xml:lang='en'>` +
        `<x xmlns='${NS.mucUser}'><item affiliation='none' role='participant' jid='${hag.jid}'/></x>` +
        `<retracted xmlns='${NS.retraction}' id='r1' stamp='${stamp}'/></message>`,
    );
    expect(third?.stanza).toContain("<retract id=");
    expect(await found(all, "potion")).toBe(0);
    expect(await entersAnew(wicca, "wicca")).toEqual(["wicca: what (before)", "hag: I take it back (before)"]);
  });

  it("is the author's under another nick, and after a restart @3.3", async () => {
    const before = await gathered(PERSISTENT);
    await before.hag.says("secret potion");
    const id = await idOfLast(before);
    const { disk, clock } = before.world;
    const all = await coven({ disk, clock, accounts: [] });
    await all.hag.enters("weird sister");
    await retracts(all.hag, id);
    expect(await found(all, "potion")).toBe(0);
    expect(await entersAnew(all.hag, "weird sister")).toEqual(["weird sister: I take it back (before)"]);
  });

  it("of what somebody else said is refused and seen by nobody @3.3 @M6", async () => {
    const all = await gathered();
    await all.hag.says("mine");
    const id = await idOfLast(all);
    for (const witch of [all.crone, all.hag, all.wicca]) witch.forget();
    await retracts(all.wicca, id);
    await retracts(all.crone, id);
    expect([all.wicca.hears(), all.crone.hears(), all.hag.hears()]).toEqual([
      ["error forbidden"],
      ["error forbidden"],
      [],
    ]);
    expect([await found(all, "mine"), (await rows(all)).length]).toEqual([1, 1]);
  });

  it("of something that is not there is passed on @3.3", async () => {
    const all = await gathered();
    await retracts(all.hag, "0000000000z");
    await retracts(all.hag, "whatever");
    expect(all.wicca.hears()).toEqual(["hag: I take it back", "hag: I take it back"]);
  });

  it("that the store refuses leaves everything as it was @3.3", async () => {
    const all = await gathered();
    await all.hag.says("secret potion");
    const id = await idOfLast(all);
    all.hag.forget();
    all.world.storage.failNext("refused");
    await retracts(all.hag, id);
    expect(all.hag.hears()).toEqual(["error resource-constraint"]);
    expect(await found(all, "potion")).toBe(1);
    expect(await entersAnew(all.wicca, "wicca")).toEqual(["hag: secret potion (before)"]);
  });

  it("in a room that is not logged removes it from what is told to those who enter, by the sender's own id @3.3", async () => {
    const all = await gathered({ "muc#roomconfig_enablelogging": "0" });
    await all.hag.says("secret potion", "m1");
    await all.wicca.says("other", "m1");
    await retracts(all.hag, "m1");
    expect(await entersAnew(all.wicca, "wicca")).toEqual(["wicca: other (before)", "hag: I take it back (before)"]);
  });
});
