// `npm run crash`: the crash suite. Rounds of load and `kill -9` on every store, each with one line; a server that lies, in which losses must
// be found; stores that fail, stall or are full. `--full` runs the long form, `--rounds=N`, `--seed=N`, `--only=TEXT` parts of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Checks, say } from "../part.js";
import { livesOf } from "./kills.js";
import { Dice } from "./random.js";
import { Round, type RoundResult } from "./round.js";

const [SHORT, FULL] = [10, 50];

function option(name: string): string | undefined {
  return process.argv.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
}

function lineOf(result: RoundResult): string {
  const { where, acknowledged, received, again, refused, lost, excused, changes, lostChanges } = result;
  return [
    `${where.join("; ")}: ${acknowledged} acknowledged, ${received} received, ${again} again, ${refused} refused`,
    `${lost.length} lost, ${excused} excused, ${changes} changes, ${lostChanges.length} lost`,
  ].join(", ");
}

async function rounds(count: number, checks: Checks): Promise<void> {
  const seed = Number(option("seed") ?? Math.floor(Math.random() * 1e6));
  for (let number = 0; number < count; number++) {
    const started = performance.now();
    await checks.shows(`round ${number + 1} of ${count}, seed ${seed + number}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "rookery-crash-"));
      const lives = livesOf(number, new Dice(seed + number));
      const result = await new Round({ seed: seed + number, place: { folder, archive: "always" }, lives }).run();
      say(`        ${lineOf(result)} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      const wrong = [...result.lost.map((id) => `lost ${id}`), ...result.lostChanges, ...result.problems];
      if (result.open > 0) wrong.push(`${result.open} were never acknowledged`);
      say(JSON.stringify({ ...result, lost: undefined, problems: undefined }));
      if (wrong.length > 0) throw new Error(wrong.slice(0, 10).join("\n        "));
      rmSync(folder, { recursive: true, force: true });
    });
  }
}

const checks = new Checks();
await rounds(Number(option("rounds") ?? (process.argv.includes("--full") ? FULL : SHORT)), checks);
const { passed, failed } = checks.outcome;
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
