import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { conditionOf } from "../xeps/world.test.kit.js";
import { asked } from "./asking.test.kit.js";
import { coven, gathered, ROOM, type Witch } from "./coven.test.kit.js";

const ask = async (witch: Witch, to: string, ns: string, inside = "") => {
  witch.forget();
  await witch.sends(`<iq type='get' id='q' to='${to}'><query xmlns='${ns}'>${inside}</query></iq>`);
  return witch.device.received.at(-1)?.element;
};
const itemsOf = async (witch: Witch, to: string, inside = "") =>
  (await ask(witch, to, NS.discoItems, inside))
    ?.getChild("query")
    ?.getChildren("item")
    .map(({ attrs }) => `${String(attrs["jid"])} ${String(attrs["name"])}`);
const featuresOf = async (witch: Witch, to: string) =>
  (await ask(witch, to, NS.discoInfo))
    ?.getChild("query")
    ?.getChildren("feature")
    .map(({ attrs }) => String(attrs["var"]));

describe("the service of rooms", () => {
  it("is among the items of the server, and says what it is @3.1", async () => {
    const { hag } = await coven();
    expect(await itemsOf(hag, "localhost")).toEqual(["conference.localhost Chat rooms"]);
    const info = await ask(hag, "conference.localhost", NS.discoInfo);
    expect(info?.getChild("query")?.getChild("identity")?.attrs).toMatchObject({
      category: "conference",
      type: "text",
    });
    expect(await featuresOf(hag, "conference.localhost")).toEqual(
      expect.arrayContaining([NS.muc, `${NS.muc}#stable_id`]),
    );
  });

  it("lists public rooms that are open, page by page @3.1", async () => {
    const { crone, hag } = await coven();
    for (const name of ["c", "a", "b"]) {
      await crone.sends(`<presence to='${name}@conference.localhost/crone'><x xmlns='${NS.muc}'/></presence>`);
      const fields =
        name === "b" ? { "muc#roomconfig_publicroom": "0" } : { "muc#roomconfig_roomname": `Room ${name}` };
      const values = Object.entries({ FORM_TYPE: NS.mucRoomConfig, ...fields })
        .map(([key, value]) => `<field var='${key}'><value>${value}</value></field>`)
        .join("");
      const form = `<x xmlns='${NS.dataForms}' type='submit'>${values}</x>`;
      await crone.sends(
        `<iq type='set' id='f' to='${name}@conference.localhost'><query xmlns='${NS.mucOwner}'>${form}</query></iq>`,
      );
    }
    await crone.sends(`<presence to='locked@conference.localhost/crone'><x xmlns='${NS.muc}'/></presence>`);
    const all = ["a@conference.localhost Room a", "c@conference.localhost Room c"];
    expect(await itemsOf(hag, "conference.localhost")).toEqual(all);
    const page = (inside: string) => `<set xmlns='${NS.rsm}'><max>1</max>${inside}</set>`;
    expect(await itemsOf(hag, "conference.localhost", page(""))).toEqual(all.slice(0, 1));
    expect(await itemsOf(hag, "conference.localhost", page(`<after>a@conference.localhost</after>`))).toEqual(
      all.slice(1),
    );
  });

  it.each([NS.discoInfo, NS.discoItems])("has no nodes but those it names, nor has a room: %s @3.1", async (ns) => {
    const { hag } = await gathered();
    for (const to of ["conference.localhost", ROOM]) {
      const about = (node: string) => asked(hag, "get", `<query xmlns='${ns}' node='${node}'/>`, to);
      expect(conditionOf(await about("urn:example:none"))).toBe("item-not-found");
      expect((await about("")).getChild("query", ns)?.attrs["node"]).toBe("");
    }
    const own = await asked(hag, "get", `<query xmlns='${ns}' node='x-roomuser-item'/>`);
    expect(own.getChild("query", ns)?.attrs["node"]).toBe("x-roomuser-item");
  });

  it("answers pings, and refuses what it has no use for @3.1", async () => {
    const { hag } = await coven();
    await hag.sends("<iq type='get' id='p' to='conference.localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    await hag.sends("<iq type='get' id='x' to='conference.localhost'><query xmlns='jabber:iq:version'/></iq>");
    await hag.sends("<message to='conference.localhost'><body>x</body></message>");
    expect(hag.hears()).toEqual(["result p", "error service-unavailable", "error service-unavailable"]);
  });

  it("has the name that the configuration gives it @3.1", async () => {
    const { hag } = await coven({ config: '[muc]\nhost = "rooms.<domain>"' });
    expect(await itemsOf(hag, "localhost")).toEqual(["rooms.localhost Chat rooms"]);
  });
});

describe("a room that is asked about", () => {
  it("says its name, its kind and how many are in it, but not who @3.1 @M1", async () => {
    const { another } = await gathered({ "muc#roomconfig_roomname": "A Dark Cave", "muc#roomconfig_roomdesc": "Deep" });
    const stranger = await another("wicca@localhost/elsewhere");
    const info = await ask(stranger, ROOM, NS.discoInfo);
    const query = info?.getChild("query");
    expect(query?.getChild("identity")?.attrs).toMatchObject({
      category: "conference",
      type: "text",
      name: "A Dark Cave",
    });
    expect(await featuresOf(stranger, ROOM)).toEqual(
      expect.arrayContaining([
        "muc_open",
        "muc_public",
        "muc_semianonymous",
        "muc_temporary",
        "muc_unmoderated",
        "muc_unsecured",
      ]),
    );
    expect(String(query)).toContain('<field type="text-single" var="muc#roominfo_occupants"');
    expect(await itemsOf(stranger, ROOM)).toEqual([]);
    await stranger.sends(`<iq type='get' id='o' to='${ROOM}/hag'><query xmlns='${NS.discoInfo}'/></iq>`);
    expect(stranger.heard.at(-1)).toBe("error bad-request");
  });

  it("and is not there has nothing to say @3.1", async () => {
    const { hag } = await coven();
    await ask(hag, "nowhere@conference.localhost", NS.discoInfo);
    await hag.sends(`<iq type='set' id='r' to='nowhere@conference.localhost'><query xmlns='${NS.mucOwner}'/></iq>`);
    expect(hag.hears()).toEqual(["error item-not-found", "error item-not-found"]);
  });
});
