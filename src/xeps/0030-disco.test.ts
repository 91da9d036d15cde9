import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { features } from "../features.js";
import { befriend, conditionOf, World } from "./world.test.kit.js";

const INFO = `<query xmlns='${NS.discoInfo}'/>`;
const ITEMS = `<query xmlns='${NS.discoItems}'/>`;

async function withJuliet(config = "") {
  const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"], config });
  return { world, juliet: await world.device("juliet@localhost/balcony") };
}

describe("service discovery", () => {
  it("tells what the server is and can do, each feature once @1.8", async () => {
    const { juliet } = await withJuliet();
    const query = (await juliet.asks(`<iq type='get' to='localhost' id='1'>${INFO}</iq>`)).getChild("query");
    const vars = query?.getChildren("feature").map((feature) => String(feature.attrs["var"])) ?? [];
    expect(query?.getChild("identity")?.attrs).toMatchObject({ category: "server", type: "im" });
    expect(vars).toEqual(expect.arrayContaining([NS.discoInfo, NS.discoItems, NS.caps, NS.ping, "msgoffline"]));
    expect(new Set(vars).size).toBe(vars.length);
    expect(query?.getChild("x")).toBeUndefined();
  });

  it("answers for the node of the server's capabilities and mirrors it @1.8", async () => {
    const { world, juliet } = await withJuliet();
    const [c] = world.core.features
      .flatMap(
        (feature) =>
          feature.streamFeatures?.({
            domain: "localhost",
            secure: true,
            authenticated: true,
            address: "::1",
            registrations: 0,
          }) ?? [],
      )
      .filter((element) => element.is("c", NS.caps));
    const node = `${String(c?.attrs["node"])}#${String(c?.attrs["ver"])}`;
    const answer = await juliet.asks(
      `<iq type='get' to='localhost' id='1'><query xmlns='${NS.discoInfo}' node='${node}'/></iq>`,
    );
    expect(answer.getChild("query")?.attrs["node"]).toBe(node);
    expect(answer.getChild("query")?.getChildren("feature").length).toBeGreaterThan(5);
  });

  it.each(["disco#info", "disco#items"])("knows no other node: %s @1.8", async (name) => {
    const { juliet } = await withJuliet();
    for (const to of ["localhost", "juliet@localhost"]) {
      const query = `<query xmlns='http://jabber.org/protocol/${name}' node='nothing'/>`;
      expect(conditionOf(await juliet.asks(`<iq type='get' to='${to}' id='1'>${query}</iq>`))).toBe("item-not-found");
    }
  });

  it.each(["disco#info", "disco#items"])("mirrors also an empty node, which names none: %s @1.8", async (name) => {
    const { juliet } = await withJuliet();
    for (const to of ["localhost", "juliet@localhost", "romeo@localhost"]) {
      const query = `<query xmlns='http://jabber.org/protocol/${name}' node=''/>`;
      const answer = await juliet.asks(`<iq type='get' to='${to}' id='1'>${query}</iq>`);
      if (to === "romeo@localhost" && name === "disco#info") expect(conditionOf(answer)).toBe("service-unavailable");
      else expect(answer.getChild("query")?.attrs["node"]).toBe("");
    }
  });

  it("has the services as its items @1.8", async () => {
    const { juliet } = await withJuliet();
    const answer = await juliet.asks(`<iq type='get' to='localhost' id='1'>${ITEMS}</iq>`);
    expect(answer.attrs["type"]).toBe("result");
    const items = answer.getChild("query", NS.discoItems)?.getChildren("item");
    expect(items?.map(({ attrs }) => attrs["jid"] as string)).toEqual(["conference.localhost"]);
  });

  it("tells an account about itself and its available resources @1.8", async () => {
    const { world, juliet } = await withJuliet();
    await world.device("juliet@localhost/silent");
    await juliet.sends("<presence/>");
    const info = await juliet.asks(`<iq type='get' id='1'>${INFO}</iq>`);
    expect(info.getChild("query")?.getChild("identity")?.attrs).toMatchObject({
      category: "account",
      type: "registered",
    });
    const items = await juliet.asks(`<iq type='get' id='2'>${ITEMS}</iq>`);
    const jids = items
      .getChild("query")
      ?.getChildren("item")
      .map((item) => item.attrs["jid"] as string);
    expect(jids).toEqual(["juliet@localhost/balcony"]);
  });

  it.each([INFO, ITEMS, "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>"])(
    "answers a stranger as if there were no such account: %s @1.8",
    async (query) => {
      const { world, juliet } = await withJuliet();
      const romeo = await world.device("romeo@localhost/orchard");
      await romeo.sends("<presence/>");
      const known = await juliet.asks(`<iq type='get' to='romeo@localhost' id='1'>${query}</iq>`);
      const unknown = await juliet.asks(`<iq type='get' to='nobody@localhost' id='1'>${query}</iq>`);
      known.attrs["from"] = unknown.attrs["from"] = "x";
      expect(known.toString()).toBe(unknown.toString());
      if (query === ITEMS) expect(known.attrs["type"]).toBe("result");
      else expect(conditionOf(known)).toBe("service-unavailable");
    },
  );

  it("answers those who see an account's presence about it @1.8", async () => {
    const { world, juliet } = await withJuliet();
    const romeo = await world.device("romeo@localhost/orchard");
    await romeo.sends("<presence/>");
    await befriend(juliet, romeo);
    const info = await juliet.asks(`<iq type='get' to='romeo@localhost' id='1'>${INFO}</iq>`);
    const items = await juliet.asks(`<iq type='get' to='romeo@localhost' id='2'>${ITEMS}</iq>`);
    expect(info.getChild("query")?.getChild("identity")?.attrs["type"]).toBe("registered");
    expect(items.getChild("query")?.getChild("item")?.attrs["jid"]).toBe("romeo@localhost/orchard");
  });

  it("carries the contact addresses as a form in the server's answer @1.8", async () => {
    const { juliet } = await withJuliet(`[contact]\nabuse = ["mailto:abuse@localhost", "xmpp:a@localhost"]`);
    const answer = await juliet.asks(`<iq type='get' to='localhost' id='1'>${INFO}</iq>`);
    const form = answer.getChild("query")?.getChild("x", NS.dataForms);
    const fields = form?.getChildren("field").map(({ attrs, children }) => [attrs["var"] as string, children.length]);
    expect(form?.attrs["type"]).toBe("result");
    expect(fields).toEqual([
      ["FORM_TYPE", 1],
      ["abuse-addresses", 2],
    ]);
    expect(form?.getChild("field")?.getChildText("value")).toBe("http://jabber.org/network/serverinfo");
  });
});
