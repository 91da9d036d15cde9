import { describe, expect, it } from "@jest/globals";
import { recentlyUsed } from "./recent.js";

describe("a map of what was used lately", () => {
  it("holds as many entries as it may, and forgets the longest unused for one more", () => {
    const map = recentlyUsed<string, { readonly n: number }>(3);
    for (const [n, key] of ["a", "b", "c"].entries()) map.set(key, { n });
    expect([...map.keys()].sort()).toEqual(["a", "b", "c"]);
    expect(map.get("a")).toEqual({ n: 0 });
    map.set("c", { n: 4 }); // again: no new entry
    map.set("d", { n: 5 });
    expect([...map.keys()].sort()).toEqual(["a", "c", "d"]);
  });

  it("takes no room for entries that it does not have yet", () => {
    const map = recentlyUsed<string, true>(Number.MAX_SAFE_INTEGER);
    map.set("a", true);
    expect(map.size).toBe(1);
  });
});
