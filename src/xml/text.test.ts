import { describe, expect, it } from "@jest/globals";
import { parseElement } from "./document.js";
import { UNLIMITED } from "./limits.js";
import { textIn } from "./text.js";
import { elementOf } from "./tree.js";
import { toWire } from "./wire.js";

describe("the text of an element", () => {
  it.each([
    "<a/>",
    "<a></a>",
    "<a>hello</a>",
    "<a b='1>2' c=\"it's /\">fish &amp; chips &#x1F41F;</a>",
    "<a>one<b>not this<c/></b>two<b x='/'/>three</a>",
    "<a><b/>&lt;b/&gt;</a>",
    "<a>x<![CDATA[<b>&amp;]]>y<b><![CDATA[no]]></b></a>",
    "<a>line\r\nline<![CDATA[\r]]></a>",
    "<a>日本語 &quot;é&quot;</a>",
    "<a\n b = '>'\t>late</a\n>",
  ])("is that of its tree: %s @2.2", (text) => {
    const fragment = parseElement(toWire(text), UNLIMITED);
    expect(textIn(fragment.text)).toBe(elementOf(fragment).getText());
  });
});
