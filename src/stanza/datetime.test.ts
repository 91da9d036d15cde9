import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { timeOfText } from "./datetime.js";
import { timestamp } from "./delay.js";

describe("a DateTime of XEP-0082", () => {
  it.each([
    ["1969-07-21T02:56:15Z", Date.UTC(1969, 6, 21, 2, 56, 15)],
    ["1969-07-20T21:56:15-05:00", Date.UTC(1969, 6, 21, 2, 56, 15)],
    ["2010-07-10T23:08:25.5Z", Date.UTC(2010, 6, 10, 23, 8, 25, 500)],
    ["2010-07-10T23:08:25.123456Z", Date.UTC(2010, 6, 10, 23, 8, 25, 123) + 0.456],
    [" 2010-07-10T23:08:25+00:00\n", Date.UTC(2010, 6, 10, 23, 8, 25)],
    ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000],
    ["9999-12-31T23:59:59Z", Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])("%s is %d @2.2", (text, ms) => {
    expect(timeOfText(text)).toBeCloseTo(ms, 2);
  });

  it.each([
    "",
    "yesterday",
    "2010-07-10",
    "2010-07-10T23:08:25",
    "2010-07-10 23:08:25Z",
    "2010-7-10T23:08:25Z",
    "2010-02-30T00:00:00Z",
    "2010-13-01T00:00:00Z",
    "2010-00-01T00:00:00Z",
    "2010-07-10T24:00:00Z",
    "2010-07-10T23:60:00Z",
    "2010-07-10T23:08:61Z",
    "2010-07-10T23:08:25+15:00",
    "2010-07-10T23:08:25.Z",
    "20100710T23:08:25",
    "12010-07-10T23:08:25Z",
    "२०१०-07-10T23:08:25Z",
  ])("%s is none @2.2 @M9", (text) => {
    expect(timeOfText(text)).toBeUndefined();
  });

  it("is read back as it was written @2.2", () => {
    fc.assert(fc.property(fc.integer({ min: -6e13, max: 2e14 }), (ms) => expect(timeOfText(timestamp(ms))).toBe(ms)));
  });
});
