// Writes settings as TOML: `rookery config` (what is in effect and where it came from) and rookery.example.toml (the defaults).
import type { ConfigSection, LoadedConfig, Setting } from "../config.js";
import { CORE_SECTIONS } from "./sections.js";
import { factsOf } from "./values.js";
import { withoutPassword } from "./words.js";
import type { z } from "zod";

/** The effective settings as TOML that could be used as a file again, each with its origin as a comment; secrets are masked. */
export function printConfig({ settings, sections }: LoadedConfig): string {
  return sections.map((one) => printSection(one, settings)).join("\n");
}

function printSection({ name, schema }: ConfigSection, settings: readonly Setting[]): string {
  const lines = settings.filter(({ section }) => section === name).map((one) => printSetting(one, schema));
  return (name === "" ? lines : [`[${name}]`, ...lines]).join("\n") + "\n";
}

function printSetting({ key, written, origin }: Setting, schema: z.ZodObject): string {
  const secret = factsOf((schema.shape as Readonly<Record<string, z.ZodType>>)[key] ?? schema)?.secret ?? false;
  return `${key} = ${tomlValue(secret ? "(hidden)" : written)}`.padEnd(48) + ` # ${origin}`;
}

/** The example file: every key with its default, commented out, and what it is for. */
export function exampleConfig(features: readonly ConfigSection[] = []): string {
  const head = [
    "# The settings of Rookery with their defaults. All of this is optional: uncomment what you want to change.",
    "# Each key can also be set by an environment variable: ROOKERY_C2S_REQUIRE_TLS=false, ROOKERY_DOMAIN=chat.example.",
    '# Times: "250ms", "30s", "5min", "12h", "7d", "1y". Sizes: "512KiB", "10MB", "1GiB".',
    "",
  ];
  return [...head, ...[...CORE_SECTIONS, ...features].flatMap(exampleSection)].join("\n");
}

function exampleSection(declared: ConfigSection): string[] {
  const title = declared.name === "" ? [] : [`[${declared.name}]`];
  const keys = Object.entries(declared.schema.shape as Readonly<Record<string, z.ZodType>>).flatMap(([key, kind]) => {
    const facts = factsOf(kind);
    const later = declared.later?.includes(key) ? " (No effect yet.)" : "";
    return [
      `# ${facts?.doc ?? ""}${later}`,
      `# Must be ${facts?.expects ?? ""}.`,
      `#${key} = ${tomlValue(facts?.initial)}`,
    ];
  });
  return [...title, `# ${declared.doc}`, "", ...keys, ""];
}

function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  if (typeof value === "object" && value !== null) return tomlTable(value);
  return typeof value === "string" ? tomlString(withoutPassword(value)) : String(value);
}

function tomlTable(value: object): string {
  const pairs = Object.entries(value).map(([key, one]) => `${tomlString(key)} = ${tomlValue(one)}`);
  return `{ ${pairs.join(", ")} }`;
}

function tomlString(value: string): string {
  // JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}
