import { describe, expect, it } from "@jest/globals";
import { countedIn, type LongRun, withRun } from "./full-page.js";

const run = (name: string, changes: Partial<LongRun> = {}): LongRun => ({
  name,
  about: `What ${name} is.`,
  command: `npm run full -- --only=${name}`,
  outcome: { passed: 3, failed: 0, skipped: 0 },
  seconds: 61.4,
  counted: ["7 things"],
  provenance: "2026-11-22, commit abc",
  ...changes,
});
const ORDER = ["fuzz", "attacks"];

describe("the page of the long runs", () => {
  it("says of a run what it is, whence it comes, its outcome and what it counted", () => {
    const expected = `## fuzz

What fuzz is.

- 2026-11-22, commit abc
- \`npm run full -- --only=fuzz\`: 3 passed, 0 failed in 61 s
- 7 things
`;
    expect(withRun("", run("fuzz"), ORDER)).toMatch(/^# Long runs\n\n[^#]+\n\n## fuzz/);
    expect(withRun("", run("fuzz"), ORDER).endsWith(expected)).toBe(true);
  });

  it("keeps the other parts' last results, in the order of the parts whichever ran first", () => {
    const both = withRun(withRun("", run("attacks"), ORDER), run("fuzz"), ORDER);
    expect(both).toBe(withRun(withRun("", run("fuzz"), ORDER), run("attacks"), ORDER));
    const again = withRun(both, run("fuzz", { outcome: { passed: 2, failed: 1, skipped: 0 } }), ORDER);
    expect(again).toBe(both.replace("fuzz`: 3 passed, 0 failed", "fuzz`: FAILED: 2 passed, 1 failed"));
  });

  it("drops a part that is no more", () => {
    expect(withRun(withRun("", run("gone"), ["gone"]), run("fuzz"), ORDER)).toBe(withRun("", run("fuzz"), ORDER));
  });
});

describe("what a script counted", () => {
  it("is on the lines that begin so", () => {
    expect(countedIn("ok   counted 1\ncounted 2 apples\n3 passed, 0 failed\ncounted 4 pears\n")).toEqual([
      "2 apples",
      "4 pears",
    ]);
  });
});
