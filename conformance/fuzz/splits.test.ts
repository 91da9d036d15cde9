import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { AFTER_LOGIN } from "#rookery/xml/limits.js";
import { bytesOf } from "#rookery/xml/wire.js";
import { amounts } from "./amounts.js";
import { BEGINNINGS, REFUSED, REFUSED_BYTES, STANZAS, STREAM_HEAD } from "./corpus.js";
import { outcome, record } from "./record.js";

const HEAD = bytesOf(STREAM_HEAD);
const END = Buffer.from("</stream:stream>");

function stream(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([HEAD, ...parts.map((part) => Buffer.from(part as string))]);
}

function expectSameForEverySplit(bytes: Buffer): void {
  const whole = outcome(bytes, []);
  const expected = whole.join("\n");
  const places = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
  expect(places.filter((cut) => outcome(bytes, [cut]).join("\n") !== expected)).toEqual([]);
  expect(outcome(bytes, places)).toEqual(whole);
}

describe("a document in pieces", () => {
  it.each(STANZAS)("gives the same stanza for every split point: %j @1.2 @X10", (stanza) => {
    const { events, condition } = record(stream(stanza, END), []);
    expect([condition, events.length]).toEqual([undefined, 3]);
    expectSameForEverySplit(stream(stanza, " ", END));
  });

  it.each(REFUSED)("is refused for every split point: %j with %s @1.2 @X2 @X7 @X9 @X10", (text, condition) => {
    expect(record(stream("<presence/>", text), []).condition).toBe(condition);
    expectSameForEverySplit(stream("<presence/>", text, "<presence/>"));
  });

  it.each(REFUSED_BYTES)(
    "is refused for %s (%s) with %s in text, values, names and CDATA @1.2 @X7 @X10",
    (_, hex, condition) => {
      for (const [before, after] of [
        ["<a>", "</a>"],
        ["<a b='", "'/>"],
        ["<a", "/>"],
        ["<a><![CDATA[", "]]></a>"],
      ] as const) {
        const bytes = stream(before, Buffer.from(hex, "hex"), after);
        expect(record(bytes, []).condition).toBe(condition);
        expectSameForEverySplit(bytes);
      }
    },
  );

  it.each(BEGINNINGS)("begins alike for every split point: %j @1.2 @X10", (text, condition) => {
    const bytes = Buffer.concat([Buffer.from(text), stream("<presence/>", END)]);
    expect(record(bytes, []).condition).toBe(condition);
    expectSameForEverySplit(bytes);
  });

  it.each(["utf16le", "UTF-16BE"])("is refused in %s with and without a byte order mark @1.2 @X10", (encoding) => {
    for (const mark of ["", "\uFEFF"]) {
      const bytes = Buffer.from(mark + "<?xml version='1.0'?><stream/>", "utf16le");
      if (encoding !== "utf16le") bytes.swap16();
      expect(record(bytes, []).condition).toBe("unsupported-encoding");
      expectSameForEverySplit(bytes);
    }
  });

  it("gives the same for random pieces of many stanzas @1.2 @X10", () => {
    const bytes = stream(...STANZAS, " \r\n\t", ...STANZAS, END);
    const whole = outcome(bytes, []);
    const { seed, cuts } = amounts(process.env);
    const somewhere = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 60 });
    fc.assert(
      fc.property(somewhere, (places) => {
        expect(
          outcome(
            bytes,
            places.sort((a, b) => a - b),
          ),
        ).toEqual(whole);
      }),
      { seed, numRuns: cuts },
    );
  });
});

describe("work", () => {
  const MAX_WORK = 4; // per byte: looked at once, kept once, moved at most once more by doubling, and split tokens
  const long = 18_000;
  const cases: readonly (readonly [string, string])[] = [
    ["text", `<message>${"x".repeat(long)}</message>`],
    ["non-ASCII text", `<message>${"é🐦".repeat(long / 6)}</message>`],
    ["references", `<message>${"&#128038;".repeat(long / 9)}</message>`],
    ["an attribute", `<message a='${"&amp;".repeat(long / 5)}'/>`],
    ["CDATA", `<message><![CDATA[${"]".repeat(long)}]]></message>`],
    ["white space in tags", `<message${" ".repeat(long)}></message${"\n".repeat(long)}>`],
    ["elements", `<message>${"<a b='1'></a>".repeat(1500)}</message>`],
    ["stanzas", "<message><body>hello</body></message> ".repeat(500)],
    ["white space between stanzas", " ".repeat(long)],
  ];

  it.each(cases)("stays linear when %s come byte by byte @1.2 @X10", (_, text) => {
    const bytes = stream(text);
    const each = Array.from({ length: bytes.length - 1 }, (_value, i) => i + 1);
    const { work, condition } = record(bytes, each, { ...AFTER_LOGIN, bytes: 1 << 20 });
    expect(condition).toBeUndefined();
    expect(work).toBeLessThan(MAX_WORK * bytes.length);
  });

  it.each(cases)("is one look at each byte when %s come in one piece @1.2", (_, text) => {
    const bytes = stream(text);
    expect(record(bytes, [], { ...AFTER_LOGIN, bytes: 1 << 20 }).work).toBeLessThanOrEqual(bytes.length);
  });
});
