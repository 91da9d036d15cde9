// The text of an element without its tree: for those who need nothing else, and need not load what trees are made of.
import { normalizeLines, unescapeText } from "./escape.js";
import { fromWire, type Wire } from "./wire.js";

/** A start tag, whatever its attributes hold. */
const START_TAG = /<[^"'>]*(?:(?:"[^"]*"|'[^']*')[^"'>]*)*>/y;
const CDATA_START = "<![CDATA[";
const CDATA_END = "]]>";

/** The character data directly in the element that `text` is, known to be well-formed; that of elements inside it is left out. */
export function textIn(text: Wire): string {
  let found = "";
  let depth = 0;
  for (let position = 0; position < text.length;) {
    const less = text.indexOf("<", position);
    if (depth === 1) found += unescapeText(text.slice(position, less) as Wire);
    if (text.startsWith(CDATA_START, less)) {
      const end = text.indexOf(CDATA_END, less);
      if (depth === 1) found += fromWire(normalizeLines(text.slice(less + CDATA_START.length, end) as Wire));
      position = end + CDATA_END.length;
    } else {
      position = tagEnd(text, less);
      if (text.startsWith("</", less)) depth--;
      else if (text[position - 2] !== "/") depth++;
    }
  }
  return found;
}

function tagEnd(text: Wire, less: number): number {
  START_TAG.lastIndex = less;
  if (!START_TAG.test(text)) throw new RangeError("text that was not verified");
  return START_TAG.lastIndex;
}
