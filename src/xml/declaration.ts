// The very beginning of a document: byte order mark and XML declaration (XML 1.0 §2.8 and appendix F, RFC 6120 §11.5 and §11.6).
import { byteAt, isSpace, LESS, QUESTION } from "./bytes.js";
import { XmlFault } from "./faults.js";
import { type Wire, wireOf } from "./wire.js";

const MAX_DECLARATION = 128; // bytes; with all three of its parts it has about 60
const OPENING = "<?xml";
const BOM = "\xef\xbb\xbf";
const S = "[ \\t\\r\\n]";
const DECLARATION = new RegExp(
  `^<\\?xml${S}+version${S}*=${S}*(["'])1\\.0\\1` +
    `(?:${S}+encoding${S}*=${S}*(["'])([A-Za-z][A-Za-z0-9._-]*)\\2)?` +
    `(?:${S}+standalone${S}*=${S}*(["'])(?:yes|no)\\4)?${S}*\\?>$`,
);

/**
 * The index after mark and declaration, `start` when there is neither, -1 while that cannot be told yet. What is not there yet is at
 * most 131 bytes. Throws XmlFault.
 */
export function declarationEnd(bytes: Buffer, start: number, end: number): number {
  const from = afterMark(bytes, start, end);
  if (from < 0 || from === end) return -1;
  if (from + 1 < end && byteAt(bytes, from) === LESS && byteAt(bytes, from + 1) === 0) throw notUtf8();
  for (let i = 0; i < OPENING.length; i++) {
    if (from + i === end) return -1;
    if (byteAt(bytes, from + i) !== OPENING.charCodeAt(i)) return from;
  }
  const after = from + OPENING.length;
  if (after === end) return -1;
  if (!isSpace(byteAt(bytes, after))) {
    if (byteAt(bytes, after) === QUESTION) throw malformed();
    return from; // another processing instruction, refused where it is read
  }
  return closingOf(bytes, from, end);
}

function afterMark(bytes: Buffer, start: number, end: number): number {
  const first = byteAt(bytes, start);
  if (first === 0xfe || first === 0xff || first === 0) throw notUtf8(); // UTF-16 or UTF-32
  for (let i = 0; i < BOM.length; i++) {
    if (start + i === end) return -1;
    if (byteAt(bytes, start + i) !== BOM.charCodeAt(i)) {
      if (i > 0) throw notUtf8();
      return start;
    }
  }
  return start + BOM.length;
}

function closingOf(bytes: Buffer, from: number, end: number): number {
  const limit = Math.min(end, from + MAX_DECLARATION);
  const text = wireOf(bytes, from, limit);
  const close = text.indexOf(">");
  if (close >= 0) {
    check(text.slice(0, close + 1) as Wire);
    return from + close + 1;
  }
  if (limit < end || limit === from + MAX_DECLARATION) throw malformed();
  return -1;
}

function check(text: Wire): void {
  const match = DECLARATION.exec(text);
  if (match === null) throw malformed();
  const encoding = match[3] ?? "UTF-8";
  if (encoding.toUpperCase() !== "UTF-8") throw new XmlFault("unsupported-encoding", "an encoding other than UTF-8");
}

function malformed(): XmlFault {
  return new XmlFault("not-well-formed", "a malformed XML declaration");
}

function notUtf8(): XmlFault {
  return new XmlFault("unsupported-encoding", "bytes that are not UTF-8");
}
