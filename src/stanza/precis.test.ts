import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { nickname, nicknameKey, opaqueString, PrecisError, usernameCaseMapped } from "./precis.js";

describe("UsernameCaseMapped, RFC 8265 §3.5", () => {
  it.each([
    ["juliet@example.com", "juliet@example.com"],
    ["fussball", "fussball"],
    ["fu\u00dfball", "fu\u00dfball"],
    ["\u03c0", "\u03c0"],
    ["\u03a3", "\u03c3"],
    ["\u03c3", "\u03c3"],
    ["\u03c2", "\u03c2"],
  ])("accepts %s @1.6 @R8", (text, expected) => {
    expect(usernameCaseMapped(text)).toBe(expected);
  });

  it.each([
    ["a space", "foo bar"],
    ["nothing", ""],
    ["the Roman numeral four", "henry\u2163"],
    ["infinity", "\u221e"],
    ["a symbol", "\u265a"],
  ])("refuses %s @1.6 @R8", (_what, text) => {
    expect(() => usernameCaseMapped(text)).toThrow(PrecisError);
  });

  it("maps the dotted capital I as Unicode does, whatever the locale, and keeps the dotless one @1.6 @R8", () => {
    expect(usernameCaseMapped("\u0130stanbul")).toBe("i\u0307stanbul");
    expect(usernameCaseMapped("\u0131stanbul")).toBe("\u0131stanbul");
    expect(usernameCaseMapped("ISTANBUL")).toBe("istanbul");
  });
});

describe("contextual rules, RFC 5892 Appendix A", () => {
  it.each([
    ["a middle dot between two l", "l\u00b7l"],
    ["a zero width joiner after a virama", "\u0915\u094d\u200d\u0937"],
    ["a zero width non-joiner after a virama", "\u0915\u094d\u200c\u0937"],
    ["a zero width non-joiner where letters would join", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc"],
    ["the same with a mark in between", "\u0647\u064e\u200c\u0627"],
    ["a Greek numeral sign before Greek", "\u0375\u03b1"],
    ["a Hebrew geresh after Hebrew", "\u05d0\u05f3"],
    ["a Katakana middle dot with Katakana", "\u30a2\u30fb\u30a2"],
    ["Arabic-Indic digits alone", "\u0628\u0661\u0662"],
  ])("allow %s @1.6", (_what, text) => {
    expect(usernameCaseMapped(text)).toBe(text.normalize("NFC"));
  });

  it.each([
    ["a middle dot elsewhere", "a\u00b7l"],
    ["a zero width joiner after a letter", "\u0915\u200d\u0937"],
    ["a zero width non-joiner after a letter that does not join", "\u0627\u200c\u0628"],
    ["a zero width non-joiner at the end", "\u0628\u200c"],
    ["a zero width non-joiner alone", "\u200c"],
    ["a Greek numeral sign before Latin", "\u0375a"],
    ["a Hebrew geresh first", "\u05f3\u05d0"],
    ["a Katakana middle dot among Latin", "a\u30fba"],
    ["both kinds of Arabic digits", "\u0628\u0661\u06f2"],
    ["a tatweel", "\u0628\u0640\u0628"],
    ["old Hangul jamo", "\u1100\u1161\u11a8\u1160"],
  ])("refuse %s @1.6 @R8", (_what, text) => {
    expect(() => usernameCaseMapped(text)).toThrow(PrecisError);
  });
});

describe("OpaqueString, RFC 8265 §4.3", () => {
  it.each([
    ["correct horse battery staple", "correct horse battery staple"],
    ["Correct Horse Battery Staple", "Correct Horse Battery Staple"],
    ["\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"],
    ["Jack of \u2666s", "Jack of \u2666s"],
    ["foo\u1680bar", "foo bar"],
  ])("accepts %s @1.6", (text, expected) => {
    expect(opaqueString(text)).toBe(expected);
  });

  it.each([
    ["nothing", ""],
    ["a control character", "my cat is a \u0009by"],
  ])("refuses %s @1.6", (_what, text) => {
    expect(() => opaqueString(text)).toThrow(PrecisError);
  });
});

describe("Nickname, RFC 8266 §3", () => {
  it.each([
    ["Foo", "Foo", "foo"],
    ["foo", "foo", "foo"],
    ["Foo Bar", "Foo Bar", "foo bar"],
    ["foo bar", "foo bar", "foo bar"],
    ["\u03a3", "\u03a3", "\u03c3"],
    ["\u03c3", "\u03c3", "\u03c3"],
    ["\u03c2", "\u03c2", "\u03c2"],
    ["\u265a", "\u265a", "\u265a"],
    ["Richard \u2163", "Richard IV", "richard iv"],
    ["  Foo \u3000 Bar ", "Foo Bar", "foo bar"],
  ])("shows %j as %j and compares it as %j @1.6 @R8", (text, shown, key) => {
    expect(nickname(text)).toBe(shown);
    expect(nicknameKey(text)).toBe(key);
  });

  it.each([
    ["nothing", ""],
    ["spaces only", " \u00a0 "],
    ["a control character", "a\u0000"],
  ])("refuses %s @1.6", (_what, text) => {
    expect(() => nickname(text)).toThrow(PrecisError);
    expect(() => nicknameKey(text)).toThrow(PrecisError);
  });
});

describe("every profile", () => {
  it.each([
    ["UsernameCaseMapped", usernameCaseMapped],
    ["OpaqueString", opaqueString],
    ["Nickname", nickname],
    ["Nickname comparison", nicknameKey],
  ])("%s is idempotent @1.6 @R8", (_name, profile) => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })), (text) => {
        const once = attempt(profile, text);
        if (once !== undefined) expect(profile(once)).toBe(once);
      }),
      { numRuns: 1000 },
    );
  });
});

function attempt(profile: (text: string) => string, text: string): string | undefined {
  try {
    return profile(text);
  } catch {
    return undefined;
  }
}
