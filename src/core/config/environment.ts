// Environment variables ROOKERY_<SECTION>_<KEY> (or ROOKERY_<KEY> for the top of the file) override the file.
import type { ConfigSection } from "./sections.js";
import { readTomlValue } from "./toml.js";

const PREFIX = "ROOKERY_";
/** Names that tell the test suites where things are; the server leaves them alone. */
const FOREIGN = /^ROOKERY_(?:SMACK|TOOLS|FUZZ_\w+|TEST_\w+)$/;

/** The variable that overrides a setting. */
export function variableOf(section: string, key: string): string {
  return PREFIX + (section === "" ? key : `${section}_${key}`).toUpperCase();
}

/** The variables meant for the server, by name. Set but empty counts as not set. */
export function ownVariables(env: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  const own = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[0].startsWith(PREFIX) && !FOREIGN.test(pair[0]) && Boolean(pair[1]),
  );
  return new Map(own);
}

/** Every variable that the sections allow. */
export function knownVariables(sections: readonly ConfigSection[]): readonly string[] {
  return sections.flatMap(({ name, schema }) => Object.keys(schema.shape).map((key) => variableOf(name, key)));
}

/**
 * What a variable's text may mean, most particular first: a list or table as the file would have it, a number, true or false, a list
 * at its commas, the text itself.
 */
export function readings(text: string): readonly unknown[] {
  const tomlValue = /^\s*[[{]/.test(text) ? readTomlValue(text) : undefined; // "[::]:5222" looks like a list, but is none
  return tomlValue === undefined ? plainReadings(text) : [tomlValue, ...plainReadings(text)];
}

function plainReadings(text: string): readonly unknown[] {
  const particular = /^\d{1,15}$/.test(text)
    ? [Number(text)]
    : text === "true"
      ? [true]
      : text === "false"
        ? [false]
        : [];
  const parts = text.split(",").map((part) => part.trim());
  return text.includes(",") ? [...particular, parts, text] : [...particular, text, parts];
}
