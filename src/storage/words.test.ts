import { describe, expect, it } from "@jest/globals";
import { escapeText } from "../xml/escape.js";
import { toWire, w } from "../xml/wire.js";
import { wordsAsked, wordsIn } from "./words.js";

const said = (text: string) => wordsIn(w`<message xmlns='jabber:client'><body>${escapeText(text)}</body></message>`);

describe("the words of a stanza", () => {
  it.each<[string, readonly string[]]>([
    ["Hello, hello WORLD!", ["hello", "world"]],
    ["don't re-read 3.14", ["don", "t", "re", "read", "3", "14"]],
    ["ＦＵＬＬ ﬁne Straße ÉTÉ e\u0301te\u0301", ["full", "fine", "straße", "été"]],
    ["<b>&amp;</b>", ["b", "amp"]],
    ["天気は", ["天", "気", "は", "天気", "気は"]],
    ["node22をuse", ["node22", "を", "use"]],
    ["カー", ["カ", "ー", "カー"]],
    ["नमस्ते दुनिया", ["नमस्ते", "दुनिया"]],
    ["🐦 — …", []],
  ])("of %j are %j @2.2", (text, words) => {
    expect(said(text)).toEqual(words);
  });

  it("come from CDATA and references too, and not from markup @2.2", () => {
    const stanza = toWire(
      "<message xmlns='jabber:client'><body><![CDATA[one<two>]]> &#x41;bc</body><x>no</x></message>",
    );
    expect(wordsIn(stanza)).toEqual(["one", "two", "abc"]);
  });

  it.each(["", "<message", "night", "<message><body></message>"])("%j has none: it is no stanza @M9", (text) => {
    expect(wordsIn(toWire(text))).toEqual([]);
  });

  it("are bounded in number and length, and never cut within a character @M9", () => {
    expect(said(Array.from({ length: 9000 }, (_, n) => `w${n}`).join(" "))).toHaveLength(1000);
    expect(said("天気予報".repeat(2000)).length).toBeLessThanOrEqual(1000);
    expect(said("x".repeat(100_000))).toEqual(["x".repeat(40)]);
    expect(said("𝔵".repeat(10) + "x" + "𐐨".repeat(50))).toEqual([`${"x".repeat(11)}${"𐐨".repeat(14)}`]);
  });
});

describe("the words a search asks for", () => {
  it.each<[string, readonly string[]]>([
    ["Hello hello", ["hello"]],
    ["天気予報", ["天気", "気予", "予報"]],
    ["天", ["天"]],
    ['"a* OR (b:c)"', ["a", "or", "b", "c"]],
    ["", []],
  ])("%j asks for %j @2.2", (text, words) => {
    expect(wordsAsked(text)).toEqual(words);
  });

  it("are bounded, and a word that the limit would cut is left out @M9", () => {
    expect(wordsAsked(Array.from({ length: 99 }, (_, n) => `w${n}`).join(" "))).toHaveLength(16);
    expect(wordsAsked("night ".repeat(1000))).toEqual(["night"]);
    expect(wordsAsked("天気予報".repeat(1000)).length).toBeLessThanOrEqual(16);
    expect(wordsAsked("x".repeat(1_000_000))).toEqual(["x".repeat(40)]);
  });

  it("are all in a stanza that has the text itself @2.2", () => {
    for (const text of ["The quick brown fox", "今天天气很好 and more", "ミーティングは明日です", "x".repeat(60)])
      expect(said(text)).toEqual(expect.arrayContaining([...wordsAsked(text)]));
  });
});
