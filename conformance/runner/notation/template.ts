// The braces of the notation: `{juliet}`, `{any}`, `{x=…}`, `{base64 …}` in a text, parsed once; filled in when sent,
// matched when expected.
import { randomBytes } from "node:crypto";

/** A piece of a text with braces. `wild` is `…` or `{any}`. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "wild" }
  | { readonly kind: "capture"; readonly name: string; readonly pattern: string }
  | { readonly kind: "pattern"; readonly pattern: string }
  | { readonly kind: "not"; readonly name: string }
  | { readonly kind: "none" }
  | { readonly kind: "no"; readonly element: string; readonly ns?: string }
  | { readonly kind: "base64"; readonly pieces: readonly Piece[] }
  | { readonly kind: "repeat"; readonly count: number; readonly pieces: readonly Piece[] };

/** The values of variables: cast members (`juliet`, `juliet.bare` …), `a`, `nobody` and what was captured. */
export type Values = ReadonlyMap<string, string>;

/** Thrown for braces that mean nothing; the parser of scenes adds file and line. */
export class TemplateError extends Error {}

const ANY = "[\\s\\S]*?";
const NAME = "[a-zA-Z][\\w.-]*";

/** Splits a text into its pieces. Throws TemplateError. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let plain = "";
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character !== "{" && character !== "…") {
      plain += character;
      continue;
    }
    if (plain !== "") found.push({ kind: "text", text: plain });
    plain = "";
    if (character === "…") {
      found.push({ kind: "wild" });
      continue;
    }
    const end = closing(text, at);
    found.push(braces(text.slice(at + 1, end)));
    at = end;
  }
  if (plain !== "") found.push({ kind: "text", text: plain });
  return found;
}

/** The variables that a text uses and those it defines, for the check before anything runs. */
export function names(all: readonly Piece[]): { uses: string[]; defines: string[] } {
  const uses: string[] = [];
  const defines: string[] = [];
  for (const piece of all)
    if (piece.kind === "variable" || piece.kind === "not") uses.push(piece.name);
    else if (piece.kind === "capture") defines.push(piece.name);
    else if (piece.kind === "base64" || piece.kind === "repeat") uses.push(...names(piece.pieces).uses);
  return { uses, defines };
}

/** The text to send. `escape` is applied to values, not to what the scene wrote. Throws TemplateError for `{any}` and its kind. */
export function fill(all: readonly Piece[], values: Values, escape: (text: string) => string = (text) => text): string {
  return all.map((piece) => fillPiece(piece, values, escape)).join("");
}

/** Matches a whole text: the captured values, or undefined when it does not match. */
export function matchText(all: readonly Piece[], text: string, values: Values): Map<string, string> | undefined {
  const captures: string[] = [];
  const source = all.map((piece) => sourceOf(piece, values, captures)).join("");
  const match = new RegExp(`^${source}$`, "u").exec(text);
  if (!match) return undefined;
  const differs = all.every((piece) => piece.kind !== "not" || values.get(piece.name) !== text);
  return differs ? new Map(captures.map((name) => [name, match.groups?.[name] ?? ""])) : undefined;
}

function closing(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.charAt(at) === "{") depth++;
    if (text.charAt(at) === "}" && --depth === 0) return at;
  }
  throw new TemplateError(`a brace is not closed: ${text.slice(from, from + 30)}`);
}

function braces(inner: string): Piece {
  const word = /^(\S+)(?:\s+([\s\S]+))?$/.exec(inner);
  const [first, rest] = [word?.[1] ?? "", word?.[2]];
  if (inner === "any") return { kind: "wild" };
  if (inner === "none") return { kind: "none" };
  if (first === "base64" && rest !== undefined) return { kind: "base64", pieces: pieces(unescapeBytes(rest)) };
  if (first === "no" && rest !== undefined) return absent(rest);
  if (first === "repeat" && rest !== undefined) return repeated(rest);
  return named(inner);
}

function absent(rest: string): Piece {
  const [element = "", ns] = rest.split(/\s+/);
  return ns === undefined ? { kind: "no", element } : { kind: "no", element, ns };
}

function repeated(rest: string): Piece {
  const match = /^(\d+) ([\s\S]+)$/.exec(rest);
  if (!match) throw new TemplateError(`{repeat ${rest}}: write {repeat COUNT TEXT}`);
  return { kind: "repeat", count: Number(match[1]), pieces: pieces(match[2] ?? "") };
}

function named(inner: string): Piece {
  const capture = new RegExp(`^([a-zA-Z]\\w*)=(?:…|/(.*)/)$`, "u").exec(inner);
  if (capture) return { kind: "capture", name: capture[1] ?? "", pattern: checked(capture[2] ?? ANY) };
  const pattern = /^\/(.*)\/$/u.exec(inner);
  if (pattern) return { kind: "pattern", pattern: checked(pattern[1] ?? "") };
  if (new RegExp(`^!${NAME}$`).test(inner)) return { kind: "not", name: inner.slice(1) };
  if (new RegExp(`^${NAME}$`).test(inner)) return { kind: "variable", name: inner };
  throw new TemplateError(
    `{${inner}} is none of {name} {any} {none} {x=…} {x=/regex/} {/regex/} {!x} {no child} {base64 …} {repeat n …}`,
  );
}

function checked(pattern: string): string {
  try {
    return new RegExp(pattern, "u").source;
  } catch (error) {
    throw new TemplateError(`not a regular expression: /${pattern}/`, { cause: error });
  }
}

function fillPiece(piece: Piece, values: Values, escape: (text: string) => string): string {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "variable":
      return escape(valueOf(piece.name, values));
    case "base64":
      return Buffer.from(fill(piece.pieces, values)).toString("base64");
    case "repeat":
      return fill(piece.pieces, values, escape).repeat(piece.count);
    case "wild":
    case "capture":
    case "pattern":
    case "not":
    case "none":
    case "no":
      throw new TemplateError(`what is sent may not hold {${piece.kind}}`);
  }
}

function sourceOf(piece: Piece, values: Values, captures: string[]): string {
  switch (piece.kind) {
    case "text":
    case "variable":
    case "base64":
    case "repeat":
      return literally(fillPiece(piece, values, (text) => text));
    case "wild":
    case "not":
      return ANY;
    case "capture":
      captures.push(piece.name);
      return `(?<${piece.name}>${piece.pattern})`;
    case "pattern":
      return `(?:${piece.pattern})`;
    case "none":
    case "no":
      return "";
  }
}

function literally(text: string): string {
  return text.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");
}

function valueOf(name: string, values: Values): string {
  const value = values.get(name);
  if (value === undefined) throw new TemplateError(`{${name}} has no value yet`);
  return value;
}

/** The UTF-8 bytes of a text, one character for each: what `>>` sends. */
export function asBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** `\0`, `\n`, `\r`, `\t`, `\\` and `\xHH` (one byte) as in most languages. */
export function unescapeBytes(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_, code: string) => {
    if (code.startsWith("x")) return String.fromCharCode(parseInt(code.slice(1), 16));
    return { "0": "\0", n: "\n", r: "\r", t: "\t" }[code] ?? code;
  });
}

/** A short text that no earlier run has used. */
export function fresh(): string {
  return randomBytes(4).toString("hex");
}
