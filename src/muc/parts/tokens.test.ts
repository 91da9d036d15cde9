import { describe, expect, it } from "@jest/globals";
import { NS } from "../../xml/namespaces.js";
import { coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const MEMBERS_ONLY = { "muc#roomconfig_membersonly": "1" };
const XMLNS = `xmlns='${NS.mucTokens}'`;
const DAY_S = 86_400;
const asks = async (witch: Witch, payload: string, type = "set") => {
  witch.forget();
  await witch.sends(`<iq type='${type}' id='t' to='${ROOM}'>${payload}</iq>`);
  const answer = witch.device.received.find(({ kind }) => kind === "iq");
  const [line] = witch.heard;
  witch.forget();
  return { line, answer };
};
/** The token's text and limits. */
const issues = async (witch: Witch, limits = "") => {
  const { answer } = await asks(witch, `<request ${XMLNS}${limits}/>`);
  const token = answer?.child("token", NS.mucTokens);
  return {
    text: token?.text() ?? "",
    delay: Number(token?.attrs["delay"]),
    counter: token?.attrs["counter"] as unknown,
  };
};
const lists = async (witch: Witch) => {
  const { line, answer } = await asks(witch, `<tokens ${XMLNS}/>`, "get");
  const tokens = answer?.child("tokens", NS.mucTokens)?.getChildren("token");
  return tokens?.map((token) => `${token.text()} ${String(token.attrs["counter"])}`) ?? line;
};
const revokes = async (witch: Witch, text: string) => (await asks(witch, `<revoke ${XMLNS}>${text}</revoke>`)).line;
const entersWith = async (witch: Witch, nick: string, password: string) => {
  await witch.enters(nick, `<password>${password}</password>`);
  const isIn = witch.heard.some((line) => line.startsWith(`${nick} enters 110`));
  const error = witch.device.received.find(({ type }) => type === "error");
  witch.forget();
  if (isIn) return "in";
  return error?.has("error", NS.client) && error.toWire().includes("expired-token")
    ? "expired"
    : (error?.toWire() ?? "");
};

describe("a token", () => {
  it("makes a member of whoever enters with it, once each, and is not needed again, also after a restart @3.4 @3.2", async () => {
    const before = await gathered({ ...MEMBERS_ONLY, "muc#roomconfig_persistentroom": "1" });
    const { text, delay, counter } = await issues(before.crone, " counter='1'");
    expect([text.length >= 20, delay, counter]).toEqual([true, 365 * DAY_S, "1"]);
    const { disk, clock } = before.world;
    const { crone, hag, wicca } = await coven({ disk, clock, accounts: [] });
    await crone.enters("crone");
    crone.forget();
    expect(await entersWith(hag, "hag", text)).toBe("in");
    expect(crone.device.received.at(-1)?.child("x", NS.mucUser)?.getChild("item")?.attrs).toMatchObject({
      affiliation: "member",
      role: "participant",
    });
    expect([await entersWith(wicca, "wicca", text), await lists(crone)]).toEqual(["expired", []]);
    await hag.leaves("hag");
    expect(await entersWith(hag, "hag", text)).toBe("in");
  });

  it("is not used up by who is a member already, or does not get in @3.4 @M3", async () => {
    const { crone, hag, wicca } = await gathered();
    await wicca.leaves("wicca");
    const { text } = await issues(crone, " counter='2'");
    expect(await entersWith(crone, "crone", text)).toBe("in");
    expect(await entersWith(wicca, "hag", text)).toContain("conflict");
    expect(await lists(crone)).toEqual([`${text} 2`]);
    expect(await entersWith(hag, "hag", text)).toBe("in");
    expect(await entersWith(wicca, "wicca", text)).toBe("in");
    expect(await lists(crone)).toEqual([`${text} 1`]);
  });

  it("ends after its time, and none lasts for ever @3.4", async () => {
    const { world, crone, hag, wicca } = await gathered(MEMBERS_ONLY);
    const { text, delay } = await issues(crone, " delay='60'");
    expect([delay, (await issues(crone, ` delay='${999 * DAY_S}'`)).delay]).toEqual([60, 365 * DAY_S]);
    world.clock.advance(59_000);
    expect(await entersWith(hag, "hag", text)).toBe("in");
    world.clock.advance(1000);
    expect(await entersWith(wicca, "wicca", text)).toBe("expired");
    expect(await lists(crone)).toHaveLength(1);
  });

  it("opens a room with a password once, and anything else does not @3.4 @M3", async () => {
    const { crone, hag } = await gathered();
    await crone.configures({
      "muc#roomconfig_passwordprotectedroom": "1",
      "muc#roomconfig_roomsecret": "cauldron",
    });
    const { text } = await issues(crone);
    await hag.leaves("hag");
    expect(await entersWith(hag, "hag", "nonsense")).toContain("not-authorized");
    expect(await entersWith(hag, "hag", text)).toBe("in");
    await hag.leaves("hag");
    expect(await entersWith(hag, "hag", text)).toContain("not-authorized");
    expect(await entersWith(hag, "hag", "cauldron")).toBe("in");
  });

  it("is issued by whose invitation makes members, revoked by them and by moderators @3.4 @M3", async () => {
    const { crone, hag, wicca } = await gathered(MEMBERS_ONLY);
    const { text } = await issues(crone);
    for (const witch of [hag, wicca]) await entersWith(witch, witch === hag ? "hag" : "wicca", text);
    for (const payload of [`<request ${XMLNS}/>`, `<revoke ${XMLNS}>${text}</revoke>`])
      expect((await asks(hag, payload)).line).toBe("error forbidden");
    expect(await lists(hag)).toBe("error forbidden");
    await crone.configures({ "muc#roomconfig_allowinvites": "1" });
    const own = await issues(hag);
    expect([await lists(hag), await lists(wicca), (await lists(crone))?.length]).toEqual([
      [`${own.text} undefined`],
      [],
      2,
    ]);
    expect([await revokes(hag, text), await revokes(wicca, own.text), await revokes(hag, "nonsense")]).toEqual([
      ...["error item-not-found", "error item-not-found", "error item-not-found"],
    ]);
    expect([await revokes(crone, own.text), await lists(hag)]).toEqual(["result t", []]);
  });

  it("lets nobody in any more once its issuer could not: not who was owner, admin or member @3.4 @M3", async () => {
    const all = await gathered({ ...MEMBERS_ONLY, "muc#roomconfig_allowinvites": "1" });
    const { crone, hag, wicca } = all;
    await crone.sets("jid=hag@localhost affiliation=owner");
    const { text } = await issues(hag);
    await crone.sets("jid=hag@localhost affiliation=member");
    expect(await entersWith(wicca, "wicca", text)).toBe("in");
    await crone.sets("jid=hag@localhost affiliation=outcast", "jid=wicca@localhost affiliation=none");
    wicca.forget();
    expect(await entersWith(wicca, "wicca", text)).toBe("expired");
    expect(await lists(crone)).toEqual([]);
    await crone.sets("jid=hag@localhost affiliation=member");
    await crone.configures({ "muc#roomconfig_allowinvites": "0" });
    wicca.forget();
    expect(await entersWith(wicca, "wicca", text)).toBe("expired");
  });

  it("is asked for with numbers, and there are not too many of them @3.5 @M11 @limit.room_tokens", async () => {
    const { world, crone } = await gathered({}, { config: "[limits]\nroom_tokens = 2" });
    for (const limits of ["delay='0'", "counter='-1'", "counter='many'"])
      expect((await asks(crone, `<request ${XMLNS} ${limits}/>`)).line).toBe("error bad-request");
    await issues(crone);
    await issues(crone, " delay='60'");
    expect((await asks(crone, `<request ${XMLNS}/>`)).line).toBe("error resource-constraint");
    world.clock.advance(60_000);
    expect((await issues(crone)).text).not.toBe("");
  });
});
