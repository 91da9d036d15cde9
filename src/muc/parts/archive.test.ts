import { describe, expect, it } from "@jest/globals";
import { idToText } from "../../core/ids.js";
import type { Stanza } from "../../stanza/stanza.js";
import { NS } from "../../xml/namespaces.js";
import { type Asked, queryText } from "../../xeps/0313-mam/archive.test.kit.js";
import { conditionOf } from "../../xeps/world.test.kit.js";
import { type Coven, coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const PERSISTENT = { "muc#roomconfig_persistentroom": "1" };
const rows = ({ world }: Coven) => world.storage.log(ROOM, { limit: 50 });

/** What the room answers: the results, and then the answer itself. */
async function asks(witch: Witch, asked: Asked = {}): Promise<readonly Stanza[]> {
  witch.forget();
  await witch.sends(`<iq type='set' id='q' to='${ROOM}'>${queryText(asked)}</iq>`);
  return [...witch.device.received];
}

const resultIn = (stanza: Stanza) => stanza.child("result", NS.mam);
const forwardedIn = (stanza: Stanza) =>
  resultIn(stanza)?.getChild("forwarded", NS.forward)?.getChild("message", NS.client);
const bodiesIn = (answers: readonly Stanza[]) => answers.flatMap((one) => forwardedIn(one)?.getChildText("body") ?? []);
const outcome = (answers: readonly Stanza[]) => {
  const last = answers.at(-1)?.element;
  return last?.attrs["type"] === "error" ? conditionOf(last) : bodiesIn(answers);
};
const jidsIn = (answers: readonly Stanza[]) =>
  answers.flatMap((one) => {
    const item = forwardedIn(one)?.getChild("x", NS.mucUser)?.getChild("item");
    return item ? [String(item.attrs["jid"])] : [];
  });

/** The store says so from now on; a commit that fails has the room look there. */
async function affiliate({ world, crone }: Coven, account: string, affiliation: string): Promise<void> {
  const doc = { v: 1, affiliation };
  const put = { op: "put", store: "room_affiliation", owner: ROOM, key: account, doc } as const;
  await world.storage.commit([{ writes: [put] }]);
  world.storage.failNext("refused");
  await crone.says("lost");
}

/** What is read from logs waits until the function that comes back is called. */
function holdReads({ storage }: Coven["world"]): () => void {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const read = storage.log.bind(storage);
  storage.log = async (...asked) => {
    await gate;
    return read(...asked);
  };
  return () => release();
}

async function featuresOf(witch: Witch): Promise<readonly string[]> {
  const answer = await witch.device.asks(`<iq type='get' id='d' to='${ROOM}'><query xmlns='${NS.discoInfo}'/></iq>`);
  return (answer.getChild("query")?.getChildren("feature") ?? []).map(({ attrs }) => String(attrs["var"]));
}

describe("the archive of a room", () => {
  it("is told by the room: from the occupant, to nobody, with the ids all were told, and the answer last @3.3", async () => {
    const all = await gathered();
    const { crone, hag, wicca } = all;
    await hag.says("hello", "m1");
    await crone.says("who is there", "m2");
    const ids = (await rows(all)).map(({ id }) => idToText(id));
    const told = wicca.device.messages.map(({ element }) => String(element.getChild("stanza-id")?.attrs["id"]));
    const answers = await asks(wicca, { attributes: "queryid='f1'" });
    expect(answers.map((one) => [one.from?.toString(), one.to?.toString()])).toEqual(
      answers.map(() => [ROOM, wicca.jid]),
    );
    expect(answers.slice(0, -1).map((one) => resultIn(one)?.attrs)).toEqual(
      ids.map((id) => ({ xmlns: NS.mam, queryid: "f1", id })),
    );
    expect(answers.slice(0, -1).map((one) => forwardedIn(one)?.attrs)).toEqual([
      { xmlns: NS.client, from: `${ROOM}/hag`, id: "m1", type: "groupchat", "xml:lang": "en" },
      { xmlns: NS.client, from: `${ROOM}/crone`, id: "m2", type: "groupchat", "xml:lang": "en" },
    ]);
    expect(answers.slice(0, -1).map((one) => forwardedIn(one)?.getChild("stanza-id")?.attrs)).toEqual(
      ids.map((id) => ({ xmlns: NS.stanzaIds, by: ROOM, id })),
    );
    expect(told).toEqual(ids);
    expect(answers.at(-1)?.child("fin", NS.mam)?.attrs["complete"]).toBe("true");
  });

  it("answers what a user's archive does: pages, ids, an occupant, words @3.3", async () => {
    const all = await gathered();
    const { crone, hag, wicca } = all;
    await hag.says("one fish");
    await crone.says("two fish");
    await hag.says("red herring");
    const [first, second, third] = (await rows(all)).map(({ id }) => idToText(id));
    const found = async (asked: Asked) => bodiesIn(await asks(wicca, asked));
    expect(await found({ set: "<max>2</max>" })).toEqual(["one fish", "two fish"]);
    expect(await found({ set: "<max>1</max><before/>" })).toEqual(["red herring"]);
    expect(await found({ set: `<max>1</max><after>${String(first)}</after>` })).toEqual(["two fish"]);
    expect(await found({ set: "<max>2</max>", more: "<flip-page/>" })).toEqual(["two fish", "one fish"]);
    expect(await found({ fields: { "before-id": String(third), "after-id": String(first) } })).toEqual(["two fish"]);
    expect(await found({ fields: { ids: [String(second), String(first)] } })).toEqual(["one fish", "two fish"]);
    expect(await found({ fields: { with: `${ROOM}/hag` } })).toEqual(["one fish", "red herring"]);
    expect(await found({ fields: { "{urn:xmpp:fulltext:0}fulltext": "fish" } })).toEqual(["one fish", "two fish"]);
  });

  it("says where it begins and ends, and what can be asked @3.3", async () => {
    const all = await gathered();
    await all.hag.says("one");
    await all.hag.says("two");
    const [first, second] = (await rows(all)).map(({ id }) => idToText(id));
    const ask = async (query: string) => {
      all.wicca.forget();
      await all.wicca.sends(`<iq type='get' id='q' to='${ROOM}'>${query}</iq>`);
      return all.wicca.device.received[0]?.element;
    };
    const metadata = (await ask(`<metadata xmlns='${NS.mam}'/>`))?.getChild("metadata", NS.mam);
    expect([metadata?.getChild("start")?.attrs["id"], metadata?.getChild("end")?.attrs["id"]]).toEqual([first, second]);
    const form = (await ask(`<query xmlns='${NS.mam}'/>`))?.getChild("query", NS.mam)?.getChild("x", NS.dataForms);
    const names = form?.getChildren("field").map(({ attrs }) => String(attrs["var"]));
    expect(names).toEqual(expect.arrayContaining(["with", "before-id", "after-id", "ids"]));
    expect(names).not.toContain("include-groupchat");
  });

  it("is in what the room says of itself, as long as it is logged @3.3", async () => {
    const { crone, hag } = await gathered();
    const of = [
      "urn:xmpp:mam:2",
      "urn:xmpp:mam:2#extended",
      "urn:xmpp:message-retract:1",
      "urn:xmpp:message-moderate:1",
    ];
    expect(await featuresOf(hag)).toEqual(expect.arrayContaining(of));
    await crone.configures({ "muc#roomconfig_enablelogging": "0" });
    expect((await featuresOf(hag)).filter((one) => of.includes(one))).toEqual([]);
  });

  it("has no private message, and no preferences @3.3", async () => {
    const all = await gathered();
    await all.hag.sends(`<message type='chat' to='${ROOM}/wicca'><body>psst</body></message>`);
    expect(await rows(all)).toEqual([]);
    all.hag.forget();
    await all.hag.sends(`<iq type='get' id='p' to='${ROOM}'><prefs xmlns='${NS.mam}'/></iq>`);
    expect(all.hag.hears()).toEqual(["error service-unavailable"]);
  });

  it("has reactions, markers, corrections and retractions, and subjects, but no typing nor what objects to it @3.3 @3.4", async () => {
    const all = await gathered();
    const say = (inside: string) => all.crone.sends(`<message type='groupchat' to='${ROOM}'>${inside}</message>`);
    const kept = [
      "<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>x</reaction></reactions>",
      "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>",
      "<body>right</body><replace xmlns='urn:xmpp:message-correct:0' id='x'/>",
      "<retract xmlns='urn:xmpp:message-retract:1' id='x'/>",
      "<subject>Fire</subject>",
      "<active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>",
      "<body>whatever it says</body><no-store xmlns='urn:xmpp:hints'/>",
    ];
    for (const inside of kept) await say(inside);
    await say("<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    await say("<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/><no-store xmlns='urn:xmpp:hints'/>");
    const stored = (await rows(all)).map(({ stanza }) => /^<message[^>]*>(.*?)<occupant-id /.exec(stanza)?.[1]);
    expect(stored).toEqual(kept);
  });
});

describe("who may read the archive of a room", () => {
  it("whoever may enter when they ask: also who has left, and who was never in @3.3 @M2", async () => {
    const { crone, hag, wicca } = await coven();
    await crone.enters("crone");
    await crone.configures({});
    await hag.enters("hag");
    await hag.says("one");
    await hag.leaves("hag");
    expect(outcome(await asks(hag))).toEqual(["one"]);
    expect(outcome(await asks(wicca))).toEqual(["one"]);
  });

  it("not who was banned, from that moment on @3.3 @M2", async () => {
    const all = await gathered();
    await all.crone.says("one");
    await affiliate(all, "hag@localhost", "outcast");
    expect(outcome(await asks(all.hag))).toBe("forbidden");
    expect(outcome(await asks(all.wicca))).toEqual(["one"]);
  });

  it("not who is no member of a members-only room, or no longer; a member who left may @3.3 @M2", async () => {
    const all = await gathered({ "muc#roomconfig_membersonly": "1", ...PERSISTENT });
    await all.crone.says("one");
    expect([outcome(await asks(all.crone)), outcome(await asks(all.hag))]).toEqual([["one"], "forbidden"]);
    await affiliate(all, "hag@localhost", "member");
    expect(outcome(await asks(all.hag))).toEqual(["one"]);
    await affiliate(all, "hag@localhost", "none");
    expect(outcome(await asks(all.hag))).toBe("forbidden");
  });

  it("of a room with a password: who has shown it by being in, and the owner @3.3 @M2", async () => {
    const all = await coven();
    await all.crone.enters("crone");
    await all.crone.configures({
      "muc#roomconfig_passwordprotectedroom": "1",
      "muc#roomconfig_roomsecret": "cauldron",
      ...PERSISTENT,
    });
    await all.crone.says("one");
    await all.crone.leaves("crone");
    expect([outcome(await asks(all.crone)), outcome(await asks(all.hag))]).toEqual([["one"], "forbidden"]);
    await all.hag.enters("hag", "<password>cauldron</password>");
    expect(outcome(await asks(all.hag))).toEqual(["one"]);
  });

  it("nobody while nothing is logged, or where there is no room @3.3", async () => {
    const all = await gathered(PERSISTENT);
    await all.crone.says("one");
    await all.crone.configures({ "muc#roomconfig_enablelogging": "0" });
    expect(outcome(await asks(all.crone))).toBe("service-unavailable");
    await all.crone.sends(`<iq type='set' id='x' to='${ROOM}'><query xmlns='${NS.mucOwner}'><destroy/></query></iq>`);
    expect(outcome(await asks(all.crone))).toBe("item-not-found");
  });

  it("sees nothing of a page that was read while they were being banned @3.3 @M2", async () => {
    const all = await gathered();
    const { hag, crone, world, settle } = all;
    await crone.says("one");
    hag.forget();
    const release = holdReads(world);
    await hag.sends(`<iq type='set' id='q' to='${ROOM}'>${queryText({})}</iq>`);
    await affiliate(all, "hag@localhost", "outcast");
    await crone.says("she is gone");
    release();
    await settle();
    expect(hag.device.messages.filter((one) => one.has("result", NS.mam))).toEqual([]);
    expect(hag.heard.at(-1)).toBe("error forbidden");
  });

  it("learns real addresses in a non-anonymous room, and as a moderator @3.3", async () => {
    const all = await gathered();
    await all.hag.says("one");
    expect([jidsIn(await asks(all.wicca)), jidsIn(await asks(all.crone))]).toEqual([[], [all.hag.jid]]);
    await all.crone.configures({ "muc#roomconfig_whois": "anyone" });
    expect(jidsIn(await asks(all.wicca))).toEqual([all.hag.jid]);
  });

  it("learns no address from what whoever enters is told @3.3", async () => {
    const before = await gathered(PERSISTENT);
    await before.hag.says("one");
    const { disk, clock } = before.world;
    const { wicca } = await coven({ disk, clock, accounts: [] });
    await wicca.enters("wicca");
    const [told] = wicca.device.messages;
    expect(told?.child("body", NS.client)?.text()).toBe("one");
    expect(told?.toWire()).not.toContain("hag@localhost");
  });
});

describe("a room that is not logged", () => {
  it("has what is said for those who enter, and nowhere else; nor what was logged before @3.3", async () => {
    const before = await gathered(PERSISTENT);
    await before.crone.says("logged");
    await before.crone.configures({ "muc#roomconfig_enablelogging": "0" });
    await before.crone.says("unlogged");
    expect((await rows(before)).map(({ stanza }) => stanza.includes("unlogged"))).toEqual([false]);
    await before.hag.leaves("hag");
    before.hag.forget();
    await before.hag.enters("hag");
    expect(before.hag.heard).toContain("crone: unlogged (before)");
    const { disk, clock } = before.world;
    const { wicca } = await coven({ disk, clock, accounts: [] });
    await wicca.enters("wicca");
    expect(wicca.heard).toEqual(["wicca enters 110", "subject: "]);
  });
});
