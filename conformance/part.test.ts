import { describe, expect, it } from "@jest/globals";
import { counted } from "./part.js";
import { tagsIn } from "./points.js";

describe("a script's outcome", () => {
  it.each([
    ["12 passed, 0 failed\n", 0, { passed: 12, failed: 0, skipped: 0 }],
    ["1 passed, 0 failed\nmore\n3 passed, 2 failed, 4 skipped\n", 1, { passed: 3, failed: 2, skipped: 4 }],
    ["nothing\n", 0, { passed: 0, failed: 1, skipped: 0 }],
    ["5 passed, 0 failed\n", 1, { passed: 5, failed: 1, skipped: 0 }],
    ["", null, { passed: 0, failed: 1, skipped: 0 }],
  ])("of %j with exit code %s is read from its last line, and silence is a failure", (output, code, outcome) => {
    expect(counted(output, code)).toEqual(outcome);
  });
});

describe("tags", () => {
  it.each([
    ["a rule @1.4", ["1.4"]],
    ["a rule @1.12 @X10 @1.show2 @1.bad", ["1.12", "X10", "1.show2", "1.bad"]],
    ["romeo@a.example writes to juliet@localhost", []],
  ])("in a name are found, case %#", (name, tags) => {
    expect(tagsIn(name)).toEqual(tags);
  });
});
