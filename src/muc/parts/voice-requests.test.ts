import { describe, expect, it } from "@jest/globals";
import { NS } from "../../xml/namespaces.js";
import { gathered, ROOM, type Witch } from "../coven.test.kit.js";

const MODERATED = { "muc#roomconfig_moderatedroom": "1" };

function submits(witch: Witch, fields: Readonly<Record<string, string>>): Promise<void> {
  const all = Object.entries({ FORM_TYPE: NS.mucRequest, "muc#role": "participant", ...fields });
  const written = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join("");
  return witch.sends(`<message id='v' to='${ROOM}'><x xmlns='${NS.dataForms}' type='submit'>${written}</x></message>`);
}

const approval = (allow: string) => ({
  "muc#jid": "hag@localhost/pda",
  "muc#roomnick": "hag",
  "muc#request_allow": allow,
});

describe("a request for voice", () => {
  it("asks the moderators and nobody else, once for each client @3.1", async () => {
    const { crone, hag, wicca } = await gathered(MODERATED);
    await submits(hag, {});
    expect([crone.hears(), hag.hears(), wicca.hears()]).toEqual([["room notes"], [], []]);
    await submits(crone, {});
    expect(crone.hears()).toEqual([]);
  });

  it("is granted by a moderator, or not @3.1", async () => {
    const { crone, hag, wicca } = await gathered(MODERATED);
    await submits(crone, approval("0"));
    expect([crone.hears(), hag.hears()]).toEqual([[], []]);
    await submits(crone, approval("1"));
    expect([hag.items, wicca.hears()]).toEqual([["hag hag@localhost/pda none participant by crone"], ["hag enters"]]);
    hag.forget();
    await submits(crone, approval("1"));
    expect(hag.hears()).toEqual([]);
  });

  it("is granted neither by others, nor to somebody else who has the nick now @3.1 @M4", async () => {
    const { crone, hag, wicca } = await gathered(MODERATED);
    await submits(hag, approval("1"));
    await hag.leaves("hag");
    await submits(crone, approval("1"));
    expect([hag.hears()[0], crone.hears().at(-1)]).toEqual(["error forbidden", "error item-not-found"]);
    await wicca.sends(`<presence to='${ROOM}/hag'/>`);
    crone.forget();
    await submits(crone, approval("1"));
    expect(crone.hears()).toEqual(["error item-not-found"]);
  });

  it("for anything but voice, or from outside, is none @3.1", async () => {
    const { hag, wicca } = await gathered(MODERATED);
    await submits(hag, { "muc#role": "moderator" });
    await wicca.leaves("wicca");
    wicca.forget();
    await submits(wicca, {});
    expect([hag.hears()[0], wicca.hears()]).toEqual(["error bad-request", ["error not-acceptable"]]);
  });
});
