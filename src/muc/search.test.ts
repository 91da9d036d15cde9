import { describe, expect, it } from "@jest/globals";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { conditionOf } from "../xeps/world.test.kit.js";
import { asked, fieldsIn, infoOf } from "./asking.test.kit.js";
import { coven, type CovenOptions, type Witch } from "./coven.test.kit.js";

const SERVICE = "conference.localhost";
const SEARCH = "urn:xmpp:channel-search:0:search";
const BY_ADDRESS = "{urn:xmpp:channel-search:0:order}address";
const ROOMS = {
  cave: { roomname: "A Dark Cave", roomdesc: "deep below", lang: "en" },
  heath: { roomname: "The Heath", roomdesc: "in the dark" },
  moor: { roomname: "The Moor", whois: "anyone", membersonly: "1" },
  tower: { roomname: "The Dark Tower", publicroom: "0" },
};

type Fields = Readonly<Record<string, string>>;

const fieldsOf = (fields: Fields, type: string) =>
  `<x xmlns='${NS.dataForms}' type='submit'>${Object.entries({ FORM_TYPE: type, ...fields })
    .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    .join("")}</x>`;

/** Rooms by their first names, with settings; crone is in all of them, hag in the heath. */
async function land(options: CovenOptions = {}) {
  const all = await coven(options);
  for (const [name, settings] of Object.entries(ROOMS)) {
    await all.crone.sends(`<presence to='${name}@${SERVICE}/crone'><x xmlns='${NS.muc}'/></presence>`);
    const fields = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`muc#roomconfig_${key}`, value]));
    const form = `<query xmlns='${NS.mucOwner}'>${fieldsOf(fields, NS.mucRoomConfig)}</query>`;
    await asked(all.crone, "set", form, `${name}@${SERVICE}`);
  }
  await all.hag.sends(`<presence to='heath@${SERVICE}/hag'><x xmlns='${NS.muc}'/></presence>`);
  return all;
}

const answerTo = (witch: Witch, fields: Fields, set = "") =>
  asked(witch, "get", `<search xmlns='${SEARCH}'>${set}${fieldsOf(fields, `${SEARCH}-params`)}</search>`, SERVICE);

const itemsOf = (answer: Element): readonly Element[] => answer.getChild("result", SEARCH)?.getChildren("item") ?? [];
const namesOf = (answer: Element) => itemsOf(answer).map(({ attrs }) => String(attrs["address"]).split("@")[0]);

/** The rooms that are found, by their first names; or the condition and what it is about. */
async function found(witch: Witch, fields: Fields, set = "") {
  const answer = await answerTo(witch, fields, set);
  const error = answer.getChild("error");
  return error ? [conditionOf(answer), error.getChildElements().at(-1)?.getName()] : namesOf(answer);
}

const page = (inside: string) => `<set xmlns='${NS.rsm}'>${inside}</set>`;

describe("a search for rooms", () => {
  it("is one at a time of an account, as each may look at many rooms @3.4 @3.5 @M11", async () => {
    const { hag, wicca, settle } = await land();
    const all = `<search xmlns='${SEARCH}'>${fieldsOf({ all: "true" }, `${SEARCH}-params`)}</search>`;
    const asks = (witch: Witch) => witch.device.sendsNow(`<iq type='get' id='s' to='${SERVICE}'>${all}</iq>`);
    for (const witch of [hag, wicca]) witch.forget();
    for (const witch of [hag, hag, wicca]) asks(witch);
    await settle();
    expect([[...hag.hears()].sort(), wicca.hears()]).toEqual([["error resource-constraint", "result s"], ["result s"]]);
    await hag.sends(`<iq type='get' id='again' to='${SERVICE}'>${all}</iq>`);
    expect(hag.hears()).toEqual(["result again"]);
  });

  it("is offered by the service with a form @3.4", async () => {
    const { hag } = await coven();
    expect((await infoOf(hag, SERVICE)).features).toContain(SEARCH);
    const answer = await asked(hag, "get", `<search xmlns='${SEARCH}'/>`, SERVICE);
    const fields = fieldsIn(answer.getChild("search", SEARCH)?.getChild("x", NS.dataForms));
    expect(Object.keys(fields)).toEqual([
      ...["FORM_TYPE", "q", "all", "sinname", "sindescription", "sinaddress", "types", "key"],
    ]);
    expect([fields["sinname"], fields["types"]]).toEqual([["true"], ["xep-0045"]]);
  });

  it("finds public rooms in which all words are, in the places that were asked for @3.4", async () => {
    const { hag } = await land();
    expect(await found(hag, { q: "DARK" })).toEqual(["heath", "cave"]);
    expect(await found(hag, { q: "dark deep" })).toEqual(["cave"]);
    expect(await found(hag, { q: "dark", sindescription: "false" })).toEqual(["cave"]);
    expect(await found(hag, { q: "dark", sinname: "0" })).toEqual(["heath"]);
    expect(await found(hag, { q: "moor", sinname: "0" })).toEqual(["moor"]);
    expect(await found(hag, { q: "moor", sinname: "0", sinaddress: "0" })).toEqual([]);
    expect(await found(hag, { q: "nothing" })).toEqual([]);
    expect(await found(hag, { q: "dark", types: "xep-0369" })).toEqual([]);
  });

  it("says of each room what strangers may know @3.4", async () => {
    const { hag } = await land();
    const told = itemsOf(await answerTo(hag, { all: "1", key: BY_ADDRESS })).map((item) =>
      Object.fromEntries(item.getChildElements().map((child) => [child.getName(), child.text()])),
    );
    const heath = { "service-type": "xep-0045", "is-open": "true", "anonymity-mode": "muc_semianonymous" };
    expect(told).toEqual([
      { ...heath, name: "A Dark Cave", description: "deep below", language: "en", nusers: "1" },
      { ...heath, name: "The Heath", description: "in the dark", nusers: "2" },
      {
        ...heath,
        name: "The Moor",
        nusers: "1",
        "is-open": "false",
        "anonymity-mode": "{urn:xmpp:channel-search:0:anonymity}none",
      },
    ]);
  });

  it("comes in pages, by address or by the number of users @3.4", async () => {
    const { hag } = await land();
    const last = (answer: Element) => answer.getChild("result", SEARCH)?.getChild("set")?.getChildText("last");
    for (const [key, all] of [
      [BY_ADDRESS, ["cave", "heath", "moor"]],
      ["{urn:xmpp:channel-search:0:order}nusers", ["heath", "cave", "moor"]],
    ] as const) {
      const first = await answerTo(hag, { all: "1", key }, page("<max>2</max>"));
      expect(namesOf(first)).toEqual(all.slice(0, 2));
      const after = `<max>2</max><after>${last(first)}</after>`;
      expect(await found(hag, { all: "1", key }, page(after))).toEqual(all.slice(2));
    }
    const gone = page("<after>gone@conference.localhost</after>");
    expect(await found(hag, { all: "1" }, gone)).toEqual(["item-not-found", "item-not-found"]);
  });

  it("looks at no more rooms than it may, the first by address; a page further on looks at more @3.4 @3.5 @limit.rooms_searched", async () => {
    const { hag } = await land({ config: "[limits]\nrooms_searched = 2" });
    expect(await found(hag, { all: "1" })).toEqual(["heath", "cave"]);
    expect(await found(hag, { q: "moor" })).toEqual([]);
    expect(await found(hag, { all: "1", key: BY_ADDRESS })).toEqual(["cave", "heath"]);
    const after = page(`<after>heath@${SERVICE}</after>`);
    expect(await found(hag, { all: "1", key: BY_ADDRESS }, after)).toEqual(["moor"]);
  });

  it("that cannot be is refused, with what is wrong with it @3.4", async () => {
    const { hag } = await coven();
    expect(await found(hag, {})).toEqual(["bad-request", "no-search-conditions"]);
    expect(await found(hag, { all: "1", q: "x" })).toEqual(["bad-request", "conflicting-fields"]);
    expect(await found(hag, { q: " " })).toEqual(["bad-request", "invalid-search-terms"]);
    expect(await found(hag, { q: "a b c d e f g h i" })).toEqual(["bad-request", "invalid-search-terms"]);
    expect(await found(hag, { q: "x".repeat(257) })).toEqual(["bad-request", "invalid-search-terms"]);
    expect(await found(hag, { q: "x", key: "size" })).toEqual(["feature-not-implemented", "invalid-sort-key"]);
    expect((await found(hag, { q: "x" }, page("<before/>")))[0]).toBe("feature-not-implemented");
  });
});
