import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseElement } from "./document.js";
import { xml } from "./element.js";
import { escapeAttribute, escapeText, unescape, unescapeText } from "./escape.js";
import { UNLIMITED } from "./limits.js";
import { elementToWire } from "./serialize.js";
import { fromWire, toWire } from "./wire.js";
import { elementOf } from "./tree.js";

describe("escaping", () => {
  it.each([
    ["a<b>&\"'", "a&lt;b&gt;&amp;&quot;&apos;", "a&lt;b&gt;&amp;\"'"],
    ["\t\n\r", "&#9;&#10;&#13;", "\t\n&#13;"],
    ["]]>", "]]&gt;", "]]&gt;"],
    ["\u0000\u0001\uFFFE\uFFFF\uD800", "\uFFFD".repeat(5), "\uFFFD".repeat(5)],
    ["é🐦", "é🐦", "é🐦"],
  ])("of %j is the same for both kinds of quotes, and always well-formed @X7 @X8", (text, attribute, content) => {
    expect(fromWire(escapeAttribute(text))).toBe(attribute);
    expect(fromWire(escapeText(text))).toBe(content);
  });

  it("comes back as it was @X8", () => {
    const text = fc
      .string({ unit: "grapheme" })
      .filter((value) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(value));
    fc.assert(
      fc.property(text, (value) => {
        expect(unescape(escapeAttribute(value))).toBe(value);
        expect(unescapeText(escapeText(value))).toBe(value);
        const element = elementOf(parseElement(elementToWire(xml("a", { b: value }, value)), UNLIMITED));
        expect([element.attrs["b"], element.getText()]).toEqual([value, value]);
      }),
      { seed: 8, numRuns: 500 },
    );
  });

  it("of raw values follows XML: white space in attributes, line ends in text", () => {
    expect(unescape(toWire("a\tb\r\nc\rd&#10;e&amp;lt;"))).toBe("a b c d\ne&lt;");
    expect(unescapeText(toWire("a\tb\r\nc\rd&#13;e"))).toBe("a\tb\nc\nd\re");
  });
});

describe("writing a tree", () => {
  it("leaves a namespace out where the place already has it", () => {
    const tree = xml(
      "query",
      { xmlns: "urn:q" },
      xml("item", { xmlns: "urn:q", a: 1, b: undefined }),
      xml("x", { xmlns: "" }),
      "5",
    );
    expect(elementToWire(tree)).toBe("<query xmlns='urn:q'><item a='1'/><x xmlns=''/>5</query>");
    expect(elementToWire(tree, "urn:q")).toBe("<query><item a='1'/><x xmlns=''/>5</query>");
  });
});

describe("the tree of a fragment", () => {
  it("takes xmlns='' for no namespace, and __proto__ for a name like any other @X8 @H9", () => {
    const element = elementOf(
      parseElement(toWire("<a xmlns='urn:a' __proto__='x'><b xmlns=''><c/></b></a>"), UNLIMITED),
    );
    expect(element.getChild("b", "urn:a")).toBeUndefined();
    expect(element.getChild("b")?.getChild("c")?.getNS()).toBe("");
    expect(Object.getPrototypeOf(element.attrs)).toBe(Object.prototype);
    expect(elementToWire(element)).toContain("__proto__='x'");
  });
});
