import { describe, expect, it } from "@jest/globals";
import { parseFragments, type Tree } from "../xml.js";
import { match, patternOf } from "./pattern.js";
import { fill, pieces, unescapeBytes } from "./template.js";

const VALUES = new Map([["romeo", "romeo@a/orchard"]]);

describe("an expected element", () => {
  it.each([
    ["<message/>", "<message/>"],
    ["<message/>", "<message id='1'>\n</message>"],
    ["<message from='{romeo}'/>", "<message from='romeo@a/orchard'/>"],
    ["<message from='{any}'/>", "<message from='x'/>"],
    ["<message>…</message>", "<message><body/><x xmlns='y'/></message>"],
    ["<message><body>hi</body>…</message>", "<message><x xmlns='y'/><body>hi</body></message>"],
    ["<message><body>h…</body></message>", "<message><body>hi</body></message>"],
    ["<message><b/><a/></message>", "<message><a/><b/></message>"],
    ["<m>{no x}</m>", "<m><y/></m>"],
    ["<m>{no x urn:x}</m>", "<m><x/></m>"],
    ["<m id='{/\\d{2}/}'/>", "<m id='42'/>"],
    ["<m id='{!romeo}'/>", "<m id='juliet'/>"],
    ["<m id='{none}'/>", "<m/>"],
    ["<m>{base64 a}</m>", "<m>YQ==</m>"],
    ["<m>a.b</m>", "<m>a.b</m>"],
    ["<x:m xmlns:x='jabber:client'/>", "<m/>"],
    ["<m><_ is='{/a|b/}'/></m>", "<m><b/></m>"],
    ["<_ xmlns='*'>…</_>", "<m xmlns='urn:m'><b/></m>"],
  ])("%s is met by %s", (wanted, arrived) => {
    expect(match(patternOf(one(wanted)), one(arrived), VALUES)).toHaveProperty("captured");
  });

  it.each([
    ["<message/>", "<presence/>", "it is <presence>, not <message>"],
    ["<message/>", "<message xmlns='jabber:server'/>", "in namespace 'jabber:server'"],
    ["<message id='1'/>", "<message/>", "has no attribute id"],
    ["<message id='1'/>", "<message id='2'/>", "attribute id of <message> is '2', expected '1'"],
    ["<message/>", "<message><body>hi</body></message>", "<message> also holds <body>hi</body>"],
    ["<message/>", "<message>hi</message>", "holds the text 'hi'"],
    [
      "<message><body>hi</body></message>",
      "<message><body>ho</body></message>",
      "the text of <body> is 'ho', expected 'hi'",
    ],
    ["<message><body/></message>", "<message/>", "<message> holds no <body xmlns='jabber:client'>"],
    ["<m><a/><a/></m>", "<m><a/></m>", "<m> holds no <a"],
    ["<m>{no x}</m>", "<m><x/></m>", "<m> holds <x>, which must not be there"],
    ["<m id='{none}'/>", "<m id='1'/>", "must not be there"],
    ["<m id='{!romeo}'/>", "<m id='romeo@a/orchard'/>", "expected 'anything but romeo@a/orchard'"],
    ["<m>a.b</m>", "<m>aXb</m>", "the text of <m>"],
    ["<m><_ is='{/a|b/}'/></m>", "<m><c/></m>", "<m> holds no <_"],
  ])("%s is not met by %s", (wanted, arrived, because) => {
    const result = match(patternOf(one(wanted)), one(arrived), VALUES);
    expect("because" in result ? result.because : "it matches").toContain(because);
  });

  it("captures what it names, and the name holds at once", () => {
    const result = match(
      patternOf(one("<m id='{x=…}'><a>{x}</a><b>{y=/\\d+/}s</b></m>")),
      one("<m id='7'><a>7</a><b>12s</b></m>"),
      VALUES,
    );
    expect(result).toEqual({
      captured: new Map([
        ["x", "7"],
        ["y", "12"],
      ]),
    });
  });

  it("captures nothing from a child that did not match", () => {
    const result = match(
      patternOf(one("<m><a id='{x=…}'><b/></a>…</m>")),
      one("<m><a id='1'/><a id='2'><b/></a></m>"),
      VALUES,
    );
    expect(result).toEqual({ captured: new Map([["x", "2"]]) });
  });
});

describe("a text to send", () => {
  it("has its values escaped and its functions applied", () => {
    const values = new Map([["name", "<&>"]]);
    expect(fill(pieces("a {name} {repeat 3 x}{base64 \\0{name}}"), values, () => "escaped")).toBe(
      "a escaped xxxADwmPg==",
    );
  });

  it("may not hold what only an expectation can", () => {
    expect(() => fill(pieces("{any}"), VALUES)).toThrow("what is sent may not hold");
  });

  it("may name bytes", () => {
    expect(unescapeBytes("\\x00\\xff\\n\\\\")).toBe("\0\xff\n\\");
  });
});

function one(xml: string): Tree {
  const [tree] = parseFragments(xml);
  if (!tree) throw new Error(`no element: ${xml}`);
  return tree;
}
