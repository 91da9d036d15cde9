// `npm run full`: the suites that `npm test` and `npm run conformance` have in a short form, in their long one, and their last results in
// conformance/FULL.md. `-- --only=NAME` runs one and leaves the others' results as they are.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { countedIn, type LongRun, withRun } from "./full-page.js";
import { counted, counts, type Outcome, plus, runScript, say } from "./part.js";
import { provenance } from "./provenance.js";

const PAGE = fileURLToPath(new URL("../../conformance/FULL.md", import.meta.url));

/** A script (path from the project's root) that prints `counted …` lines and, at its end, `N passed, N failed`. */
interface LongPart {
  readonly name: string;
  readonly about: string;
  readonly script: string;
  readonly parameters: readonly string[];
}

/** In this order. A long form that another suite brings is one entry here. */
const PARTS: readonly LongPart[] = [
  {
    name: "fuzz",
    about:
      "Random documents, whole, damaged and in pieces: the scanner agrees with readers that others wrote. About 3 minutes.",
    script: "build/conformance/fuzz/main.js",
    parameters: [],
  },
  {
    name: "attacks",
    about: "The attacks on a real process, with the floods at their full size. About 10 minutes.",
    script: "build/conformance/attacks/main.js",
    parameters: ["--full"],
  },
  {
    name: "crash",
    about:
      "`kill -9` at random moments and at every step of the durable path, 50 rounds on SQLite and 20 on MongoDB; stores that fail. About 25 minutes.",
    script: "build/conformance/crash/suite.js",
    parameters: ["--full"],
  },
  {
    name: "bench",
    about: "The comparison of [bench/RESULTS.md](../bench/RESULTS.md), which it writes anew. About 10 minutes.",
    script: "build/bench/main.js",
    parameters: [],
  },
];

async function main(options: readonly string[]): Promise<number> {
  const only = options.find((option) => option.startsWith("--only="))?.slice("--only=".length);
  const chosen = PARTS.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) {
    say(`no part is named ${only ?? ""}; there are: ${PARTS.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  let sum: Outcome = { passed: 0, failed: 0, skipped: 0 };
  for (const part of chosen) {
    const run = await runPart(part);
    const before = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "";
    writeFileSync(
      PAGE,
      withRun(
        before,
        run,
        PARTS.map(({ name }) => name),
      ),
    );
    sum = plus(sum, run.outcome);
  }
  say(`\n== full\n${counts(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

async function runPart({ name, about, script, parameters }: LongPart): Promise<LongRun> {
  say(`\n== ${name}`);
  const command = `npm run full -- --only=${name}`;
  const from = provenance(new Date()); // before the part writes results of its own
  const started = performance.now();
  const { code, output } = await runScript(script, ...parameters);
  const seconds = (performance.now() - started) / 1000;
  return {
    name,
    about,
    command,
    outcome: counted(output, code),
    seconds,
    counted: countedIn(output),
    provenance: from,
  };
}

process.exitCode = await main(process.argv.slice(2));
