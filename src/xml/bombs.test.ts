import { describe, expect, it } from "@jest/globals";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseElement } from "./document.js";
import { type Element, xml } from "./element.js";
import { AFTER_LOGIN, UNLIMITED } from "./limits.js";
import { XmlFault } from "./scanner.js";
import { contentToWire, elementToWire } from "./serialize.js";
import { toWire } from "./wire.js";
import { elementOf } from "./tree.js";

const DEPTH = 100_000;
const ROUNDS = 4;
const deep = toWire("<a>".repeat(DEPTH) + "x" + "</a>".repeat(DEPTH));

describe("a tree of any depth", () => {
  it("is scanned, built and written without recursion @X4", () => {
    const tree = elementOf(parseElement(deep, UNLIMITED));
    expect(elementToWire(tree)).toBe(deep);
    expect(contentToWire(tree, "")).toBe(deep.slice(3, -4));
  });

  it("is written without recursion when built by hand @X4", () => {
    let tree: Element = xml("a", {}, "x");
    for (let i = 1; i < DEPTH; i++) tree = xml("a", {}, tree);
    expect(elementToWire(tree)).toBe(deep);
  });

  it("is refused from a peer @X4", () => {
    expect(() => parseElement(deep, { ...AFTER_LOGIN, bytes: deep.length })).toThrow(XmlFault);
  });
});

describe("the largest trees that the limits allow", () => {
  const { bytes, elements, totalAttributes, attributes } = AFTER_LOGIN;
  const wide = Array.from({ length: totalAttributes / attributes }, () => element(attributes)).join("");
  const declared = Array.from({ length: elements - 1 }, (_, i) => `<a xmlns='u${i}'/>`).join("");

  it.each([
    ["elements", `<m>${"<a/>".repeat(elements - 1)}</m>`],
    ["elements with text", `<m>${"<a>x</a>".repeat(elements - 1)}</m>`],
    ["attributes", `<m>${wide}</m>`],
    ["namespaces", `<m>${declared}</m>`],
  ])("of %s cost less than ten times the bytes of a stanza @X3", (_, text) => {
    const kept: unknown[] = [];
    const before = heapUsed();
    for (let i = 0; i < ROUNDS; i++) {
      const fragment = parseElement(toWire(text), AFTER_LOGIN);
      kept.push(fragment, fragment.children, elementOf(fragment));
    }
    expect((heapUsed() - before) / ROUNDS).toBeLessThan(10 * bytes);
    expect(kept).toHaveLength(3 * ROUNDS);
  });
});

function element(attributes: number): string {
  return `<a ${Array.from({ length: attributes }, (_, i) => `a${i}='v'`).join(" ")}/>`;
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
