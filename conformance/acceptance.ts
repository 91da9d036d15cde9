// `npm run acceptance`: which test shows which point, from the tags at the end of test names. Writes conformance/ACCEPTANCE.md and prints
// the points that nothing shows. Reads jest's report (`-- --jest=FILE`, else it runs jest), the scenes' reports and those of the other parts.
// With `-- --strict` a missing or failed point is exit code 1.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say } from "./part.js";
import { type Point, POINTS, tagsIn } from "./points.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const EXAMPLES = 3; // names shown per point; the rest is a number

/** One test, scene or part of the conformance run. */
interface Proof {
  readonly name: string;
  readonly passed: boolean;
  readonly tags: readonly string[];
}

interface JestReport {
  readonly testResults: readonly { readonly assertionResults: readonly { fullName: string; status: string }[] }[];
}

interface ScenesReport {
  readonly server: string;
  readonly results: readonly { spec: string; sentence: string; tags: readonly string[]; outcome: string }[];
}

function jestProofs(file: string): readonly Proof[] {
  const report = JSON.parse(readFileSync(file, "utf8")) as JestReport;
  const all = report.testResults.flatMap((suite) => suite.assertionResults);
  return all.map(({ fullName, status }) => ({
    name: fullName.replace(/\s*@\S+/g, ""),
    passed: status === "passed",
    tags: tagsIn(fullName),
  }));
}

function scenesProofs(file: string): readonly Proof[] {
  const report = JSON.parse(readFileSync(file, "utf8")) as ScenesReport;
  return report.results.map(({ spec, sentence, tags, outcome }) => ({
    name: `scene ${spec}: ${sentence}`,
    passed: outcome === "passed" || outcome === "differs",
    tags: tagsIn(tags.map((tag) => (tag.startsWith("@") ? tag : `@${tag}`)).join(" ")),
  }));
}

function partProofs(folder: string): readonly Proof[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Proof);
}

function runJest(): string {
  const file = join(ROOT, "build/jest.json");
  const jest = ["--enable-source-maps", "--experimental-vm-modules", "--no-warnings", "node_modules/jest/bin/jest.js"];
  spawnSync(process.execPath, [...jest, "--silent", "--json", `--outputFile=${file}`], { cwd: ROOT, stdio: "ignore" });
  return file;
}

function proofsOf(point: Point, proofs: readonly Proof[]): readonly Proof[] {
  return proofs.filter((proof) => proof.tags.includes(point.id)).sort((a, b) => a.name.localeCompare(b.name, "en"));
}

/** "The attack rows as tests" is shown when every row is. */
function rowsTogether(proofs: readonly Proof[]): readonly Proof[] {
  const rows = POINTS.filter(({ id }) => /^[A-Z]/.test(id));
  const shown = rows.every((point) => proofsOf(point, proofs).some(({ passed }) => passed));
  return shown ? [{ name: "every attack row has its tests", passed: true, tags: ["1.show3"] }] : [];
}

/** A point's line: the proofs, or the word "missing". The names of failed ones come first. */
function row(point: Point, proofs: readonly Proof[]): string {
  const failed = proofs.filter((proof) => !proof.passed);
  const names = [...new Set([...failed.map(({ name }) => `FAILED ${name}`), ...proofs.map(({ name }) => name)])];
  const more = names.length > EXAMPLES ? `; and ${names.length - EXAMPLES} more` : "";
  const shown = names.slice(0, EXAMPLES).join("; ") + more;
  return `| ${point.id} | ${point.title} | ${shown === "" ? "**missing**" : shown.replaceAll("|", "\\|")} |`;
}

function main(options: readonly string[]): number {
  const jest = options.find((option) => option.startsWith("--jest="))?.slice("--jest=".length) ?? runJest();
  const scenes = join(ROOT, "build/scenes-rookery.json");
  const proofs: Proof[] = [
    ...jestProofs(jest),
    ...(existsSync(scenes) ? scenesProofs(scenes) : []),
    ...partProofs(join(ROOT, "build/parts")),
  ];
  proofs.push(...rowsTogether(proofs));
  const rows = POINTS.map((point) => row(point, proofsOf(point, proofs)));
  const head =
    "# What shows what\n\nWritten by `npm run acceptance` from the tags in test names; not edited by hand.\n";
  const table = ["| point | what | shown by |", "| --- | --- | --- |", ...rows].join("\n");
  writeFileSync(join(ROOT, "conformance/ACCEPTANCE.md"), `${head}\n${table}\n`);
  const open = POINTS.filter((point) => !proofsOf(point, proofs).some(({ passed }) => passed));
  const broken = POINTS.filter((point) => proofsOf(point, proofs).some(({ passed }) => !passed));
  for (const { id, title } of open) say(`missing: ${id} ${title}`);
  for (const { id, title } of broken) say(`failed: ${id} ${title}`);
  const unknown = new Set(proofs.flatMap(({ tags }) => tags).filter((tag) => !POINTS.some(({ id }) => id === tag)));
  if (unknown.size > 0) say(`tags without a point: ${[...unknown].join(", ")}`);
  say(`${POINTS.length - open.length} of ${POINTS.length} points are shown`);
  return options.includes("--strict") && open.length + broken.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
