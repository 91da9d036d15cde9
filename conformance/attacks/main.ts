// `node build/conformance/attacks/main.js`: the attacks that need a real process, sockets and TLS. `--full` runs the long form of the
// floods (rulings 28); `--only=TEXT` those whose name holds the text.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rookery } from "../servers/rookery.js";
import { say } from "../part.js";
import { CONNECTIONS_PER_ADDRESS, flood } from "./flood.js";
import { NEGOTIATION, PASSWORD } from "./negotiation.js";
import { runAttacks, type Score } from "./suite.js";

const LIMITS: readonly string[] = [
  'preauth_deadline = "5s"',
  'close_timeout = "1s"',
  `connections_per_address = ${CONNECTIONS_PER_ADDRESS}`,
  "auth_failures_per_account = 0",
  "auth_failures_per_address = 0",
];

async function main(options: readonly string[]): Promise<number> {
  const connections = options.includes("--full") ? 100_000 : 10_000;
  const only = options.find((one) => one.startsWith("--only="))?.slice("--only=".length) ?? "";
  const score: Score = { passed: 0, failed: 0 };
  const folder = mkdtempSync(join(tmpdir(), "rookery-attacks-"));
  const heap = join(folder, "heap");
  Object.assign(process.env, measurable(heap)); // for the server
  const attacks = [...NEGOTIATION, ...flood(connections, heap)].filter(({ name }) => name.includes(only));
  try {
    const server = await rookery({ folder, tls: "required", limits: LIMITS }).start();
    try {
      await server.register("romeo", PASSWORD);
      await runAttacks(attacks, server, score);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(`${score.passed} passed, ${score.failed} failed`);
  return score.failed === 0 ? 0 : 1;
}

/**
 * An environment with less memory that is resident but not in use: else V8's young generation takes or leaves 30 MiB as it sees fit,
 * malloc keeps an arena per thread, and what was read from a socket lies where one small block above it keeps 20 MiB from going back.
 */
function measurable(heap: string): Readonly<Record<string, string>> {
  const collect = new URL("collect.js", import.meta.url).href;
  return {
    NODE_OPTIONS: `--max-semi-space-size=2 --import=${collect}`,
    MALLOC_ARENA_MAX: "2",
    MALLOC_MMAP_THRESHOLD_: "4096", // bytes: from here on each block is given back by itself
    MALLOC_TRIM_THRESHOLD_: "65536",
    ROOKERY_TEST_HEAP: heap,
  };
}

process.exitCode = await main(process.argv.slice(2));
