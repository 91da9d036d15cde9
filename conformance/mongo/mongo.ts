// The contract of storage drivers over MongoDB, and what happens when the database dies: jest suites that need a server, run as a part.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing, type Outcome, type Part, say, type Surroundings } from "../part.js";
import { type MongoServer, mongoServer } from "../servers/mongo.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const NODE = ["--enable-source-maps", "--experimental-vm-modules", "--no-warnings", "node_modules/jest/bin/jest.js"];
/** The stand-in in CI needs some ms for each entry. */
const TEST_MS = 240_000;

export const mongoPart: Part = {
  name: "Mongo contract",
  shows: ["2.5", "H12"],
  run: async (around) => {
    const folder = mkdtempSync(join(tmpdir(), "rookery-mongo-"));
    try {
      const server = await mongoServer(around, join(folder, "db"));
      if (typeof server === "string") return missing(server, around);
      return await runSuites(server, folder, around).finally(() => server.stop());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function runSuites(server: MongoServer, folder: string, around: Surroundings): Promise<Outcome> {
  say(`on ${server.name}`);
  const report = join(folder, "report.json");
  const env = {
    ...process.env,
    ROOKERY_TEST_MONGODB: server.url,
    ROOKERY_TEST_MONGODB_OWN: String(server.process !== undefined),
    ROOKERY_TEST_TOOLS: around.tools,
  };
  const suites = ["--testMatch", "**/build/conformance/mongo/*.suite.js", "--runInBand", "--forceExit"];
  const output = ["--silent", "--verbose", `--testTimeout=${TEST_MS}`, "--json", `--outputFile=${report}`];
  const child = spawn(process.execPath, [...NODE, ...suites, ...output], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await new Promise((resolve) => child.once("close", resolve));
  const counts = JSON.parse(readFileSync(report, "utf8")) as Report;
  const passed = counts.numPassedTests;
  const failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
  say(`the storage contract and ${passed + failed} tests in all on ${server.name}: ${passed} passed, ${failed} failed`);
  return { passed, failed, skipped: counts.numPendingTests };
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numRuntimeErrorTestSuites: number;
}
