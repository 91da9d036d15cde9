import { describe, expect, it } from "@jest/globals";
import { parseFragments, type Tree } from "../runner/xml.js";
import { type Acknowledging, ByManagement, ByOrder, NS_SM, WrongCount } from "./acknowledgement.js";

function tree(xml: string): Tree {
  const [first] = parseFragments(xml);
  if (!first) throw new Error("no element");
  return first;
}

const a = (h: number | string): Tree => tree(`<a xmlns='${NS_SM}' h='${h}'/>`);

function withSent<T extends Acknowledging>(acks: T, count: number): T {
  for (let n = 0; n < count; n++) acks.sent({ xml: `<message id='${n}'/>`, message: String(n) });
  return acks;
}

const names = (done: ReturnType<Acknowledging["take"]>) => done?.map(({ message }) => message);

describe("acknowledgement by XEP-0198 in the crash suite's client", () => {
  it("covers what h counts, once @2.show1", () => {
    const acks = withSent(new ByManagement(), 3);
    expect(names(acks.take(a(2)))).toEqual(["0", "1"]);
    expect(names(acks.take(a(2)))).toEqual([]);
    expect(names(acks.take(tree(`<resumed xmlns='${NS_SM}' previd='x' h='3'/>`)))).toEqual(["2"]);
    expect(acks.open).toEqual([]);
  });

  it.each([
    ["falls", [2, 1]],
    ["counts more than was sent", [4]],
    ["is no number", ["two"]],
  ])("notices an h that %s @2.show1", (_, counts) => {
    const acks = withSent(new ByManagement(), 3);
    expect(() => counts.forEach((h) => acks.take(a(h)))).toThrow(WrongCount);
  });

  it("learns nothing from a failed resumption without h", () => {
    const acks = withSent(new ByManagement(), 1);
    expect(acks.take(tree(`<failed xmlns='${NS_SM}'/>`))).toEqual([]);
    expect(acks.open).toHaveLength(1);
  });

  it("counts the server's stanzas from <enabled/> on", () => {
    const acks = new ByManagement();
    acks.counted();
    acks.enabled = true;
    acks.counted();
    expect(acks.answer).toBe(`<a xmlns='${NS_SM}' h='1'/>`);
  });
});

describe("acknowledgement by order in the crash suite's client", () => {
  it("covers what was sent before the ping that is answered, and what earlier pings would have @2.show1", () => {
    const acks = withSent(new ByOrder(), 2);
    acks.request();
    withSent(acks, 1);
    acks.request();
    withSent(acks, 1);
    expect(names(acks.take(tree("<iq type='result' id='order-2'/>")))).toHaveLength(3);
    expect(names(acks.take(tree("<iq type='result' id='order-1'/>")))).toEqual([]);
    expect(acks.open).toHaveLength(1);
  });

  it("is not given by an error, nor by another answer", () => {
    const acks = withSent(new ByOrder(), 1);
    acks.request();
    expect(acks.take(tree("<iq type='result' id='q-1'/>"))).toBeUndefined();
    expect(acks.take(tree("<iq type='error' id='order-1'/>"))).toEqual([]);
    expect(acks.open).toHaveLength(1);
  });
});
