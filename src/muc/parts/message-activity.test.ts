import { describe, expect, it } from "@jest/globals";
import { infoOf } from "../asking.test.kit.js";
import { coven, type Coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const HOUR_MS = 3_600_000;
const PERSISTENT = { "muc#roomconfig_persistentroom": "1" };
const activity = async (witch: Witch) => (await infoOf(witch)).fields["{urn:xmpp:muc-activity}message-activity"]?.[0];

async function says({ hag }: Coven, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await hag.says(`${n}`);
}

describe("the activity of a room", () => {
  it("is how many messages there are an hour, of the last day @3.4", async () => {
    const all = await gathered(PERSISTENT);
    expect(await activity(all.hag)).toBe("0.00");
    await says(all, 12);
    await all.hag.sends(
      `<message type='groupchat' to='${ROOM}'><active xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    await all.hag.sends(
      `<message type='groupchat' to='${ROOM}'><body>b</body><replace xmlns='urn:xmpp:message-correct:0' id='x'/></message>`,
    );
    expect(await activity(all.hag)).toBe("0.50");
    all.world.clock.advance(24 * HOUR_MS + 1);
    await says(all, 6);
    expect(await activity(all.hag)).toBe("0.25");
  });

  it("of a lively room is of the time that is remembered @3.4", async () => {
    const all = await gathered(PERSISTENT, { config: "[limits]\nroom_history = 10" });
    await says(all, 5);
    all.world.clock.advance(HOUR_MS / 2);
    await says(all, 5);
    expect(await activity(all.hag)).toBe("20.00");
  });

  it("is known again after a restart @3.4", async () => {
    const all = await gathered(PERSISTENT);
    await says(all, 12);
    const later = await coven({ disk: all.world.disk, clock: all.world.clock, accounts: [] });
    await later.hag.enters("hag");
    expect(await activity(later.hag)).toBe("0.50");
  });

  it("is told of persistent rooms only that everybody may find and enter, and where it is known @3.4", async () => {
    const { crone, hag } = await gathered();
    expect(await activity(hag)).toBeUndefined();
    for (const [field, secret, open] of [
      ["muc#roomconfig_publicroom", "0", "1"],
      ["muc#roomconfig_membersonly", "1", "0"],
      ["muc#roomconfig_enablelogging", "0", "1"],
    ] as const) {
      await crone.configures({ ...PERSISTENT, [field]: secret });
      expect(await activity(crone)).toBeUndefined();
      await crone.configures({ [field]: open });
      expect(await activity(crone)).toBe("0.00");
    }
    await crone.configures({ "muc#roomconfig_passwordprotectedroom": "1", "muc#roomconfig_roomsecret": "x" });
    expect(await activity(crone)).toBeUndefined();
  });
});
