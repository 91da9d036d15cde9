import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { toWire } from "../xml/wire.js";
import { JID, JidError, normalizeLocal } from "./jid.js";

// RFC 7622 §3.5, Table 1: text, localpart, domainpart, resourcepart as they are after enforcement.
const VALID: readonly (readonly [string, string, string, string])[] = [
  ["juliet@example.com", "juliet", "example.com", ""],
  ["juliet@example.com/foo", "juliet", "example.com", "foo"],
  ["juliet@example.com/foo bar", "juliet", "example.com", "foo bar"],
  ["juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"],
  ["foo\\20bar@example.com", "foo\\20bar", "example.com", ""],
  ["fussball@example.com", "fussball", "example.com", ""],
  ["fu\u00dfball@example.com", "fu\u00dfball", "example.com", ""],
  ["\u03c0@example.com", "\u03c0", "example.com", ""],
  ["\u03a3@example.com/foo", "\u03c3", "example.com", "foo"],
  ["\u03c3@example.com/foo", "\u03c3", "example.com", "foo"],
  ["\u03c2@example.com/foo", "\u03c2", "example.com", "foo"],
  ["king@example.com/\u265a", "king", "example.com", "\u265a"],
  ["example.com", "", "example.com", ""],
  ["example.com/foobar", "", "example.com", "foobar"],
  ["a.example.com/b@example.net", "", "a.example.com", "b@example.net"],
];

// RFC 7622 §3.5, Table 2.
const INVALID: readonly (readonly [string, string])[] = [
  ["quotation marks in the localpart", '"juliet"@example.com'],
  ["a space in the localpart", "foo bar@example.com"],
  ["a leading space in the resourcepart", "juliet@example.com/ foo"],
  ["an empty localpart and resourcepart", "@example.com/"],
  ["the Roman numeral four in the localpart", "henry\u2163@example.com"],
  ["a symbol in the localpart", "\u265a@example.com"],
  ["a localpart without a domain", "juliet@"],
  ["a resourcepart without a domain", "/foobar"],
];

describe("JIDs of RFC 7622 §3.5", () => {
  it.each(VALID)("accepts %s @1.6 @R8", (text, local, domain, resource) => {
    const jid = JID.parse(text);
    expect([jid.local, jid.domain, jid.resource]).toEqual([local, domain, resource]);
  });

  it.each(INVALID)("refuses %s @1.6 @R8", (_why, text) => {
    expect(() => JID.parse(text)).toThrow(JidError);
  });
});

describe("one normaliser", () => {
  it.each([
    ["mixed case", "Juliet@Example.COM/Balcony", "juliet@example.com/Balcony"],
    ["a final dot of the domain", "juliet@example.com./foo", "juliet@example.com/foo"],
    ["an A-label", "juliet@xn--fuball-cta.example", "juliet@fu\u00dfball.example"],
    ["an A-label in capitals", "juliet@XN--FUBALL-CTA.example", "juliet@fu\u00dfball.example"],
    ["an ideographic full stop", "juliet@example\u3002com", "juliet@example.com"],
    ["fullwidth letters of a localpart", "\uff2a\uff55liet@example.com", "juliet@example.com"],
    ["a decomposed localpart", "jose\u0301@example.com", "jos\u00e9@example.com"],
    ["a decomposed resource", "j@example.com/e\u0301", "j@example.com/\u00e9"],
    ["a non-ASCII space in a resource", "j@example.com/foo\u00a0bar", "j@example.com/foo bar"],
    ["a capital sigma at the end of a word", "\u0391\u03a3@example.com", "\u03b1\u03c3@example.com"],
    ["an IPv6 literal", "j@[2001:DB8:0:0::1]", "j@[2001:db8::1]"],
    ["an IPv4 literal", "j@192.0.2.1", "j@192.0.2.1"],
  ])("maps %s @1.6 @R8", (_what, text, expected) => {
    expect(JID.parse(text).toString()).toBe(expected);
    expect(JID.parse(expected).toString()).toBe(expected);
  });

  it("keeps apart what only looks alike or folds alike @R8", () => {
    const names = ["fussball", "fu\u00dfball", "\u03c3", "\u03c2", "admin", "\u0430dmin", "istanbul", "\u0131stanbul"];
    expect(new Set(names.map(normalizeLocal)).size).toBe(names.length);
  });

  it.each([
    ["the Kelvin sign", "\u212aing@example.com"],
    ["a ligature", "\ufb01sh@example.com"],
    ["a zero width space", "jul\u200biet@example.com"],
    ["a soft hyphen", "jul\u00adiet@example.com"],
    ["a bidi override", "jul\u202eiet@example.com"],
    ["a zero width joiner between Latin letters", "jul\u200diet@example.com"],
    ["directions mixed", "a\u05d0b@example.com"],
    ["a digit before right-to-left letters", "1\u05d0@example.com"],
    ["a lone surrogate", "\ud800@example.com"],
    ["an unassigned code point", "a\u0378@example.com"],
    ["a private-use code point", "a\ue000@example.com"],
    ["a control character", "a\u0007@example.com"],
    ["a slash in fullwidth form", "a\uff0fb@example.com"],
    ["an at sign in fullwidth form", "a\uff20b@example.com"],
    ["two at signs", "a@b@example.com"],
  ])("refuses %s in the localpart @1.6 @R8", (_what, text) => {
    expect(() => JID.parse(text)).toThrow(JidError);
  });

  it.each([
    ["nothing", "a@/b"],
    ["a lone dot", "a@."],
    ["an empty label", "a@b..c"],
    ["two final dots", "a@example.com.."],
    ["a leading hyphen", "a@-b.c"],
    ["a trailing hyphen", "a@b-.c"],
    ["an underscore", "a@b_c.d"],
    ["a space", "a@b c"],
    ["a percent escape", "a@ex%61mple.com"],
    ["a tab", "a@exam\tple.com"],
    ["a port", "a@example.com:5222"],
    ["a label of 64 characters", `a@${"x".repeat(64)}.com`],
    ["an A-label that decodes to nothing", "a@xn--a.com"],
    ["a short IPv4 form", "a@127.1"],
    ["a hexadecimal IPv4 form", "a@0x7f.0.0.1"],
    ["an IPv4 address out of range", "a@256.0.0.1"],
    ["an IPv4 address in fullwidth digits", "a@\uff11\uff12\uff17.0.0.1"],
    ["a broken IPv6 literal", "a@[::1::2]"],
    ["an IPv6 literal with a zone", "a@[fe80::1%25eth0]"],
    ["a symbol", "a@\u265a.com"],
    ["a label that begins with a mark", "a@\u0301b\u00e9.com"],
    ["directions mixed", "a@a\u05d0.com"],
    ["a question mark in fullwidth form", "a@ex\uff1fample.com"],
  ])("refuses %s in the domainpart @1.6 @R8", (_what, text) => {
    expect(() => JID.parse(text)).toThrow(JidError);
  });

  it("accepts right-to-left names and domains @1.6", () => {
    expect(JID.parse("\u05d0\u05d11@\u05d0\u05d1.example").local).toBe("\u05d0\u05d11");
  });

  it("counts 1023 bytes for each part after normalisation @1.6 @R8", () => {
    const two = "\u00e9".repeat(511);
    const labels = `${"x".repeat(63)}.`.repeat(15);
    for (const text of [
      `${"a".repeat(1023)}@b`,
      `${two}a@b`,
      `a@b/${"c".repeat(1023)}`,
      `a@${labels}${"y".repeat(63)}`,
    ])
      expect(JID.parse(text).toString()).toBe(text);
    for (const text of [
      `${"a".repeat(1024)}@b`,
      `${two}\u00e9@b`,
      `a@b/${"c".repeat(1024)}`,
      `a@${labels}${"y".repeat(61)}.zz`,
    ])
      expect(() => JID.parse(text)).toThrow("1023");
    expect(JID.parse(`a@b/${"e\u0301".repeat(511)}`).resource).toBe(two);
  });

  it("is idempotent: a normalised address normalises to itself @1.6 @R8", () => {
    const unit = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.string());
    fc.assert(
      fc.property(unit, unit, unit, (local, domain, resource) => {
        const jid = attempt(`${local}@${domain}.example/${resource}`) ?? attempt(`${local}@example/${resource}`);
        if (jid === undefined) return;
        const again = JID.parse(jid.toString());
        expect([again.local, again.domain, again.resource]).toEqual([jid.local, jid.domain, jid.resource]);
        expect(JID.parseWire(jid.wire)?.toString()).toBe(jid.toString());
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a JID", () => {
  it("knows its bare form, and itself when bare @1.6", () => {
    const full = JID.parse("a@b/c");
    expect(full.isBare).toBe(false);
    expect(full.bare.toString()).toBe("a@b");
    expect(full.bare.bare).toBe(full.bare);
    expect(full.withResource("d").bare).toBe(full.bare);
  });

  it("is equal by its normalised text @1.6", () => {
    expect(JID.parse("A@B/c").equals(JID.of("a", "b", "c"))).toBe(true);
    expect(JID.parse("a@b/c").equals(JID.parse("a@b/C"))).toBe(false);
  });

  it("refuses an empty or malformed new resource @1.6", () => {
    for (const resource of ["", " x", "\u0000", "x".repeat(1024)])
      expect(() => JID.parse("a@b").withResource(resource)).toThrow(JidError);
  });

  it("reads raw attribute values and writes them escaped @1.6", () => {
    const raw = toWire("A@b/x&amp;\u265a&lt;");
    const jid = JID.parseWire(raw);
    expect(jid?.resource).toBe("x&\u265a<");
    expect(jid && JID.parseWire(jid.wire)?.equals(jid)).toBe(true);
  });

  it("answers the same raw value from the cache, malformed ones too @1.6", () => {
    expect(JID.parseWire(toWire("romeo@example.net/orchard"))).toBe(JID.parseWire(toWire("romeo@example.net/orchard")));
    expect(JID.parseWire(toWire("romeo@"))).toBeUndefined();
    expect(JID.parseWire(toWire("romeo@"))).toBeUndefined();
  });
});

function attempt(text: string): JID | undefined {
  try {
    return JID.parse(text);
  } catch {
    return undefined;
  }
}
