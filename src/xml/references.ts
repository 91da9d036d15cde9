// Entity and character references, XML 1.0 §4.1: the five predefined entities and the characters XML allows, nothing else.
import { AMPERSAND, byteAt, forbiddenCharacter, HASH, SEMICOLON, skipName, startsName } from "./bytes.js";
import { XmlFault } from "./faults.js";

const MAX_REFERENCE = 32; // bytes; `&#x10FFFF;` has 10, the rest is leading zeros. Bounds what a split reference costs.
const LOWER_X = 0x78;

/** The index after the reference that begins at this `&`, or 0 when its end is not there yet. */
export function referenceEnd(bytes: Buffer, ampersand: number, end: number): number {
  const start = ampersand + 1;
  if (start >= end) return 0;
  if (byteAt(bytes, start) === HASH) return characterEnd(bytes, start + 1, end);
  if (!startsName(byteAt(bytes, start))) throw malformed();
  return entityEnd(bytes, start, end);
}

/** Whether a string is one of the predefined entities, and which character it is. */
export const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["apos", "'"],
  ["quot", '"'],
]);

const PREDEFINED = [...ENTITIES.keys()].map((name) => Buffer.from(name));

function entityEnd(bytes: Buffer, start: number, end: number): number {
  let i = skipName(bytes, start, end);
  while (i < end && byteAt(bytes, i) >= 0x80) i = skipName(bytes, i + 1, end);
  within(start, i);
  if (i === end) return 0;
  if (byteAt(bytes, i) !== SEMICOLON) throw malformed();
  if (!PREDEFINED.some((name) => isName(name, bytes, start, i)))
    throw new XmlFault("restricted-xml", "a reference to an entity that is not predefined");
  return i + 1;
}

function isName(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}

function characterEnd(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return 0;
  const hexadecimal = byteAt(bytes, start) === LOWER_X;
  const first = hexadecimal ? start + 1 : start;
  let code = 0;
  let i = first;
  for (; i < end; i = within(start, i + 1)) {
    const digit = digitOf(byteAt(bytes, i), hexadecimal);
    if (digit < 0) break;
    code = Math.min(code * (hexadecimal ? 16 : 10) + digit, 0x110000);
  }
  if (i === end) return 0;
  if (i === first || byteAt(bytes, i) !== SEMICOLON) throw malformed();
  if (!isCharacter(code)) throw forbiddenCharacter();
  return i + 1;
}

function digitOf(byte: number, hexadecimal: boolean): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return hexadecimal && letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function within(start: number, index: number): number {
  if (index - start > MAX_REFERENCE) throw new XmlFault("policy-violation", "a reference that is too long");
  return index;
}

/** XML 1.0 §2.2, production Char. */
export function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

function malformed(): XmlFault {
  return new XmlFault("not-well-formed", `a bare ${String.fromCharCode(AMPERSAND)} or a malformed reference`);
}
