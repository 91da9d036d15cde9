import { describe, expect, it } from "@jest/globals";
import { attributeIn } from "./attribute.js";
import { toWire } from "./wire.js";

describe("an attribute of an element's text", () => {
  it.each([
    [`<a id='1'/>`, "1"],
    [`<a id="1">x</a>`, "1"],
    [`<p:a\n\txmlns:p = 'urn:x' id = "o&apos;1 &#x3a8; Ψ"/>`, "o'1 Ψ Ψ"],
    [`<a p:id='2' id='1'/>`, "1"],
    [`<a x=" id='2'" y=' id="3"' id='1'/>`, "1"],
    [`<a ids='2'/>`, undefined],
    [`<a>id='1'</a>`, undefined],
    [`<a><b id='1'/></a>`, undefined],
    [`<a id=''/>`, ""],
  ])("is found in %s @2.1", (text, value) => {
    expect(attributeIn(toWire(text), "id")).toBe(value);
  });
});
