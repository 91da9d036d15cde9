// The scanner's inner loops over classes of bytes, and strict UTF-8.
import { XmlFault } from "./faults.js";

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const BANG = 0x21;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const AMPERSAND = 0x26;
export const SINGLE_QUOTE = 0x27;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const LESS = 0x3c;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const QUESTION = 0x3f;
export const BRACKET = 0x5d;

// The classes of bytes. Kept beside the loops below: a table or mask that is imported costs a look-up at every byte.
const NAME_START = 1;
const NAME = 2;
const SPACE = 4;
const IN_TEXT = 8; // needs a look in text
const IN_VALUE = 16; // needs a look in an attribute value
const IN_CDATA = 32; // needs a look in CDATA

const CLASS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => classesOf(byte));

function classesOf(byte: number): number {
  const char = String.fromCharCode(byte);
  const special = byte >= 0x80 || (byte < 0x20 && !"\t\n\r".includes(char));
  let classes = special ? IN_TEXT | IN_VALUE | IN_CDATA : 0;
  if (/[A-Za-z_]/.test(char)) classes |= NAME_START;
  if (/[A-Za-z0-9_.-]/.test(char)) classes |= NAME;
  if (/[ \t\n\r]/.test(char)) classes |= SPACE;
  if (/[<&>]/.test(char)) classes |= IN_TEXT;
  if (/[<&"'\t\n\r]/.test(char)) classes |= IN_VALUE;
  if (char === ">") classes |= IN_CDATA;
  return classes;
}

/** The byte at an index known to be inside. */
export function byteAt(bytes: Buffer, index: number): number {
  return bytes[index] as number;
}

/** Whether a byte may begin a name; those of non-ASCII characters may, and are looked at once the name is whole. */
export function startsName(byte: number): boolean {
  return byte >= 0x80 || ((CLASS[byte] as number) & NAME_START) !== 0;
}

export function isSpace(byte: number): boolean {
  return ((CLASS[byte] as number) & SPACE) !== 0;
}

/** The next index that is not white space, or `end`. */
export function skipSpace(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && ((CLASS[bytes[i] as number] as number) & SPACE) !== 0) i++;
  return i;
}

/** The next index that is not an ASCII character of a name (colons are not), or `end`. */
export function skipName(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && ((CLASS[bytes[i] as number] as number) & NAME) !== 0) i++;
  return i;
}

/** The next index of `<`, `>`, `&`, a control character or a non-ASCII byte, or `end`. */
export function skipText(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && ((CLASS[bytes[i] as number] as number) & IN_TEXT) === 0) i++;
  return i;
}

/** The next index of a quote, `<`, `&`, white space other than the space, a control character or a non-ASCII byte, or `end`. */
export function skipValue(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && ((CLASS[bytes[i] as number] as number) & IN_VALUE) === 0) i++;
  return i;
}

/** The next index of `>`, a control character or a non-ASCII byte, or `end`. */
export function skipCdata(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && ((CLASS[bytes[i] as number] as number) & IN_CDATA) === 0) i++;
  return i;
}

/**
 * The length of the UTF-8 sequence of a non-ASCII character that begins here: 2 to 4, or 0 when its end is not there yet. Overlong
 * forms, surrogates and what lies above U+10FFFF are refused, and so are U+FFFE and U+FFFF, which XML 1.0 §2.2 forbids.
 */
export function sequenceAt(bytes: Buffer, index: number, end: number): number {
  const first = byteAt(bytes, index);
  if (first < 0xc2 || first > 0xf4) throw notUtf8();
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (index + length > end) return 0;
  const second = byteAt(bytes, index + 1);
  if (second < lowestSecond(first) || second > highestSecond(first)) throw notUtf8();
  for (let i = 2; i < length; i++) if ((byteAt(bytes, index + i) & 0xc0) !== 0x80) throw notUtf8();
  if (first === 0xef && second === 0xbf && byteAt(bytes, index + 2) >= 0xbe) throw forbiddenCharacter();
  return length;
}

/** The index after the non-ASCII character here, 0 when its end is not there yet. A control character is refused. */
export function characterEnd(bytes: Buffer, i: number, end: number): number {
  if (byteAt(bytes, i) < 0x80) throw forbiddenCharacter();
  const length = sequenceAt(bytes, i, end);
  return length === 0 ? 0 : i + length;
}

function lowestSecond(first: number): number {
  return first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
}

function highestSecond(first: number): number {
  return first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
}

function notUtf8(): XmlFault {
  return new XmlFault("unsupported-encoding", "bytes that are not UTF-8");
}

/** XML 1.0 §2.2: most control characters, U+FFFE and U+FFFF. */
export function forbiddenCharacter(): XmlFault {
  return new XmlFault("not-well-formed", "a character that XML forbids");
}
