// Reads one attribute of an element whose verified text is at hand, without making a tree of it.
import { unescape } from "./escape.js";
import type { Wire } from "./wire.js";

const NAME = /<[^\s/>]+/y;
const ATTRIBUTE = /\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;

/** The decoded value of the attribute written like this in the element's start tag; `raw` begins with its `<`. */
export function attributeIn(raw: Wire, name: string): string | undefined {
  const value = rawAttributeIn(raw, name);
  return value === undefined ? undefined : unescape(value);
}

/** As written, still escaped. */
export function rawAttributeIn(raw: Wire, name: string): Wire | undefined {
  NAME.lastIndex = 0;
  NAME.test(raw);
  ATTRIBUTE.lastIndex = NAME.lastIndex;
  for (let found = ATTRIBUTE.exec(raw); found; found = ATTRIBUTE.exec(raw))
    if (found[1] === name) return (found[2] ?? found[3] ?? "") as Wire;
  return undefined;
}
