// `node build/conformance/fuzz/main.js`: the tests of this folder with more random input than `npm test` gives them. `--runs=N` documents
// (100,000), `--seed=N` for the input of an earlier run; else every run has its own.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { counts, type Outcome, say } from "../part.js";
import { amounts } from "./amounts.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const RUNS = "100000";
const LIMIT_MS = 3_600_000; // for one test
const JEST = ["--enable-source-maps", "--experimental-vm-modules", "--no-warnings", "node_modules/jest/bin/jest.js"];

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

async function main(options: readonly string[]): Promise<number> {
  const option = (name: string): string | undefined =>
    options.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
  const seed = option("seed") ?? String(Date.now() % 2 ** 31);
  const environment = { ROOKERY_FUZZ_RUNS: option("runs") ?? RUNS, ROOKERY_FUZZ_SEED: seed };
  const { generated, damaged, cuts } = amounts(environment);
  const outcome = await runJest(environment);
  say(`counted ${generated} generated and ${damaged} damaged documents, ${cuts} ways to cut a stream, seed ${seed}`);
  say(counts(outcome));
  return outcome.failed === 0 ? 0 : 1;
}

async function runJest(environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "rookery-fuzz-"));
  const report = join(folder, "report.json");
  const options = ["--silent", `--testTimeout=${LIMIT_MS}`, "--json", `--outputFile=${report}`];
  const child = spawn(process.execPath, [...JEST, ...options, "build/conformance/fuzz"], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit"], // its report once more, and what failed
  });
  try {
    await new Promise((resolve) => child.once("close", resolve).once("error", resolve));
    return outcomeOf(JSON.parse(readFileSync(report, "utf8")) as Report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function outcomeOf({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites }: Report): Outcome {
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites, skipped: 0 };
}

process.exitCode = await main(process.argv.slice(2));
