// The configuration: one TOML file and ROOKERY_* variables, checked against the declared sections into one typed object.
// Every problem is found in one go and named with its place; nothing is guessed and nothing unknown is let through.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { z } from "zod";
import { chooseDomains, contradictions, warningsOf } from "./config/checks.js";
import { ownVariables, readings, variableOf } from "./config/environment.js";
import { CORE_SECTIONS } from "./config/sections.js";
import type { Config, ConfigSection } from "./config/sections.js";
import { readToml, TomlFault } from "./config/toml.js";
import type { TomlEntry } from "./config/toml.js";
import { unknownEntries, unknownVariables } from "./config/unknown.js";
import { factsOf } from "./config/values.js";
import { fullName, shown } from "./config/words.js";
import { type ForOperator, whyUnreadable } from "./reason.js";

export type { Config, ConfigSection } from "./config/sections.js";
export { section } from "./config/sections.js";

/** Where the configuration comes from. */
export interface ConfigSource {
  /** The file to read; without it and without `text` everything is default. */
  readonly file?: string;
  /** The text of the file, if it was read already. */
  readonly text?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sections of the features, beside those of the core. */
  readonly sections?: readonly ConfigSection[];
}

/** One setting as it stands: what was written, and where. */
export interface Setting {
  readonly section: string;
  readonly key: string;
  /** As written in the file, not as the program uses it. */
  readonly written: unknown;
  /** "default", "FILE:LINE:COLUMN" or "env NAME". */
  readonly origin: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each. */
  readonly warnings: readonly string[];
  /** Where each setting came from, by its full name ("c2s.listen"). */
  readonly origins: ReadonlyMap<string, string>;
  readonly settings: readonly Setting[];
  readonly sections: readonly ConfigSection[];
}

/** A configuration that cannot be used; `problems` has one line for each fault. */
export class ConfigFault extends Error implements ForOperator {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigFault";
    this.problems = problems;
  }

  get forOperator(): readonly string[] {
    return this.problems;
  }
}

/**
 * Reads and checks the whole configuration.
 * @throws ConfigFault naming every problem at once.
 */
export function loadConfig(source: ConfigSource = {}): LoadedConfig {
  const sections: readonly ConfigSection[] = [...CORE_SECTIONS, ...(source.sections ?? [])];
  const entries = readEntries(source);
  const variables = ownVariables(source.env ?? {});
  const problems = [...unknownEntries(entries, sections), ...unknownVariables(variables, sections)];
  const found = new Map(entries.map((entry) => [entry.path.join("."), entry]));
  const read = sections.map((one) => readSection(one, found, variables, problems));
  const settings = read.flatMap((one) => one.settings);
  if (problems.length > 0) throw new ConfigFault(problems);
  const config = chooseDomains(assemble(read), settings, problems);
  problems.push(...contradictions(config, settings));
  if (problems.length > 0) throw new ConfigFault(problems);
  const origins = new Map(settings.map((one) => [fullName(one.section, one.key), one.origin]));
  return { config, warnings: warningsOf(config, settings, sections), origins, settings, sections };
}

/** The values of a section that a feature declared itself. */
export function sectionOf<S extends ConfigSection>(config: Config, declared: S): Readonly<z.output<S["schema"]>> {
  const values = (config as unknown as Readonly<Record<string, Readonly<z.output<S["schema"]>> | undefined>>)[
    declared.name
  ];
  assert(values !== undefined, `the section [${declared.name}] was not given to loadConfig`);
  return values;
}

function readEntries({ file, text }: ConfigSource): readonly TomlEntry[] {
  if (file === undefined && text === undefined) return [];
  try {
    return readToml(text ?? readConfigFile(file ?? ""), file ?? "rookery.toml");
  } catch (error) {
    if (error instanceof TomlFault) throw new ConfigFault([error.message]);
    throw error;
  }
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigFault([`${file}: the configuration file cannot be read: ${whyUnreadable(error)}`]);
  }
}

interface ReadSection {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly settings: readonly Setting[];
}

function readSection(
  { name, schema }: ConfigSection,
  found: ReadonlyMap<string, TomlEntry>,
  variables: ReadonlyMap<string, string>,
  problems: string[],
): ReadSection {
  const values: Record<string, unknown> = {};
  const settings: Setting[] = [];
  for (const [key, kind] of Object.entries<z.ZodType>(schema.shape)) {
    const written = writtenValue(name, key, found.get(fullName(name, key)), variables);
    const reading = written.readings.map((value) => ({ value, result: kind.safeParse(value) }));
    const good = reading.find(({ result }) => result.success);
    if (good?.result.success) values[key] = good.result.data;
    else
      problems.push(
        `${written.at}: ${fullName(name, key)} must be ${expected(kind)}, not ${shown(written.readings[0])}`,
      );
    settings.push({ section: name, key, written: good?.value ?? factsOf(kind)?.initial, origin: written.at });
  }
  return { name, values, settings };
}

function writtenValue(
  section: string,
  key: string,
  entry: TomlEntry | undefined,
  variables: ReadonlyMap<string, string>,
): { readonly at: string; readonly readings: readonly unknown[] } {
  const variable = variableOf(section, key);
  const text = variables.get(variable);
  if (text !== undefined) return { at: `env ${variable}`, readings: readings(text) };
  if (entry !== undefined) return { at: entry.valueAt, readings: [entry.value] };
  return { at: "default", readings: [undefined] };
}

function expected(kind: z.ZodType): string {
  return factsOf(kind)?.expects ?? "of another kind";
}

function assemble(read: readonly ReadSection[]): Config {
  const inner = read.filter(({ name }) => name !== "").map(({ name, values }) => [name, values] as const);
  const top = read.find(({ name }) => name === "")?.values;
  return { ...top, ...Object.fromEntries(inner) } as unknown as Config;
}
