// `npm run conformance`: everything that needs more than Node, part by part, with the time of each and one line at the end that counts all.
// `-- --only=NAME` runs one part, `-- --server=prosody` puts another server in our place.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { shortBench } from "../bench/main.js";
import { table } from "../bench/report.js";
import { prosody } from "./servers/prosody.js";
import { rookery } from "./servers/rookery.js";
import { badInputPart } from "./bad-input/bad-input.js";
import { largePart } from "./large/large.js";
import { goXmppPart } from "./interop/go-xmpp.js";
import { gsaslPart } from "./interop/gsasl.js";
import { roomPart } from "./interop/room/room.js";
import { smackPart } from "./interop/smack.js";
import { slixmppPart } from "./interop/slixmpp.js";
import { xmppjsPart } from "./interop/xmppjs.js";
import { mongoPart } from "./mongo/mongo.js";
import { startPart } from "./start/start.js";
import { counts, missing, type Outcome, type Part, plus, say, scriptPart, type Surroundings } from "./part.js";
import { TOOLS } from "./tools.js";

const benchPart: Part = {
  name: "bench",
  shows: ["1.show4", "2.show4", "3.show3"],
  run: async (around) => {
    const all = await shortBench();
    say(table(all));
    const absent = ["rookery", "prosody", "ejabberd"].filter((name) => !all.some(({ server }) => server === name));
    if (absent.length > 0) return missing(`no ${absent.join(" and no ")} to measure`, around);
    return { passed: all.length, failed: 0, skipped: 0 };
  },
};

/** In this order. A part that another suite brings is one line here. */
const PARTS: readonly Part[] = [
  startPart,
  badInputPart,
  largePart,
  scriptPart("scenes", ["1.11"], "build/conformance/runner/main.js"),
  scriptPart("scenes on Prosody", ["1.11"], "build/conformance/runner/main.js", "--server", "prosody"),
  scriptPart("attacks", ["1.show3", "A1", "A2", "A6", "X5", "X11"], "build/conformance/attacks/main.js"),
  mongoPart,
  scriptPart("crash", ["2.show1", "2.show2", "3.show4"], "build/conformance/crash/suite.js"),
  gsaslPart,
  goXmppPart,
  slixmppPart,
  xmppjsPart,
  roomPart,
  smackPart,
  benchPart,
];

async function main(options: readonly string[]): Promise<number> {
  const option = (name: string): string | undefined =>
    options.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
  const server = option("server") ?? "rookery";
  const around = surroundings(server);
  const only = option("only");
  const chosen = PARTS.filter((part) => only === undefined || part.name === only);
  if (chosen.length === 0)
    say(`no part is named ${only ?? ""}; there are: ${PARTS.map((part) => part.name).join(", ")}`);
  const lines: string[] = [];
  let sum: Outcome = { passed: 0, failed: chosen.length === 0 ? 1 : 0, skipped: 0 };
  for (const part of chosen) {
    say(`\n== ${part.name}`);
    const started = performance.now();
    const outcome = await guarded(part, around);
    lines.push(`${part.name}: ${counts(outcome)} (${Math.round((performance.now() - started) / 1000)} s)`);
    if (server === "rookery") note(part, outcome);
    sum = plus(sum, outcome);
  }
  say(`\n== conformance\n${lines.join("\n")}\n${counts(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

/** For the acceptance page: whether a part passed and what that shows. A part that was skipped shows nothing. */
function note({ name, shows }: Part, { passed, failed }: Outcome): void {
  const folder = fileURLToPath(new URL("../parts", import.meta.url));
  const file = join(folder, `${name.replace(/\W+/g, "-")}.json`);
  mkdirSync(folder, { recursive: true });
  if (passed + failed === 0) return rmSync(file, { force: true });
  writeFileSync(
    file,
    JSON.stringify({ name: `npm run conformance: ${name}`, passed: failed === 0, tags: shows }) + "\n",
  );
}

function surroundings(server: string): Surroundings {
  return {
    server: (folder) => (server === "prosody" ? prosody({ folder }) : rookery({ folder, archive: "always" })),
    tools: TOOLS,
    ci: process.env["CI"] === "true",
  };
}

/** A part that throws counts as one failure; the others still run. */
async function guarded(part: Part, around: Surroundings): Promise<Outcome> {
  try {
    return await part.run(around);
  } catch (error) {
    say(`FAILED  ${part.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

process.exitCode = await main(process.argv.slice(2));
