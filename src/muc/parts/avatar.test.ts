import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { asked, infoOf, refusal } from "../asking.test.kit.js";
import { coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const GET = "<vCard xmlns='vcard-temp'/>";
const PICTURE = "a picture";
const HASH = sha1(PICTURE);
const photo = (content: string) =>
  `<PHOTO><TYPE>image/png</TYPE><BINVAL>${Buffer.from(content).toString("base64")}</BINVAL></PHOTO>`;
const card = (...pictures: readonly string[]) =>
  `<vCard xmlns='vcard-temp'><FN>Coven</FN>${pictures.map(photo).join("")}</vCard>`;

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** The hashes in presence of the room itself. */
const hashesHeard = ({ device }: Witch) =>
  device.received
    .filter(({ kind, from }) => kind === "presence" && from?.toString() === ROOM)
    .map(({ element }) => element.getChild("x", "vcard-temp:x:update")?.getChildText("photo"));

describe("the avatar of a room", () => {
  it("is set by an owner: all are told, by code and by hash, and who asks is shown it @3.4", async () => {
    const { crone, hag, wicca, another } = await gathered();
    expect(await refusal(crone, "get", GET)).toBe("item-not-found");
    for (const witch of [crone, hag, wicca]) witch.forget();
    await crone.sends(`<iq type='set' id='v' to='${ROOM}'>${card(PICTURE)}</iq>`);
    expect(crone.heard).toEqual(["room notes 104", "room enters", "result v"]);
    expect([hag.heard, hashesHeard(hag)]).toEqual([["room notes 104", "room enters"], [HASH]]);
    const stranger = await another("wicca@localhost/elsewhere");
    const shown = (await asked(stranger, "get", GET)).getChild("vCard", "vcard-temp");
    expect(shown?.getChild("PHOTO")?.getChildText("BINVAL")).toBe(Buffer.from(PICTURE).toString("base64"));
    const { features, fields } = await infoOf(stranger);
    expect([features.includes("vcard-temp"), fields["muc#roominfo_avatarhash"]]).toEqual([true, [HASH]]);
  });

  it("is told to whoever enters, by its hash, also after a restart @3.4", async () => {
    const { world, crone } = await gathered({ "muc#roomconfig_persistentroom": "1" });
    await asked(crone, "set", card(PICTURE));
    const later = await coven({ disk: world.disk, clock: world.clock, accounts: [] });
    await later.hag.enters("hag");
    expect([later.hag.heard.slice(0, 2), hashesHeard(later.hag)]).toEqual([
      ["hag enters 110 170", "room enters"],
      [HASH],
    ]);
    expect((await asked(later.hag, "get", GET)).getChild("vCard")).toBeDefined();
  });

  it("in several formats has several hashes; a vCard without a picture has none @3.4", async () => {
    const { crone, hag } = await gathered();
    expect((await infoOf(hag)).fields["muc#roominfo_avatarhash"]).toBeUndefined();
    await asked(crone, "set", card("one", "two"));
    expect((await infoOf(hag)).fields["muc#roominfo_avatarhash"]).toEqual([sha1("one"), sha1("two")]);
    hag.forget();
    await asked(crone, "set", card());
    expect(hashesHeard(hag)).toEqual([""]);
    expect((await infoOf(hag)).fields["muc#roominfo_avatarhash"]).toBeUndefined();
    hag.forget();
    await asked(crone, "set", GET);
    expect([hag.heard, await refusal(hag, "get", GET)]).toEqual([["room notes 104"], "item-not-found"]);
  });

  it("is an owner's to set, and for those who may enter @3.4", async () => {
    const { crone, hag, another } = await gathered();
    expect(await refusal(hag, "set", card(PICTURE))).toBe("forbidden");
    await asked(crone, "set", card(PICTURE));
    await crone.configures({ "muc#roomconfig_membersonly": "1" });
    const stranger = await another("wicca@localhost/elsewhere");
    expect(await refusal(stranger, "get", GET)).toBe("forbidden");
    expect(await refusal(crone, "get", GET)).toBe("");
  });

  it("is refused above the limit of vCards, and nothing changes @3.5 @limit.vcard_bytes", async () => {
    const { crone, hag } = await gathered({}, { config: "[limits]\nvcard_bytes = 200" });
    expect(await refusal(crone, "set", card("x".repeat(200)))).toBe("policy-violation");
    expect([hag.heard, await refusal(crone, "get", GET)]).toEqual([[], "item-not-found"]);
  });

  it("goes with the room @3.4", async () => {
    const { world, crone, hag, wicca } = await gathered();
    await asked(crone, "set", card(PICTURE));
    for (const [witch, nick] of [
      [crone, "crone"],
      [hag, "hag"],
      [wicca, "wicca"],
    ] as const)
      await witch.leaves(nick);
    expect(await world.storage.get("room_vcard", ROOM, "")).toBeUndefined();
    hag.forget();
    await hag.enters("hag");
    expect(hashesHeard(hag)).toEqual([]);
  });
});
