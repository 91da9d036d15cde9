// Reads a TOML file into a flat list of settings, each with the place where it stands, so that every complaint can name it.
import { getStaticTOMLValue, ParseError, parseTOML } from "toml-eslint-parser";
import type { AST } from "toml-eslint-parser";

/** One value of the file. `path` has one part for a top-level key, two for a key of a section. */
export interface TomlEntry {
  readonly path: readonly string[];
  /** Missing for an empty section. */
  readonly value?: unknown;
  /** Where the key stands, as "file:line:column", counted from 1. */
  readonly keyAt: string;
  readonly valueAt: string;
}

/** A file that is not TOML; the message starts with the place. */
export class TomlFault extends Error {}

/**
 * All settings of a TOML text, in its order. Inline and dotted tables are taken apart like written-out ones.
 * @throws TomlFault at the first syntax error.
 */
export function readToml(text: string, file: string): readonly TomlEntry[] {
  const entries: TomlEntry[] = [];
  for (const node of parse(text, file).body[0].body) {
    if (node.type === "TOMLKeyValue") collect(node, [], file, entries);
    else collectTable(node, file, entries);
  }
  return entries;
}

/** A single value in the spelling of TOML; undefined if the text is none. */
export function readTomlValue(text: string): unknown {
  try {
    const [entry, another] = readToml(`section.key = ${text}`, "");
    return another === undefined ? entry?.value : undefined;
  } catch (error) {
    if (error instanceof TomlFault) return undefined;
    throw error;
  }
}

function parse(text: string, file: string): AST.TOMLProgram {
  try {
    return parseTOML(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new TomlFault(`${file}:${error.lineNumber}:${error.column + 1}: not TOML: ${error.message}`);
  }
}

function collectTable(table: AST.TOMLTable, file: string, into: TomlEntry[]): void {
  const path = table.resolvedKey.map(String);
  const at = place(file, table.key);
  if (table.kind === "array" || table.body.length === 0) into.push({ path, keyAt: at, valueAt: at });
  if (table.kind === "array") return;
  for (const pair of table.body) collect(pair, path, file, into);
}

function collect(pair: AST.TOMLKeyValue, above: readonly string[], file: string, into: TomlEntry[]): void {
  const path = [...above, ...pair.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value))];
  if (pair.value.type === "TOMLInlineTable" && path.length < 2) {
    for (const inner of pair.value.body) collect(inner, path, file, into);
    return;
  }
  const value: unknown = getStaticTOMLValue(pair.value);
  into.push({ path, value, keyAt: place(file, pair.key), valueAt: place(file, pair.value) });
}

function place(file: string, node: AST.TOMLNode): string {
  return `${file}:${node.loc.start.line}:${node.loc.start.column + 1}`;
}
