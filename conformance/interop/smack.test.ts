import { describe, expect, it } from "@jest/globals";
import { judge, parse, REQUIRED } from "./smack.js";

const line = (status: string, className: string, test: string): string =>
  [status, "-", className, test, "", "1", "why"].join("\t");

describe("Smack's results", () => {
  it("count the methods of required classes; a missing one is a failure, one that passed when tried again is not", () => {
    const rows = parse(
      [line("PASS", "ChatTest", "a"), line("FLAKY", "ChatTest", "b"), line("FAIL", "FormTest", "c")].join("\n"),
    );
    const methods = Object.values(REQUIRED).reduce((sum, count) => sum + count, 0);
    expect(judge(rows, () => undefined)).toEqual({ passed: 2, failed: methods - 2, skipped: 0 });
  });

  it("count other classes as skipped", () => {
    expect(judge(parse(line("IMPOSSIBLE_CLASS", "MoodIntegrationTest", "d")), () => undefined)).toMatchObject({
      skipped: 1,
    });
  });
});
