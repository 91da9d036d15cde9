// `npm run bench` measures every server that is here and writes bench/RESULTS.md; with `-- --short` it only prints, in under 90 seconds.
// `-- --only=prosody` leaves the others out. It ends with what it counted; a message lost, doubled or out of order ends it before.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compare, microsPerMessage, type Plan, SERVER_CORE, type Series } from "./compare.js";
import { document, table } from "./report.js";
import { prosody, prosodyIsInstalled } from "../conformance/servers/prosody.js";
import { rookery, rookeryIsBuilt } from "../conformance/servers/rookery.js";
import type { StartableServer } from "../conformance/servers/server.js";

const RESULTS = fileURLToPath(new URL("../../bench/RESULTS.md", import.meta.url));
const LONG: Plan = { pairs: 50, inFlight: 10, rounds: 3, warmUpMs: 5000, measureMs: 8000 };
const SHORT: Plan = { pairs: 50, inFlight: 10, rounds: 1, warmUpMs: 4000, measureMs: 4000 };

type Contestant = readonly [name: string, make: (folder: string) => StartableServer];

const say = (line: string): void => void process.stdout.write(line + "\n");

/** The comparison in its short form; throws when a message is lost, doubled or out of order. */
export function shortBench(): Promise<readonly Series[]> {
  return compare(
    present().map(([, make]) => make),
    SHORT,
    say,
  );
}

function present(): Contestant[] {
  const core = SERVER_CORE;
  const all: Contestant[] = [];
  if (rookeryIsBuilt()) all.push(["rookery", (folder) => rookery({ folder, core, archive: "never" })]);
  if (prosodyIsInstalled()) all.push(["prosody", (folder) => prosody({ folder, core })]);
  return all;
}

async function main(options: readonly string[]): Promise<void> {
  const short = options.includes("--short");
  const plan = short ? SHORT : LONG;
  const only = options.find((option) => option.startsWith("--only="))?.slice("--only=".length);
  const chosen = present().filter(([name]) => only === undefined || name === only);
  const all = await compare(
    chosen.map(([, make]) => make),
    plan,
    say,
  );
  say("\n" + table(all));
  if (!short && only === undefined && rookeryIsBuilt()) writeFileSync(RESULTS, document(all, plan, new Date()));
  for (const one of all) say(`counted ${describe(one)}`);
  say(`${all.length} passed, 0 failed`);
}

function describe({ server, mode, rounds }: Series): string {
  const messages = rounds.reduce((sum, round) => sum + round.messages, 0);
  const cost = `${microsPerMessage(rounds).toFixed(1)} µs of the server's CPU each`;
  return `${server} ${mode}: ${messages} messages, each once and in order, ${cost}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
