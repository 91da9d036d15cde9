// The house rules that a compiler does not know: who may import whom, where the outside world may be touched, how large files
// may be. The rules are the tables at the top; a failure names the file, the line and the rule.
import { describe, expect, it } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { LATER_LIMITS, LIMITS } from "./core/limits.js";

/** What each part of the house may import besides itself, named by the beginning of its path; the longest beginning counts. */
const CORE = ["xml/", "stanza/", "storage/", "core/"];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "xml/": [],
  "stanza/": ["xml/"],
  "storage/": ["xml/", "stanza/"],
  "core/": ["xml/", "stanza/", "storage/"],
  // Features. Of another feature only its api.
  "roster/": [...CORE, API()],
  "muc/": [...CORE, API()],
  "xeps/": [...CORE, API()],
  // Drivers, and the suite that holds them to one contract.
  "storage/memory/": CORE,
  "storage/sqlite/": CORE,
  "storage/mongo/": CORE,
  "storage/contract/": [...CORE, "storage/memory/", "storage/sqlite/", "storage/mongo/"],
  // Opens the driver that a URL names.
  "storage/open.ts": [...CORE, "storage/memory/", "storage/sqlite/", "storage/mongo/"],
  // The lock of a data folder is a database of its own.
  "storage/lock.ts": [...CORE, "storage/sqlite/"],
  "sasl/": CORE,
  "admin/": CORE,
  "cluster/": CORE,
  // Transports. Those that log in offer the mechanisms of sasl; the web carries the same streams as TCP.
  "c2s/": [...CORE, "sasl/"],
  "s2s/": [...CORE, "sasl/"],
  "component/": CORE,
  "web/": [...CORE, "sasl/", "c2s/"],
  // The roots know everybody.
  "features.ts": ["muc/", "roster/", "xeps/", ...CORE],
  "start.ts": [""],
  "doap.ts": CORE,
  "check.ts": [...CORE, "admin/", "c2s/", "storage/open.ts"],
  "main.ts": [""],
  "simulation/": [""],
};

/** Parts of `storage/` that only those may see whose row names them: everybody else knows the port. */
const DRIVERS = ["storage/memory/", "storage/sqlite/", "storage/mongo/", "storage/contract/", "storage/open.ts"];

/** Code that touches the world outside the process, or its own, and the only places where it may stand. */
const ADAPTERS: readonly { readonly what: string; readonly pattern: RegExp; readonly only: readonly string[] }[] = [
  { what: "the time of day", pattern: /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/g, only: ["core/clock.ts"] },
  { what: "a timer", pattern: /(?<!\.)\b(?:setTimeout|setInterval|setImmediate)\(/g, only: ["core/clock.ts"] },
  { what: "node:timers", pattern: /"node:timers/g, only: [] },
  { what: "a clock of its own", pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/g, only: ["core/clock.ts"] },
  {
    what: "randomness",
    pattern:
      /\bMath\.random\b|\bimport \{[^}]*\brandom\w+[^}]*\} from "node:crypto"|\b\w*crypto\.(?:random\w+|getRandomValues)\b/g,
    only: ["core/random.ts"],
  },
  {
    what: "node:net",
    pattern: /"node:net"/g,
    only: ["admin/control.ts", "admin/check.ts", "c2s/endpoints.ts", "c2s/listener.ts", "c2s/tcp.ts", "s2s/", "web/"],
  },
  {
    what: "node:tls",
    pattern: /"node:tls"/g,
    only: ["c2s/tls/contexts.ts", "c2s/listener.ts", "c2s/tcp.ts", "s2s/", "web/"],
  },
  { what: "node:dns", pattern: /"node:dns/g, only: ["s2s/", "admin/check.ts"] },
  { what: "node:http", pattern: /"node:https?2?"/g, only: ["web/"] },
  {
    what: "node:fs",
    pattern: /"node:fs(?:\/promises)?"/g,
    only: [
      "core/config.ts",
      "c2s/tls/",
      "admin/",
      "storage/lock.ts",
      "storage/open.ts",
      "storage/sqlite/",
      "storage/contract/",
      "check.ts",
      "main.ts",
    ],
  },
  { what: "a thread", pattern: /"node:worker_threads"/g, only: ["storage/sqlite/", "sasl/"] },
  { what: "another process", pattern: /"node:child_process"/g, only: ["storage/contract/"] },
  {
    what: "the process itself",
    pattern: /\bprocess\.(?:env|argv|exit|exitCode|stdin|stdout|stderr|on|once|chdir)\b/g,
    only: ["main.ts", "storage/contract/child.ts"],
  },
];

/** Packages that stand behind one adapter each. Any file may use those that are not named. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@xmpp/xml": ["xml/element.ts"],
  ltx: [],
  pino: ["core/log.ts"],
  "pino-pretty": ["core/log.ts"],
  "toml-eslint-parser": ["core/config/toml.ts"],
  commander: ["admin/cli.ts"],
  fastify: ["web/app.ts"],
  "@peculiar/x509": ["c2s/tls/x509.ts"],
  "reflect-metadata": ["c2s/tls/x509.ts"],
  "@photostructure/sqlite": ["storage/sqlite/"],
  mongodb: ["storage/mongo/"],
};

const MAX_LINES = { source: 400, test: 600 };
/** Files that are larger. The number only ever goes down: split them. */
const LARGER: Readonly<Record<string, number>> = {};

/** Names that say nothing about what is inside. */
const EMPTY_NAMES = /(?:^|\/)(?:utils?|helpers?|managers?|misc|common|data)(?:\.ts|\/)/;

interface SourceFile {
  /** Below src, with "/". */
  readonly path: string;
  readonly isTest: boolean;
  readonly text: string;
  /** Without comments, line by line. */
  readonly code: readonly string[];
  readonly imports: readonly { readonly target: string; readonly line: number }[];
}

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"))
  .sort()
  .map(readSource);
const product = files.filter(({ isTest }) => !isTest);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(SRC, path), "utf8");
  const code = withoutComments(text).split("\n");
  // Kits that tests arrange with ("x.test.kit.ts", "testing/") are tests; so is what a simulator is made of.
  const isTest = /\.test\.|(?:^|\/)testing\/|^simulation\//.test(path);
  return { path, isTest, text, code, imports: code.flatMap((line, at) => importsOf(path, line, at + 1)) };
}

/** Blanks comments, keeping the lines. Strings that look like comments are rare enough to be written otherwise. */
function withoutComments(text: string): string {
  const blocks = text.replace(/\/\*[\s\S]*?\*\//g, (block) => block.replace(/[^\n]/g, ""));
  return blocks.replace(/(^|[\s;{}()])\/\/.*$/gm, "$1");
}

/** The numbers of the lines on which a pattern is found; it may run over several. */
function linesOf(code: string, pattern: RegExp): number[] {
  return [...code.matchAll(pattern)].map(({ index }) => code.slice(0, index).split("\n").length);
}

function importsOf(path: string, line: string, number: number): SourceFile["imports"] {
  const found = [...line.matchAll(/(?:\bfrom|\bimport|\bimport\(|new URL\() ?"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return found.map((target) => ({ target: target.startsWith(".") ? within(path, target) : target, line: number }));
}

function within(path: string, target: string): string {
  return normalize(join(dirname(path), target))
    .replaceAll("\\", "/")
    .replace(/\.js$/, ".ts");
}

/** The placeholder for "the api of any feature" in {@link MAY_IMPORT}. */
function API(): string {
  return "*api.ts";
}

function isUnder(path: string, places: readonly string[]): boolean {
  return places.some((place) =>
    place === API() ? isApi(path) : path === place || (place.endsWith("/") && path.startsWith(place)) || place === "",
  );
}

/** "roster/api.ts", or "xeps/0030-disco.api.ts" beside the one file of a feature. */
function isApi(path: string): boolean {
  return /^(?:roster|muc|xeps)\/(?:.*[/.])?api\.ts$/.test(path);
}

/** The longest key of a table that a path lies under. */
function rowOf(path: string, table: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(table)
    .filter((key) => isUnder(path, [key]))
    .sort((a, b) => b.length - a.length)[0];
}

/** The part of the house that a file belongs to. In `xeps/` each XEP is a part of its own: its folder, or its files of one name. */
function partOf(path: string): string {
  const xep = /^xeps\/(?:\d{4}-)?[a-z0-9-]+/.exec(path);
  return xep?.[0] ?? rowOf(path, MAY_IMPORT) ?? path;
}

/** What every XEP may use of its own folder: files that are no feature (no number in front). */
function isSharedAmongXeps(from: string, to: string): boolean {
  return from.startsWith("xeps/") && /^xeps\/[a-z]/.test(to);
}

function importFault(from: string, to: string): string | undefined {
  const row = rowOf(from, MAY_IMPORT);
  if (row === undefined) return `stands in no row of MAY_IMPORT`;
  if (partOf(from) === partOf(to) || isSharedAmongXeps(from, to)) return undefined;
  const allowed = MAY_IMPORT[row] ?? [];
  const driver = DRIVERS.find((place) => isUnder(to, [place]));
  const may = driver === undefined ? isUnder(to, allowed) : allowed.includes(driver) || allowed.includes("");
  return may
    ? undefined
    : `${row} may import ${allowed.map((one) => one || "everything").join(" ") || "nothing"}, not ${to}`;
}

describe("the house", () => {
  it("is read whole", () => {
    expect(files.map(({ path }) => path)).toContain("xml/element.ts");
    expect(product.length).toBeGreaterThan(10);
  });

  it("lets nobody import what lies above or beside it @1.12", () => {
    const faults = product.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target.endsWith(".ts") && !target.startsWith("node:"))
        .map(({ target, line }) => ({ line, fault: importFault(path, target) }))
        .filter(({ fault }) => fault !== undefined)
        .map(({ line, fault }) => `src/${path}:${line}: ${fault ?? ""}`),
    );
    expect(faults).toEqual([]);
  });

  it("touches the world outside only in its adapters @1.12", () => {
    const faults = product.flatMap(({ path, code }) =>
      ADAPTERS.filter(({ only }) => !isUnder(path, only)).flatMap(({ what, pattern }) =>
        linesOf(code.join("\n"), pattern).map(
          (line) => `src/${path}:${line}: ${what}: take it through the constructor`,
        ),
      ),
    );
    expect(faults).toEqual([]);
  });

  it("keeps packages behind their adapters @1.12", () => {
    const faults = product.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => Object.hasOwn(PACKAGES, target) && !isUnder(path, PACKAGES[target] ?? []))
        .map(
          ({ target, line }) =>
            `src/${path}:${line}: only ${PACKAGES[target]?.join(", ") || "tests"} may import ${target}`,
        ),
    );
    expect(faults).toEqual([]);
  });

  it("has no file of several hundred lines @1.12", () => {
    const sizes = files.map(({ path, isTest, text }) => ({
      path,
      lines: text.split("\n").length - 1,
      limit: LARGER[path] ?? (isTest ? MAX_LINES.test : MAX_LINES.source),
    }));
    expect(
      sizes
        .filter(({ lines, limit }) => lines > limit)
        .map(({ path, lines, limit }) => `src/${path}: ${lines} lines, at most ${limit}: split it`),
    ).toEqual([]);
    const shrunk = Object.keys(LARGER).filter(
      (path) => (sizes.find((one) => one.path === path)?.lines ?? 0) <= MAX_LINES.source,
    );
    expect(shrunk.map((path) => `src/${path} is small enough now: take it out of LARGER`)).toEqual([]);
  });

  it("heeds every limit that can be set @1.12", () => {
    const rest = product.filter(({ path }) => path !== "core/limits.ts").map(({ code }) => code.join("\n"));
    const unheeded = Object.keys(LIMITS).filter((name) => !rest.some((code) => new RegExp(`\\b${name}\\b`).test(code)));
    expect(unheeded.sort()).toEqual([...LATER_LIMITS].sort());
  });

  it("crosses every limit in a test that says so by @limit and its name @1.12", () => {
    const tests = files.filter(({ isTest, path }) => isTest && path !== "architecture.test.ts");
    const crossed = new Set(tests.flatMap(({ text }) => [...text.matchAll(/@limit\.(\w+)/g)].map(([, name]) => name)));
    expect([...crossed].sort()).toEqual(
      Object.keys(LIMITS)
        .filter((name) => !LATER_LIMITS.some((later) => later === name))
        .sort(),
    );
  });

  it("says in each file first what the file is for @1.12", () => {
    const silent = files.filter(({ text, isTest }) => !isTest && !/^(?:#!.*\n)?(?:\/\/ |\/\*\* )\S/.test(text));
    expect(silent.map(({ path }) => `src/${path}: opens without a word on what it is for`)).toEqual([]);
  });

  it("gives files names that say something @1.12", () => {
    expect(
      files.filter(({ path }) => EMPTY_NAMES.test(path)).map(({ path }) => `src/${path}: name it by what it does`),
    ).toEqual([]);
  });

  it("has no open end without an issue @1.12", () => {
    const marks = new RegExp(
      `\\b(?:${["TO", "FIX"].map((half) => `${half}${half === "TO" ? "DO" : "ME"}`).join("|")}|X{3})\\b(?!\\(#\\d+\\))`,
    );
    const faults = files.flatMap(({ path, text }) =>
      text
        .split("\n")
        .flatMap((line, at) => (marks.test(line) ? [`src/${path}:${at + 1}: name the issue, as in (#12)`] : [])),
    );
    expect(faults).toEqual([]);
  });
});

describe("the rules themselves", () => {
  it.each([
    ["xml/scanner.ts", "stanza/jid.ts", false],
    ["stanza/jid.ts", "xml/wire.ts", true],
    ["core/lane.ts", "storage/port.ts", true],
    ["core/lane.ts", "storage/sqlite/sqlite.ts", false],
    ["core/lane.ts", "storage/open.ts", false],
    ["core/lane.ts", "roster/api.ts", false],
    ["roster/roster.ts", "roster/items.ts", true],
    ["roster/roster.ts", "muc/room.ts", false],
    ["xeps/0280-carbons.ts", "roster/api.ts", true],
    ["xeps/0280-carbons.ts", "roster/roster.ts", false],
    ["xeps/0280-carbons.ts", "xeps/0191-blocking.ts", false],
    ["xeps/0280-carbons.ts", "xeps/0191-blocking.api.ts", true],
    ["xeps/0280-carbons.ts", "xeps/session.ts", true],
    ["xeps/0313-mam/query.ts", "xeps/0313-mam/page.ts", true],
    ["xeps/0313-mam/query.ts", "xeps/0030-disco/api.ts", true],
    ["xeps/0030-disco.ts", "c2s/stream.ts", false],
    ["c2s/stream.ts", "sasl/scram.ts", true],
    ["c2s/stream.ts", "s2s/link.ts", false],
    ["storage/sqlite/sqlite.ts", "storage/memory/memory.ts", false],
    ["storage/open.ts", "storage/sqlite/sqlite.ts", true],
    ["main.ts", "storage/sqlite/sqlite.ts", true],
    ["nowhere/x.ts", "xml/wire.ts", false],
  ])("%s importing %s: %s", (from, to, may) => {
    expect(importFault(from, to) === undefined).toBe(may);
  });

  it.each([
    ["the time of day", "const t = new Date();"],
    ["a timer", "setTimeout(f, 1);"],
    ["randomness", 'import {\n  createHash,\n  randomBytes,\n} from "node:crypto";'],
    ["node:fs", 'import { readFile } from "node:fs/promises";'],
    ["the process itself", "process.exit(1);"],
  ])("see %s", (what, code) => {
    expect(ADAPTERS.filter(({ pattern }) => linesOf(code, pattern).length > 0).map((one) => one.what)).toEqual([what]);
  });

  it("look at code, not at comments", () => {
    expect(withoutComments('a // setTimeout(\n/* Date.now\n */ b "http://c"')).toBe('a \n\n b "http://c"');
  });
});
