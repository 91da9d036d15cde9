// The non-ASCII run: every scene once more with addresses and texts of many bytes per letter, in what is sent and expected.
import type { Pattern } from "./notation/scene.js";
import type { Piece } from "./notation/template.js";

/** Letters that no profile maps or composes, of two, three and four bytes in UTF-8. */
const TEXT = " žluťoučký 日本語 🎉";
const LOCAL = "-ñж日";
const RESOURCE = "-ÿø月";
const DRESSED = ["body", "subject", "status", "group", "FN"];
const SENT = new RegExp(`(<(${DRESSED.join("|")})(?:\\s[^>]*[^/>]|)>[^<]+)(</\\2>)`, "g");

/** What makes the account names of one scene unique. */
export function stampOf(fresh: string, nonAscii: boolean): string {
  return nonAscii ? fresh + LOCAL : fresh;
}

export function accented(resource: string): string {
  return resource + RESOURCE;
}

/** XML to send, its human-readable texts lengthened in the non-ASCII run. */
export function dressed(xml: string, nonAscii: boolean): string {
  return nonAscii ? xml.replace(SENT, `$1${TEXT}$3`) : xml;
}

/** What is then expected: the same texts, lengthened the same way. */
export function dressedPattern(pattern: Pattern): Pattern {
  const text = pattern.text && DRESSED.includes(pattern.name) ? dressedText(pattern.text) : pattern.text;
  return { ...pattern, text, children: pattern.children.map(dressedPattern) };
}

function dressedText(text: readonly Piece[]): readonly Piece[] {
  const fixed =
    text.length > 0 &&
    text.every((piece) => piece.kind === "text" || piece.kind === "variable" || piece.kind === "repeat");
  return fixed ? [...text, { kind: "text", text: TEXT }] : text;
}
