// `npm run crash`: the crash suite. Rounds of load and `kill -9` on every store, one line each; a server that lies, in which losses must
// be found; stores that fail, stall or are full. `--full` is the long form; `--store=sqlite|mongo`, `--rounds=N`, `--seed=N`, `--only=TEXT` choose, `--keep` leaves
// the folders of rounds that failed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Checks, say } from "../part.js";
import { livesOf } from "./kills.js";
import { Dice } from "./random.js";
import { Round, type RoundOptions, type RoundResult } from "./round.js";
import { mongo, sqlite, type Store } from "./stores.js";
import { LONG_TROUBLES, TROUBLES } from "./troubles.js";
import { NO_RESUMPTIONS, type Resumptions } from "./members.js";

const LIES = 3; // rounds with the server that lies
const SHOWN = 10; // mistakes of a round that are printed

const isFull = process.argv.includes("--full");
const only = option("only") ?? "";
const seed = Number(option("seed") ?? Math.floor(Math.random() * 1e6));
const checks = new Checks();
const afterKill: Resumptions = { ...NO_RESUMPTIONS };
const afterStop: Resumptions = { ...NO_RESUMPTIONS };
let heardInRooms = 0;

function option(name: string): string | undefined {
  return process.argv.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** Runs a round in a folder of its own and prints its line. */
async function play(store: Store, options: Omit<RoundOptions, "place">, archive: "always" | "never") {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "rookery-crash-"));
  let isGood = false;
  try {
    const place = { folder, archive, settings: store.settings() + (options.trouble?.settings ?? "") };
    const result = await new Round({ ...options, place }).run();
    say(`        ${lineOf(result)} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    isGood = mistakesOf(result).length === 0;
    return result;
  } finally {
    if (isGood || !process.argv.includes("--keep")) rmSync(folder, { recursive: true, force: true });
    else say(`        its data is in ${folder}`);
  }
}

function lineOf(result: RoundResult): string {
  const { where, acknowledged, received, again, refused, lost, changes, lostChanges, heardInRoom } = result;
  const counts = [
    `${acknowledged} acknowledged, ${received} received, ${again} more copies, ${refused} refused, ${lost.length} lost`,
    `${changes} changes, ${lostChanges.length} lost`,
    `${heardInRoom} heard in a room`,
    ...(result.isArchived ? [] : [unarchived(result)]),
  ];
  return `${where.join("; ")}: ${counts.join("; ")}`;
}

/**
 * Where nothing is archived everything is judged but what nobody can know (engineering 3: nothing is written before delivery). To a session
 * without XEP-0198 a message is delivered once its socket has taken it; if that breaks, or the process is killed, it may not have been
 * read, and comes only if its sender sends it again, then out of its place. And what was delivered and not written is delivered again
 * when it is sent again after `kill -9`: these copies are in no log, so they are counted as "more copies" and not judged.
 */
function unarchived({ excused }: RoundResult): string {
  return `no archive: ${excused} not read from a broken connection`;
}

/** What must not be. */
function mistakesOf(result: RoundResult): readonly string[] {
  const { lost, lostChanges, disorder, renamed, takenBack, problems, open } = result;
  return [
    ...[...lost, ...lostChanges].map((what) => `lost: ${what}`),
    ...[...disorder, ...renamed, ...takenBack, ...problems],
    ...(open > 0 ? [`${open} messages were never answered for`] : []),
  ];
}

async function judged(name: string, play: () => Promise<RoundResult>): Promise<void> {
  if (!name.includes(only)) return;
  await checks.shows(name, async () => {
    const result = await play();
    add(afterKill, result.afterKill);
    add(afterStop, result.afterStop);
    heardInRooms += result.heardInRoom;
    const mistakes = mistakesOf(result);
    if (mistakes.length > 0) throw new Error(mistakes.slice(0, SHOWN).join("\n        "));
  });
}

function add(sum: Resumptions, { tried, done, occupants, inRoom }: Resumptions): void {
  sum.tried += tried;
  sum.done += done;
  sum.occupants += occupants;
  sum.inRoom += inRoom;
}

async function rounds(store: Store): Promise<void> {
  const count = Number(option("rounds") ?? (isFull ? store.full : store.short));
  for (let number = 0; number < count; number++) {
    const dice = new Dice(seed + number);
    const options = { seed: seed + number, lives: livesOf(number, dice) };
    const archive = number % 3 === 2 ? "never" : "always";
    const title = `${store.name}: round ${number + 1} of ${count}, seed ${options.seed}, archive ${archive} @2.show1 @3.2`;
    await judged(title, () => play(store, options, archive));
  }
}

async function troubles(store: Store): Promise<void> {
  for (const trouble of [...TROUBLES, ...(isFull ? LONG_TROUBLES : [])]) {
    if (trouble.maxPages !== undefined && !store.canBeFull) continue;
    const lives = [{ end: { kind: "random", afterMs: 0 } }] as const;
    const title = `${store.name}: a store that ${trouble.name} @2.show2`;
    await judged(title, () => play(store, { seed, lives, trouble }, "always"));
  }
}

/** The suite itself: a server that acknowledges before the commit must be found out. */
async function lies(store: Store): Promise<void> {
  const title = `${store.name}: with a server that acknowledges before the commit, the suite finds losses @2.show1`;
  if (!title.includes(only)) return;
  await checks.shows(title, async () => {
    for (let number = 0; number < LIES; number++) {
      const lives = [{ end: { kind: "random", afterMs: 1200 + 200 * number } }] as const;
      const { lost, lostChanges } = await play(store, { seed: seed + number, lives, lies: true }, "always");
      if (lost.length + lostChanges.length === 0) throw new Error("it lost nothing that was noticed");
    }
  });
}

/** Over all rounds: there was something in the room that could have been lost. */
async function rooms(): Promise<void> {
  say(`        heard in rooms: ${heardInRooms}`);
  if (only !== "") return; // too few to judge
  await checks.shows(
    "what somebody has heard in a logged room is in its archive, in one order for all @3.2 @3.show4",
    () => (heardInRooms > 0 ? Promise.resolve() : Promise.reject(new Error("nothing was heard"))),
  );
}

/** Over all rounds: how many quiet sessions came back. */
async function resumptions(): Promise<void> {
  const line = `${afterKill.done} of ${afterKill.tried} after kill -9, ${afterStop.done} of ${afterStop.tried} after an orderly stop`;
  say(`        quiet sessions resumed: ${line}`);
  const occupants = afterKill.occupants + afterStop.occupants;
  const present = afterKill.inRoom + afterStop.inRoom;
  say(`        in their rooms again: ${present} of ${occupants}`);
  if (only !== "") return; // too few to judge
  await checks.shows("whoever is back in a session is back in its room @3.2 @3.show4", () =>
    occupants > 0 && present === occupants
      ? Promise.resolve()
      : Promise.reject(new Error(`${present} of ${occupants}`)),
  );
  await checks.shows("quiet sessions come back, 80 % after kill -9 and all after an orderly stop @2.4 @2.show1", () => {
    const isGood = afterKill.done >= 0.8 * afterKill.tried && afterStop.done === afterStop.tried;
    if (afterKill.tried === 0) throw new Error("none had the chance");
    return isGood ? Promise.resolve() : Promise.reject(new Error(line));
  });
}

async function playAll(store: Store): Promise<void> {
  try {
    await rounds(store);
    await troubles(store);
    await lies(store);
  } finally {
    await store.close();
  }
}

/** Without a database CI fails; anybody else is told. */
async function playOnMongo(): Promise<number> {
  const store = await mongo();
  if (typeof store !== "string") {
    await playAll(store);
    return 0;
  }
  if (process.env["CI"] === "true") await checks.shows("MongoDB", () => Promise.reject(new Error(store)));
  else say(`skipped: ${store}`);
  return process.env["CI"] === "true" ? 0 : 1;
}

async function main(): Promise<number> {
  const on = option("store");
  say(`seed ${seed}`);
  if (on !== "mongo") await playAll(sqlite);
  const skipped = on === "sqlite" ? 0 : await playOnMongo();
  await resumptions();
  await rooms();
  const { passed, failed } = checks.outcome;
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
