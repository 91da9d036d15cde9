import { describe, expect, it } from "@jest/globals";
import { attempt } from "../../stanza/attempt.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID } from "../../stanza/jid.js";
import { type Asked, idAt, JULIET, queryElement, START } from "./archive.test.kit.js";
import { type ArchiveKind, queryForm, queryOf } from "./query.js";

const ROOM: ArchiveKind = { owner: JID.parse("room@muc.localhost"), of: "room" };

const read = (asked: Asked, kind = JULIET) => attempt(() => queryOf(queryElement(asked), kind));
const conditionOf = (asked: Asked, kind?: ArchiveKind) => {
  const result = read(asked, kind);
  return result instanceof StanzaError ? result.condition : "";
};

describe("a query", () => {
  it("without anything asks for the first page of all that is shown @2.2", () => {
    expect(read({})).toEqual({
      filter: { shown: true },
      anchors: [],
      limit: 100,
      after: undefined,
      before: undefined,
      newestFirst: false,
      flipped: false,
      queryId: undefined,
    });
  });

  it.each([
    [{ with: "Romeo@A" }, { with: "romeo@a" }],
    [{ with: "romeo@a/Garden" }, { with: "romeo@a", resource: "Garden" }],
    [{ with: "juliet@localhost/balcony" }, { with: "juliet@localhost" }],
    [{ with: "localhost" }, { with: "localhost" }],
    [{ start: "2030-01-01T00:00:00.0011Z" }, { after: idAt(2) - 1 }],
    [{ end: "2030-01-01T00:00:00.0019Z" }, { before: idAt(2) }],
    [{ start: "1969-01-01T00:00:00Z", end: "9999-01-01T00:00:00Z" }, {}],
    [{ withtext: "Rose" }, { text: "Rose" }],
    [{ "{urn:xmpp:fulltext:0}fulltext": "any other name", withtext: "rose" }, { text: "any other name rose" }],
    [{ "{urn:xmpp:fulltext:0}fulltext": "" }, {}],
    [{ with: [], start: [], ids: [] }, {}],
    [{ "include-groupchat": "true" }, {}],
    [{ "include-groupchat": "0" }, {}],
  ])("with the fields %j means entries %j @2.2", (fields, filter) => {
    expect(read({ fields })).toMatchObject({ filter: { shown: true, ...filter } });
    expect(Object.keys((read({ fields }) as { filter: object }).filter).length).toBe(1 + Object.keys(filter).length);
  });

  it("of a room means the occupant by an address with a resource @2.2", () => {
    expect(read({ fields: { with: "room@muc.localhost/thirdwitch" } }, ROOM)).toMatchObject({
      filter: { with: "room@muc.localhost", resource: "thirdwitch" },
    });
    expect(conditionOf({ fields: { "include-groupchat": "true" } }, ROOM)).toBe("feature-not-implemented");
  });

  it.each([
    ["an unknown field", { fields: { colour: "red" } }, "feature-not-implemented"],
    ["a field of XEP-0004 that only looks known", { fields: { Start: "x" } }, "feature-not-implemented"],
    ["an address that is none", { fields: { with: "@@" } }, "not-acceptable"],
    ["two addresses", { fields: { with: ["a@b", "c@d"] } }, "not-acceptable"],
    ["a date that is none", { fields: { start: "yesterday" } }, "not-acceptable"],
    ["a day that does not exist", { fields: { end: "2030-02-30T00:00:00Z" } }, "not-acceptable"],
    ["neither true nor false", { fields: { "include-groupchat": "maybe" } }, "not-acceptable"],
    ["an id that is none", { fields: { "after-id": "x" } }, "item-not-found"],
    ["an id beyond all numbers", { fields: { "before-id": "zzzzzzzzzzz" } }, "item-not-found"],
    ["an empty id among others", { fields: { ids: ["", "x"] } }, "item-not-found"],
    ["too many ids", { fields: { ids: Array.from({ length: 1001 }, () => "0") } }, "not-acceptable"],
    ["too long a text", { fields: { withtext: "x".repeat(257) } }, "not-acceptable"],
    ["a form of another kind", { fields: { FORM_TYPE: "urn:xmpp:mam:1" } }, "bad-request"],
    ["a page by index", { set: "<index>3</index>" }, "feature-not-implemented"],
    ["a negative page", { set: "<max>-1</max>" }, "bad-request"],
    ["a node", { attributes: "node='urn:xmpp:microblog:0'" }, "feature-not-implemented"],
    ["too long a queryid", { attributes: `queryid='${"q".repeat(257)}'` }, "bad-request"],
    ["an unknown order", { more: "<order xmlns='urn:xmpp:order-by:1' by='size'/>" }, "feature-not-implemented"],
    ["an order by nothing", { more: "<order xmlns='urn:xmpp:order-by:1'/>" }, "bad-request"],
    [
      "an order of no direction",
      { more: "<order xmlns='urn:xmpp:order-by:1' by='creation' desc='up'/>" },
      "bad-request",
    ],
    ["too many orders", { more: "<order xmlns='urn:xmpp:order-by:1' by='creation'/>".repeat(9) }, "bad-request"],
  ])("with %s is refused @2.2 @M9", (_, asked: Asked, condition) => {
    expect(conditionOf(asked)).toBe(condition);
  });

  it.each([
    ["<order xmlns='urn:xmpp:order-by:1' by='creation'/>", false],
    ["<order xmlns='urn:xmpp:order-by:1' by='modification' desc='1'/>", true],
    [
      "<order xmlns='urn:xmpp:order-by:1' by='creation' desc='false'/><order xmlns='urn:xmpp:order-by:1' by='modification' desc='true'/>",
      false,
    ],
  ])("in the order %s has the newest first: %s @2.2", (more, newestFirst) => {
    expect(read({ more })).toMatchObject({ newestFirst });
  });

  it("keeps its id, and may have its page flipped @2.2", () => {
    expect(read({ attributes: "queryid='f 27'", more: "<flip-page/>" })).toMatchObject({
      queryId: "f 27",
      flipped: true,
    });
  });

  it("knows no time before the start or after the end of ids @2.2", () => {
    expect(read({ fields: { start: new Date(START).toISOString() } })).toMatchObject({
      filter: { after: idAt(0) - 1 },
    });
  });
});

describe("the form for queries", () => {
  it("has the mandatory fields, none of them required, and a list of ids that is open @2.2", () => {
    const x = queryForm(JULIET).getChild("x");
    const fields = Object.fromEntries(
      x?.getChildren("field").map(({ attrs }) => [String(attrs["var"]), String(attrs["type"])]) ?? [],
    );
    expect(fields).toMatchObject({
      FORM_TYPE: "hidden",
      with: "jid-single",
      start: "text-single",
      end: "text-single",
      "before-id": "text-single",
      "after-id": "text-single",
      ids: "list-multi",
      "include-groupchat": "boolean",
      "{urn:xmpp:fulltext:0}fulltext": "text-single",
    });
    expect(x?.toString()).toContain(
      `<validate xmlns="http://jabber.org/protocol/xdata-validate" datatype="xs:string"><open/></validate>`,
    );
    expect(x?.toString()).not.toContain("required");
  });
});
