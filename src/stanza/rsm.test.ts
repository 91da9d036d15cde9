import { describe, expect, it } from "@jest/globals";
import { parseElement } from "../xml/document.js";
import type { Element } from "../xml/element.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { toWire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";
import { attempt } from "./attempt.js";
import { StanzaError } from "./errors.js";
import { pageRequestOf, pageSet, pageSize } from "./rsm.js";

const request = (sets: string): Element => elementOf(parseElement(toWire(`<query>${sets}</query>`), UNLIMITED));
const set = (content: string): Element => request(`<set xmlns='${NS.rsm}'>${content}</set>`);

describe("a request for a page", () => {
  it.each([
    ["", {}],
    ["<max>10</max>", { max: 10 }],
    ["<max> 0 </max>", { max: 0 }],
    ["<max>+7</max>", { max: 7 }],
    ["<max>1000000000</max>", { max: 1_000_000_000 }],
    ["<max>99999999999999999999999</max>", { max: Number.MAX_SAFE_INTEGER }],
    ["<after>a &amp; b</after><max>1</max>", { after: "a & b", max: 1 }],
    ["<before/>", { before: "" }],
    ["<before>x</before><after>y</after>", { before: "x", after: "y" }],
    ["<index>371</index>", { index: 371 }],
    ["<max xmlns='urn:other'>3</max>", {}],
  ])("is read from <set>%s</set> @2.2", (content, expected) => {
    expect(pageRequestOf(set(content))).toEqual(expected);
  });

  it("asks for nothing in particular without a <set/> @2.2", () => {
    expect(pageRequestOf(request("<set xmlns='urn:other'><max>3</max></set>"))).toEqual({});
  });

  it.each([
    "<max/>",
    "<max>-1</max>",
    "<max>ten</max>",
    "<max>1.5</max>",
    "<max>0x10</max>",
    "<max>1</max><max>2</max>",
  ])("is refused when it is malformed: %s @2.2 @M9", (content) => {
    const read = attempt(() => pageRequestOf(set(content)));
    expect(read instanceof StanzaError && read.condition).toBe("bad-request");
  });

  it("with two sets is refused @2.2", () => {
    const read = attempt(() => pageRequestOf(request(`<set xmlns='${NS.rsm}'/>`.repeat(2))));
    expect(read).toBeInstanceOf(StanzaError);
  });

  it("gets as many items as it wants, up to the cap @2.2 @M9", () => {
    expect([{}, { max: 0 }, { max: 7 }, { max: 1e9 }].map((one) => pageSize(one, 50, 250))).toEqual([50, 0, 7, 250]);
  });
});

describe("the description of a page", () => {
  it.each([
    [{ first: "a", last: "b", index: 2, count: 9 }, "<first index='2'>a</first><last>b</last><count>9</count>"],
    [{ first: "a", last: "a" }, "<first>a</first><last>a</last>"],
    [{ count: 0 }, "<count>0</count>"],
  ])("%j is written as %s @2.2", (info, content) => {
    expect(pageSet(info).toString().replaceAll('"', "'")).toBe(`<set xmlns='${NS.rsm}'>${content}</set>`);
  });
});
