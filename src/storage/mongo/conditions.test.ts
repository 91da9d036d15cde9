import { describe, expect, it } from "@jest/globals";
import { append, put, remove, unit } from "../contract/samples.js";
import type { Unit } from "../writes.js";
import { placesWithConditions, Versions } from "./conditions.js";

const claim = { ...put("a", "n"), ifAbsent: true } as const;
const change = (ifVersion: number) => ({ ...put("a", "n"), ifVersion });
const admitted = (stored: number, ...units: readonly Unit[]) => {
  const versions = new Versions(units, new Map(stored > 0 ? [["notes\0a\0n", stored]] : []));
  return units.map((each) => versions.admits(each));
};

describe("the conditions of a batch", () => {
  it("only documents with conditions are looked up, each once @2.5", () => {
    expect(placesWithConditions([unit(claim, put("a", "m"), append("a", 1)), unit(change(1))])).toEqual([
      "notes\0a\0n",
    ]);
  });

  it.each<[string, number, readonly Unit[], readonly boolean[]]>([
    ["ifAbsent holds where there is nothing", 0, [unit(claim)], [true]],
    ["and not where there is something", 3, [unit(claim)], [false]],
    ["ifVersion holds for that version", 3, [unit(change(3))], [true]],
    ["and for no other", 3, [unit(change(2))], [false]],
    ["and not where there is nothing", 0, [unit(change(1))], [false]],
    ["both together never hold", 0, [unit({ ...claim, ifVersion: 1 })], [false]],
    ["the first of two claims wins", 0, [unit(claim), unit(claim)], [true, false]],
    [
      "a unit sees what the ones before it did",
      1,
      [unit(put("a", "n")), unit(change(2)), unit(change(3))],
      [true, true, true],
    ],
    ["a unit sees its own writes", 1, [unit(remove("a", "n"), claim, change(1))], [true]],
    ["an erasure removes it", 4, [unit({ op: "erase", owner: "a" }), unit(claim)], [true, true]],
    ["that of another owner does not", 4, [unit({ op: "erase", owner: "b" }), unit(claim)], [true, false]],
    ["a refused unit has changed nothing", 1, [unit(put("a", "n"), change(9)), unit(change(1))], [false, true]],
    [
      "removal with a version too",
      2,
      [unit({ ...remove("a", "n"), ifVersion: 1 }), unit({ ...remove("a", "n"), ifVersion: 2 })],
      [false, true],
    ],
  ])("%s @2.5", (_, stored, units, expected) => {
    expect(admitted(stored, ...units)).toEqual(expected);
  });
});
