// Names as XML 1.0 (fifth edition) §2.3 and Namespaces in XML §4 allow them: ASCII by table, the rest by the ranges of the standard.
import { byteAt, sequenceAt, startsName } from "./bytes.js";
import { XmlFault } from "./faults.js";

const STARTS =
  "A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}\\u{2070}-\\u{218F}" +
  "\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}";
const NCNAME = new RegExp(`^[${STARTS}][${STARTS}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}-\\u{2040}]*$`, "u");

/**
 * Checks a whole name whose bytes are known to be name bytes. `colon` is the index of its only colon, or -1; `ascii` tells that
 * all its bytes are below 0x80. All indexes are absolute.
 */
export function checkName(bytes: Buffer, start: number, colon: number, end: number, ascii: boolean): void {
  if (colon >= 0 && (colon === start || colon + 1 === end)) throw badName();
  if (ascii) {
    if (!startsName(byteAt(bytes, start))) throw badName();
    if (colon >= 0 && !startsName(byteAt(bytes, colon + 1))) throw badName();
    return;
  }
  checkUtf8(bytes, start, end);
  const parts = colon < 0 ? [bytes.toString("utf8", start, end)] : bytes.toString("utf8", start, end).split(":");
  if (!parts.every((part) => NCNAME.test(part))) throw badName();
}

function checkUtf8(bytes: Buffer, start: number, end: number): void {
  let i = start;
  while (i < end) {
    if ((bytes[i] as number) < 0x80) i++;
    else {
      const length = sequenceAt(bytes, i, end);
      if (length === 0) throw new XmlFault("unsupported-encoding", "bytes that are not UTF-8");
      i += length;
    }
  }
}

/** A name that breaks the rules of XML or of its namespaces. */
export function badName(): XmlFault {
  return new XmlFault("not-well-formed", "a malformed name");
}
