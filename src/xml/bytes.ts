// Classes of bytes for the scanner's inner loops, and strict UTF-8.
import { XmlFault } from "./faults.js";

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE_BYTE = 0x20;
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

/** May begin a name; bytes of non-ASCII characters count here and are checked once the name is whole. */
export const NAME_START = 1;
/** May stand in a name, but for the colon. */
export const NAME = 2;
export const SPACE = 4;
/** Needs a look in text. */
export const IN_TEXT = 8;
/** Needs a look in an attribute value. */
export const IN_VALUE = 16;
/** Needs a look in CDATA. */
export const IN_CDATA = 32;

/** The classes of each byte. */
export const CLASS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => classesOf(byte));

function classesOf(byte: number): number {
  const char = String.fromCharCode(byte);
  const special = byte >= 0x80 || (byte < 0x20 && !"\t\n\r".includes(char));
  let classes = special ? IN_TEXT | IN_VALUE | IN_CDATA : 0;
  if (/[A-Za-z_\x80-\xff]/.test(char)) classes |= NAME_START;
  if (/[A-Za-z0-9_.\-\x80-\xff]/.test(char)) classes |= NAME;
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

/** The classes of the byte at an index known to be inside. */
export function classAt(bytes: Buffer, index: number): number {
  return CLASS[bytes[index] as number] as number;
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
