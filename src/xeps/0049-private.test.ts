import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { conditionOf, World } from "./world.test.kit.js";

const set = (content: string, to = "") =>
  `<iq type='set' ${to} id='1'><query xmlns='jabber:iq:private'>${content}</query></iq>`;
const get = (content: string, to = "") => set(content, to).replace("'set'", "'get'");

async function withJuliet(config = "") {
  const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"], config });
  return { world, juliet: await world.device("juliet@localhost/balcony") };
}

describe("private XML", () => {
  it("comes back as it was set, by the name and namespace of its root @1.8", async () => {
    const { juliet } = await withJuliet();
    const prefs = `<exodus xmlns="exodus:prefs"><defaultnick>Hamlet</defaultnick></exodus>`;
    const result = await juliet.asks(set(`${prefs}<other xmlns='exodus:prefs'/>`));
    expect([result.attrs["type"], result.children]).toEqual(["result", []]);
    const answer = await juliet.asks(get("<exodus xmlns='exodus:prefs'/>"));
    expect(answer.getChild("query")?.children.join("")).toBe(prefs);
  });

  it("keeps several elements of one name, and prefixes that were declared further up @1.8", async () => {
    const { juliet } = await withJuliet();
    await juliet.sends(
      "<iq type='set' id='1' xmlns:p='a:b'><query xmlns='jabber:iq:private'><p:i n='1'/><p:i n='2'/></query></iq>",
    );
    const answer = await juliet.asks(get("<i xmlns='a:b'/>"));
    expect(
      answer
        .getChild("query")
        ?.getChildren("i", "a:b")
        .map(({ attrs }) => attrs["n"] as string),
    ).toEqual(["1", "2"]);
  });

  it("that was never set comes back empty @1.8", async () => {
    const { juliet } = await withJuliet();
    const answer = await juliet.asks(get("<storage xmlns='storage:bookmarks'/>"));
    expect(answer.getChild("query")?.children.join("")).toBe(`<storage xmlns="storage:bookmarks"/>`);
  });

  it.each([
    ["a set without a child", set(""), "not-acceptable"],
    ["a get without a child", get(""), "not-acceptable"],
    ["a child without a namespace of its own", set("<a/>"), "not-acceptable"],
    ["a get of two", get("<a xmlns='a:a'/><b xmlns='b:b'/>"), "bad-request"],
    ["a get of another's", get("<a xmlns='a:a'/>", "to='romeo@localhost'"), "forbidden"],
    ["a set of another's", set("<a xmlns='a:a'/>", "to='romeo@localhost'"), "forbidden"],
    ["a set of nobody's", set("<a xmlns='a:a'/>", "to='nobody@localhost'"), "forbidden"],
  ])("refuses %s @1.8", async (_, request, condition) => {
    const { juliet } = await withJuliet();
    expect(conditionOf(await juliet.asks(request))).toBe(condition);
  });

  it("is refused above the limit of the account, also after a restart; replacing does not add up @1.8 @limit.private_bytes", async () => {
    const config = "[limits]\nprivate_bytes = 300";
    const { world, juliet } = await withJuliet(config);
    const document = (name: string) => set(`<${name} xmlns='a:a'>${"x".repeat(100)}</${name}>`);
    for (let n = 0; n < 3; n++) expect((await juliet.asks(document("a"))).attrs["type"]).toBe("result");
    expect(conditionOf(await juliet.asks(document("b")))).toBe("resource-constraint");
    const again = await World.open(features, { disk: world.disk, config });
    const later = await again.device("juliet@localhost/balcony");
    expect(conditionOf(await later.asks(document("b")))).toBe("resource-constraint");
  });

  it("counts nothing that the store refused @1.8", async () => {
    const { world, juliet } = await withJuliet("[limits]\nprivate_bytes = 200");
    world.storage.failNext("refused");
    const document = set(`<a xmlns='a:a'>${"x".repeat(100)}</a>`);
    expect(conditionOf(await juliet.asks(document))).toBe("resource-constraint");
    expect((await juliet.asks(document.replace(/<(\/?)a\b/g, "<$1b"))).attrs["type"]).toBe("result");
  });
});
