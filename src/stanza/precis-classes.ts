// RFC 8264 §8 and §9: which code points the two PRECIS string classes allow, derived from the Unicode properties of
// the running Node; with the contextual rules of RFC 5892 Appendix A and the Bidi rule of RFC 5893 §2.
import { domainToASCII } from "node:url";

/** "identifier" is for names (letters and digits); "freeform" adds spaces, symbols and punctuation. */
export type StringClass = "identifier" | "freeform";

type Derived = "valid" | "context" | "freeform" | "disallowed";

// RFC 5892 §2.6, as RFC 8264 §9.6 takes it over.
const EXCEPTIONS_VALID = /^[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]$/u;
const EXCEPTIONS_CONTEXT = /^[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]$/u;
const EXCEPTIONS_DISALLOWED = /^[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]$/u;
const ASCII7 = /^[!-~]$/u;
const JOIN_CONTROL = /^\p{Join_Control}$/u;
// Hangul_Syllable_Type L, V and T: blocks that are full, so the ranges are final.
const OLD_HANGUL_JAMO = /^[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]$/u;
const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]$/u;
const CONTROLS = /^\p{Cc}$/u;
const LETTER_DIGITS = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]$/u;
const FREEFORM = /^[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]$/u;

/** Whether every code point of `text` belongs to the class and the contextual rules hold. Empty text does. */
export function belongsTo(text: string, stringClass: StringClass): boolean {
  const chars = Array.from(text);
  return chars.every((char, index) => {
    const derived = derive(char);
    switch (derived) {
      case "valid":
        return true;
      case "freeform":
        return stringClass === "freeform";
      case "context":
        return contextHolds(chars, index);
      case "disallowed":
        return false;
      default:
        return derived satisfies never;
    }
  });
}

/** The order of the questions is that of RFC 8264 §8; unassigned code points and surrogates fall through to the end. */
function derive(char: string): Derived {
  if (ASCII7.test(char) || EXCEPTIONS_VALID.test(char)) return "valid";
  if (EXCEPTIONS_CONTEXT.test(char)) return "context";
  if (EXCEPTIONS_DISALLOWED.test(char)) return "disallowed";
  if (JOIN_CONTROL.test(char)) return "context";
  if (OLD_HANGUL_JAMO.test(char) || IGNORABLE.test(char) || CONTROLS.test(char)) return "disallowed";
  if (char.normalize("NFKC") !== char) return "freeform";
  if (LETTER_DIGITS.test(char)) return "valid";
  return FREEFORM.test(char) ? "freeform" : "disallowed";
}

/** RFC 5892 Appendix A.1 to A.9. */
function contextHolds(chars: readonly string[], index: number): boolean {
  const before = chars[index - 1] ?? "";
  const after = chars[index + 1] ?? "";
  const char = chars[index] ?? "";
  switch (char) {
    case "\u200c":
      return isVirama(before) || joinsAround(chars, index);
    case "\u200d":
      return isVirama(before);
    case "\u00b7":
      return before === "l" && after === "l";
    case "\u0375":
      return /^\p{Script=Greek}$/u.test(after);
    case "\u05f3":
    case "\u05f4":
      return /^\p{Script=Hebrew}$/u.test(before);
    case "\u30fb":
      return chars.some((each) => /^[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]$/u.test(each));
    default:
      return !mixesArabicDigits(chars);
  }
}

function mixesArabicDigits(chars: readonly string[]): boolean {
  return chars.some((char) => /^[\u0660-\u0669]$/u.test(char)) && chars.some((char) => /^[\u06f0-\u06f9]$/u.test(char));
}

/**
 * Canonical_Combining_Class = Virama (9). JavaScript does not show the class, but canonical order does: such a mark
 * moves behind a mark of class 8 (U+3099) and in front of one of class 10 (U+05B0).
 */
function isVirama(char: string): boolean {
  if (!/^[\p{Mn}\p{Mc}]$/u.test(char) || char === "\u3099" || char === "\u05b0") return false;
  return `${char}\u3099`.normalize("NFD") === `\u3099${char}` && `\u05b0${char}`.normalize("NFD") === `${char}\u05b0`;
}

/**
 * The second rule of Appendix A.1: a letter that joins forward, then U+200C, then one that joins backward, marks in
 * between ignored. Node knows the joining types only inside its IDNA code, so it is asked about this fragment; it is
 * stricter than the rule for letters of a few small alphabets, never laxer.
 */
function joinsAround(chars: readonly string[], index: number): boolean {
  let start = index - 1;
  while (start > 0 && isTransparent(chars[start])) start--;
  let end = index + 1;
  while (end < chars.length - 1 && isTransparent(chars[end])) end++;
  const fragment = chars.slice(Math.max(start, 0), end + 1).join("");
  return /^\p{L}.+\p{L}\p{M}*$/u.test(fragment) && domainToASCII(fragment) !== "";
}

function isTransparent(char: string | undefined): boolean {
  return char !== undefined && /^[\p{Mn}\p{Me}]$/u.test(char);
}

// Blocks that Unicode keeps for right-to-left scripts; inside them everything but marks and the digits below is R or AL.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const ARABIC_NUMBER = /^[\u0660-\u0669\u{10d30}-\u{10d39}\u{10d40}-\u{10d49}]$/u;
const EUROPEAN_NUMBER = /^[0-9\u06f0-\u06f9]$/u;
const NEUTRAL = /^[\p{P}\p{S}\p{Cf}\u02b9\u02ba\u02c6-\u02cf\u02ec\u2e2f\ua67f\ua717-\ua71f\ua788]$/u;

type Direction = "R" | "L" | "AN" | "EN" | "mark" | "neutral";

/** Whether any code point is written from right to left, so that the Bidi rule applies. */
export function hasRightToLeft(text: string): boolean {
  return RIGHT_TO_LEFT.test(text);
}

/** The six conditions of RFC 5893 §2, for text that belongs to the identifier class. */
export function keepsBidiRule(text: string): boolean {
  const directions = Array.from(text, direction);
  const last = directions.findLast((each) => each !== "mark");
  const has = (each: Direction): boolean => directions.includes(each);
  if (directions[0] === "L") return !has("R") && !has("AN") && (last === "L" || last === "EN");
  if (directions[0] !== "R" || has("L") || (has("EN") && has("AN"))) return false;
  return last === "R" || last === "EN" || last === "AN";
}

function direction(char: string): Direction {
  if (/^[\p{Mn}\p{Me}]$/u.test(char)) return "mark";
  if (ARABIC_NUMBER.test(char)) return "AN";
  if (EUROPEAN_NUMBER.test(char)) return "EN";
  if (RIGHT_TO_LEFT.test(char)) return "R";
  return NEUTRAL.test(char) ? "neutral" : "L";
}
