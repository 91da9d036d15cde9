import { describe, expect, it } from "@jest/globals";
import { configurationOf, infoOf } from "../asking.test.kit.js";
import { gathered, ROOM } from "../coven.test.kit.js";

const FIELD = "muc#roomconfig_slow_mode_duration";

describe("slow mode", () => {
  it("makes an account wait between two messages, under any nick, and says how long @3.4", async () => {
    const { world, crone, hag, another } = await gathered({ [FIELD]: "20" });
    await hag.says("one");
    await hag.says("two");
    expect(crone.hears()).toEqual(["hag: one"]);
    expect(hag.heard).toEqual(["hag: one", "error policy-violation"]);
    const error = hag.device.received.at(-1)?.element.getChild("error");
    expect([error?.attrs["type"], error?.getChildText("text")]).toEqual([
      "wait",
      "Slow mode: there are 20 seconds between two messages. Please wait 20 more.",
    ]);
    await hag.leaves("hag");
    const other = await another("hag@localhost/other");
    await other.enters("haggis");
    world.clock.advance(19_000);
    await other.says("three");
    expect(other.heard.at(-1)).toBe("error policy-violation");
    expect(other.device.received.at(-1)?.element.getChild("error")?.getChildText("text")).toContain("wait 1 more");
    world.clock.advance(1000);
    await other.says("four");
    expect(other.heard.at(-1)).toBe("haggis: four");
  });

  it("lets others speak, owners at any time, and what has no body @3.4", async () => {
    const { crone, hag, wicca } = await gathered({ [FIELD]: "20" });
    await hag.says("one");
    await wicca.says("two");
    await crone.says("three");
    await crone.says("four");
    await hag.sends(
      `<message type='groupchat' to='${ROOM}'><active xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    expect(hag.hears()).toEqual(["hag: one", "wicca: two", "crone: three", "crone: four", "hag notes"]);
  });

  it("is as the owner has set it, a number of seconds, and can be read by all @3.4 @3.5", async () => {
    const { crone, hag } = await gathered();
    expect((await infoOf(hag)).fields["muc#roominfo_slow_mode_duration"]).toEqual(["0"]);
    hag.forget();
    await crone.configures({ [FIELD]: "5" });
    expect(hag.heard).toEqual(["room notes 104"]);
    for (const wrong of ["-1", "many", "86401"]) {
      await crone.configures({ [FIELD]: wrong });
      expect(crone.heard.at(-1)).toBe("error not-acceptable");
    }
    expect((await configurationOf(crone))[FIELD]).toEqual(["5"]);
    expect((await infoOf(hag)).fields["muc#roominfo_slow_mode_duration"]).toEqual(["5"]);
    await crone.configures({ [FIELD]: "0" });
    await hag.says("one");
    await hag.says("two");
    expect(hag.heard.slice(-2)).toEqual(["hag: one", "hag: two"]);
  });

  it("does not count a message that could not be kept @3.2", async () => {
    const { world, hag } = await gathered({ [FIELD]: "20" });
    world.storage.failNext("refused");
    await hag.says("lost");
    await hag.says("again");
    expect(hag.hears()).toEqual(["error resource-constraint", "hag: again"]);
  });
});
