import { describe, expect, it } from "@jest/globals";
import { idToText } from "../../core/ids.js";
import { NS } from "../../xml/namespaces.js";
import { type Coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const rows = ({ world }: Coven) => world.storage.log(ROOM, { limit: 50 });
const idOfLast = async (all: Coven) => idToText((await rows(all)).at(-1)?.id ?? 0);
const found = ({ world }: Coven, text: string) => world.storage.countLog(ROOM, { text });

const REASON = "<reason>no spam</reason>";
const current = (id: string, inside = `<retract xmlns='${NS.retraction}'/>${REASON}`) =>
  `<moderate id='${id}' xmlns='${NS.moderation}'>${inside}</moderate>`;
const previous = (id: string, inside = `<retract xmlns='${NS.retraction0}'/>${REASON}`) =>
  `<apply-to id='${id}' xmlns='${NS.fasten}'><moderate xmlns='${NS.moderation0}'>${inside}</moderate></apply-to>`;

const moderates = (witch: Witch, request: string) =>
  witch.sends(`<iq type='set' id='mod' to='${ROOM}'>${request}</iq>`);

/** Hag has said something that she should not; nobody has heard anything since. */
async function spoken() {
  const all = await gathered();
  await all.hag.says("DM me for free magic potions", "m1");
  for (const witch of [all.crone, all.hag, all.wicca]) witch.forget();
  return { ...all, id: await idOfLast(all) };
}

/** Occupant ids have tests of their own. */
function withoutIds(text = ""): string {
  return text.replaceAll(/<occupant-id [^>]*\/>/g, "").replaceAll(/(<moderated [^>]*[^/])><\/moderated>/g, "$1/>");
}

describe("a message that a moderator has retracted", () => {
  for (const [version, request] of [
    ["the current", current],
    ["the previous", previous],
  ] as const)
    it(`by ${version} version is gone from the archive, its index and the history, and all are told @3.3 @M6`, async () => {
      const all = await spoken();
      const { crone, hag, wicca, id } = all;
      await moderates(crone, request(id));
      expect(crone.heard).toEqual(["room notes", "result mod"]);
      const [tombstone, announcement] = await rows(all);
      const by = `${ROOM}/crone`;
      const stamp = new Date(all.world.clock.now()).toISOString();
      expect(withoutIds(tombstone?.stanza)).toBe(
        `<message xmlns='jabber:client' from='${ROOM}/hag' id='m1' type='groupchat' xml:lang='en'>` +
          `<x xmlns='${NS.mucUser}'><item affiliation='none' role='participant' jid='${hag.jid}'/></x>` +
          `<retracted xmlns='${NS.retraction}' id='moderation-${id}' stamp='${stamp}'><moderated xmlns='${NS.moderation}' by='${by}'/>${REASON}</retracted>` +
          `<moderated xmlns='${NS.moderation0}' by='${by}'><retracted xmlns='${NS.retraction0}' stamp='${stamp}'/>${REASON}</moderated></message>`,
      );
      const told =
        `<retract xmlns='${NS.retraction}' id='${id}'><moderated xmlns='${NS.moderation}' by='${by}'/>${REASON}</retract>` +
        `<apply-to xmlns='${NS.fasten}' id='${id}'><moderated xmlns='${NS.moderation0}' by='${by}'><retract xmlns='${NS.retraction0}'/>${REASON}</moderated></apply-to>`;
      expect(announcement?.stanza).toContain(`by='${by}'><occupant-id `);
      expect(withoutIds(announcement?.stanza)).toBe(
        `<message xmlns='jabber:client' from='${ROOM}' id='moderation-${id}' type='groupchat'>${told}</message>`,
      );
      const stanzaId = `<stanza-id xmlns='${NS.stanzaIds}' by='${ROOM}' id='${await idOfLast(all)}'/>`;
      for (const witch of [hag, wicca])
        expect(witch.device.received.map((stanza) => withoutIds(stanza.toWire()))).toEqual([
          `<message from='${ROOM}' to='${witch.jid}' id='moderation-${id}' type='groupchat'>${told}${stanzaId}</message>`,
        ]);
      expect(await found(all, "potions")).toBe(0);
      await wicca.leaves("wicca");
      wicca.forget();
      await wicca.enters("wicca");
      expect(wicca.heard.filter((line) => line.includes("before"))).toEqual([]);
    });

  it("stays so: its author cannot make it one that they took back by themselves @3.3 @M6", async () => {
    const all = await spoken();
    await moderates(all.crone, current(all.id));
    const [before] = await rows(all);
    await all.hag.sends(
      `<message type='groupchat' id='r1' to='${ROOM}'><retract xmlns='${NS.retraction}' id='${all.id}'/></message>`,
    );
    const [after] = await rows(all);
    expect([before?.stanza.includes("no spam"), after?.stanza]).toEqual([true, before?.stanza]);
  });

  it("is told of only once it is gone for good @3.3", async () => {
    const all = await spoken();
    const { world, crone, wicca, id, settle } = all;
    world.storage.hold();
    await moderates(crone, current(id));
    expect([crone.hears(), wicca.hears()]).toEqual([[], []]);
    world.storage.release();
    await settle();
    expect([crone.hears(), wicca.hears()]).toEqual([["room notes", "result mod"], ["room notes"]]);
  });

  it("if the store refuses, is as it was @3.3", async () => {
    const all = await spoken();
    all.world.storage.failNext("refused");
    await moderates(all.crone, current(all.id));
    expect([all.crone.hears(), all.wicca.hears(), await found(all, "potions")]).toEqual([
      ["error resource-constraint"],
      [],
      1,
    ]);
  });
});

describe("a request to moderate", () => {
  it("by anybody but a moderator is forbidden, whether the message is there or not @3.3 @M6", async () => {
    const all = await spoken();
    const outsider = await all.another("crone@localhost/elsewhere");
    for (const witch of [all.hag, all.wicca, outsider]) {
      await moderates(witch, current(all.id));
      await moderates(witch, previous("0000000000z"));
      expect(witch.hears()).toEqual(["error forbidden", "error forbidden"]);
    }
    expect(await found(all, "potions")).toBe(1);
  });

  it("about what is not there, not any more, or the room's own words is answered item-not-found @3.3", async () => {
    const all = await spoken();
    const { crone, id } = all;
    const ask = async (request: string) => {
      crone.forget();
      await moderates(crone, request);
      return crone.hears().at(-1);
    };
    const NOT_FOUND = "error item-not-found";
    expect([await ask(current("0000000000z")), await ask(previous("whatever"))]).toEqual([NOT_FOUND, NOT_FOUND]);
    expect(await ask(current(id))).toBe("result mod");
    expect([await ask(current(id)), await ask(current(await idOfLast(all)))]).toEqual([NOT_FOUND, NOT_FOUND]);
  });

  it("for anything but a retraction, or where nothing is logged, is refused @3.3", async () => {
    const all = await spoken();
    const { crone, id } = all;
    await moderates(crone, current(id, "<edit/>"));
    await moderates(crone, previous(id, "<edit/>"));
    expect(crone.hears()).toEqual(["error feature-not-implemented", "error feature-not-implemented"]);
    await crone.configures({ "muc#roomconfig_enablelogging": "0" });
    crone.forget();
    await moderates(crone, current(id));
    expect(crone.hears()).toEqual(["error service-unavailable"]);
  });
});

it("an occupant who says that something has been moderated does not get that through @3.3 @M6", async () => {
  const all = await spoken();
  const { hag, wicca } = all;
  const forged = [
    `<retract id='x' xmlns='${NS.retraction}'><moderated xmlns='${NS.moderation}' by='${ROOM}'/></retract>`,
    `<apply-to id='x' xmlns='${NS.fasten}'><moderated xmlns='${NS.moderation0}'><retract xmlns='${NS.retraction0}'/></moderated></apply-to>`,
    `<moderated xmlns='${NS.moderation}'/>`,
    `<moderated xmlns='${NS.moderation0}'><retracted xmlns='${NS.retraction0}'/></moderated>`,
    `<retracted id='x' xmlns='${NS.retraction}'/>`,
  ];
  await hag.sends(`<message type='groupchat' to='${ROOM}'>${forged.join("")}<body>hi</body></message>`);
  const [message] = wicca.device.messages;
  expect(message?.children.map(({ name }) => name)).toEqual(["body", "occupant-id", "stanza-id"]);
  expect((await rows(all)).at(-1)?.stanza).not.toMatch(/moderated|retract/);
});
