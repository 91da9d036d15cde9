import { describe, expect, it } from "@jest/globals";
import { Remembered } from "./remembered.js";

describe("what the writer remembers", () => {
  const made = (limit = 9) => {
    const remembered = new Remembered<string>(limit);
    for (const name of ["before", "since", "old"]) remembered.set(name, "");
    remembered.commit();
    remembered.touch("before");
    remembered.savepoint();
    remembered.touch("since");
    remembered.set("new", "");
    return remembered;
  };
  const known = (remembered: Remembered<string>) =>
    ["before", "since", "new", "old"].filter((name) => remembered.get(name) !== undefined);

  it("is forgotten with the unit that is taken back, and only that @2.1", () => {
    const remembered = made();
    remembered.takeBack();
    expect(known(remembered)).toEqual(["before", "old"]);
  });

  it("is forgotten with the whole transaction, and only that @2.1", () => {
    const remembered = made();
    remembered.rollback();
    expect(known(remembered)).toEqual(["old"]);
  });

  it("stays after a commit, and is bounded @2.1", () => {
    const remembered = made();
    remembered.commit();
    remembered.rollback();
    expect(known(remembered)).toEqual(["before", "since", "new", "old"]);
    const small = made(3);
    small.commit();
    expect(known(small)).toEqual([]);
  });
});
