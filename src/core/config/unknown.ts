// What the file or the environment names that no section declares: each with the name that was probably meant.
import { knownVariables } from "./environment.js";
import { nearest } from "./nearest.js";
import type { ConfigSection } from "./sections.js";
import type { TomlEntry } from "./toml.js";

/** One line for each. */
export function unknownEntries(entries: readonly TomlEntry[], sections: readonly ConfigSection[]): string[] {
  return entries.flatMap(({ path, value, keyAt }) => {
    const [first = "", second, ...deeper] = path;
    const inner = sections.find(({ name }) => name === first && name !== "");
    if (inner === undefined && (second !== undefined || value === undefined))
      return [`${keyAt}: unknown section [${first}]${meant(first, sectionNames(sections), "[", "]")}`];
    if (inner !== undefined && second === undefined)
      return value === undefined ? [] : [`${keyAt}: "${first}" is a section: write [${first}] and its keys below`];
    const table = inner ?? sections.find(({ name }) => name === "");
    const key = second ?? first;
    const known = Object.keys(table?.schema.shape ?? {});
    if (known.includes(key) && deeper.length === 0 && value !== undefined) return [];
    const written = [key, ...deeper].join(".");
    const where = inner === undefined ? "" : ` in [${inner.name}]`;
    return [`${keyAt}: unknown key "${written}"${where}${meant(key, known, '"', '"') || elsewhere(key, sections)}`];
  });
}

/** One line for each. */
export function unknownVariables(variables: ReadonlyMap<string, string>, sections: readonly ConfigSection[]): string[] {
  const known = knownVariables(sections);
  return [...variables.keys()]
    .filter((variable) => !known.includes(variable))
    .map((variable) => `env ${variable}: unknown setting${meant(variable, known, "", "")}`);
}

function meant(word: string, candidates: readonly string[], before: string, after: string): string {
  const close = nearest(word, candidates);
  return close === undefined ? "" : `; did you mean ${before}${close}${after}?`;
}

function elsewhere(key: string, sections: readonly ConfigSection[]): string {
  const owner = sections.find(({ schema }) => Object.hasOwn(schema.shape, key));
  if (owner === undefined) return "";
  return owner.name === "" ? "; it belongs at the top of the file" : `; it belongs in [${owner.name}]`;
}

function sectionNames(sections: readonly ConfigSection[]): readonly string[] {
  return sections.map(({ name }) => name).filter((name) => name !== "");
}
