import { describe, expect, it } from "@jest/globals";
import { JID } from "../stanza/jid.js";
import type { Write } from "../storage/writes.js";
import { Batch } from "./batch.js";
import { Owner } from "./owner.js";

class Serial extends Owner {
  override readonly isSerial = true;
}

const room = new Serial(JID.parse("coven@conference.localhost"));
const other = new Serial(JID.parse("heath@conference.localhost"));
const account = new Owner(JID.parse("hag@localhost"));

interface Options {
  readonly extra?: object;
  readonly isAgain?: boolean;
}

function link(name: string, owners: readonly Owner[], { extra = {}, isAgain = false }: Options = {}) {
  const put: Write = { op: "put", store: "s", owner: "o", key: name, doc: { v: 1 }, ...extra };
  return { name, writes: [put], touched: new Map(owners.map((owner) => [owner, 0] as const)), isAgain };
}

/** The chains of as many as the batch admits, in a row. */
function batched(...links: readonly ReturnType<typeof link>[]): readonly string[] {
  const batch = new Batch<ReturnType<typeof link>>();
  for (const one of links) {
    if (!batch.admits(one)) break;
    batch.add(one);
  }
  return batch.chains.map((chain) => chain.map(({ name }) => name).join(" "));
}

describe("units in one batch", () => {
  it("of a room are one chain, whatever lies between @3.2", () => {
    const links = [link("a", [room]), link("x", []), link("b", [room]), link("y", [other]), link("c", [room])];
    expect(batched(...links)).toEqual(["a b c", "x", "y"]);
  });

  it("of an account are one at most @1.9", () => {
    expect(batched(link("a", [account]), link("b", [account]))).toEqual(["a"]);
  });

  it("that touch more than the room, have a condition or were sent before go by themselves @3.2", () => {
    const first = link("a", [room]);
    for (const lonely of [
      link("b", [room, account]),
      link("b", [room], { extra: { ifAbsent: true } }),
      link("b", [room], { extra: { ifVersion: 1 } }),
      link("b", [room], { isAgain: true }),
    ]) {
      expect(batched(first, lonely)).toEqual(["a"]);
      expect(batched(lonely, link("c", [room]))).toEqual(["b"]);
    }
  });
});
