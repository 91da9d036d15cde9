// `npm run bench` measures every server that is here and writes bench/RESULTS.md; with `-- --short` it only prints, in about two minutes.
// `-- --only=prosody` leaves the others out. It ends with what it counted; a message lost, doubled or out of order ends it before.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ArchivePlan, compareArchives } from "./archive.js";
import { compare, type Contestant, microsPerMessage, type Plan, SERVER_CORE, type Series } from "./compare.js";
import { type Disturbance, disturbance, type HistoriesPlan } from "./histories.js";
import { compareRooms, type RoomsPlan } from "./rooms.js";
import { document, table, timesTable } from "./report.js";
import { ejabberd, ejabberdIsInstalled } from "../conformance/servers/ejabberd.js";
import { prosody, prosodyIsInstalled } from "../conformance/servers/prosody.js";
import { rookery, rookeryIsBuilt } from "../conformance/servers/rookery.js";

const RESULTS = fileURLToPath(new URL("../../bench/RESULTS.md", import.meta.url));
const LONG: Plan = { pairs: 50, inFlight: 10, rounds: 3, warmUpMs: 5000, measureMs: 8000 };
const SHORT: Plan = { pairs: 20, inFlight: 25, rounds: 1, warmUpMs: 2000, measureMs: 3000 };
const ARCHIVE = { pairs: 50, inFlight: 20, readers: 5, pageSize: 50 }; // 1,000 messages in flight; Prosody answers with 50 a page at most
const LONG_ARCHIVE: ArchivePlan = { ...ARCHIVE, rounds: 3, warmUpMs: 3000, measureMs: 8000, history: 1000 };
const SHORT_ARCHIVE: ArchivePlan = {
  ...{ ...ARCHIVE, pairs: 20, inFlight: 50 }, // fewer accounts to make and to count, as many messages in flight
  ...{ rounds: 1, warmUpMs: 1000, measureMs: 2000, history: 200 },
};
const HISTORIES = { pairs: 20, rate: 200, readers: 4, pageSize: 100 };
const LONG_HISTORIES: HistoriesPlan = { ...HISTORIES, rounds: 3, warmUpMs: 2000, measureMs: 10_000, history: 50_000 };
const SHORT_HISTORIES: HistoriesPlan = { ...HISTORIES, rounds: 1, warmUpMs: 1000, measureMs: 3000, history: 2000 };

const ROOMS = { rooms: 10, occupants: 50 }; // each room has a speaker
const LONG_ROOMS: RoomsPlan = { ...ROOMS, inFlight: 10, rounds: 3, warmUpMs: 3000, measureMs: 8000 };
const SHORT_ROOMS: RoomsPlan = { rooms: 4, occupants: 20, inFlight: 10, rounds: 1, warmUpMs: 1000, measureMs: 2000 };

type Entry = readonly [name: string, make: Contestant];

const say = (line: string): void => void process.stdout.write(line + "\n");

/** The comparisons in their short form; throws when a message is lost, doubled, out of order or missing in an archive. */
export async function shortBench(): Promise<readonly Series[]> {
  const plain = await compare(makers(present()), SHORT, say);
  const archives = await compareArchives(makers(archiving()), SHORT_ARCHIVE, say);
  if (rookeryIsBuilt()) say("\n" + timesTable(await measureHistories(SHORT_HISTORIES)));
  const rooms = await compareRooms(makers(archiving()), SHORT_ROOMS, say);
  return [...plain, ...archives, ...rooms];
}

/** On all cores, as its threads run anywhere: times on one core would be those of the scheduler. */
function measureHistories(plan: HistoriesPlan): Promise<Disturbance> {
  return disturbance((folder) => rookery({ folder, archive: "always" }), plan, say);
}

const makers = (entries: readonly Entry[]): readonly Contestant[] => entries.map(([, make]) => make);

/** With their archives on. */
function archiving(): Entry[] {
  const core = SERVER_CORE;
  const all: Entry[] = [];
  if (rookeryIsBuilt()) all.push(["rookery", (folder) => rookery({ folder, core, archive: "always" })]);
  if (prosodyIsInstalled()) all.push(["prosody", (folder) => prosody({ folder, core })]);
  if (ejabberdIsInstalled()) all.push(["ejabberd", (folder) => ejabberd({ folder, core })]);
  return all;
}

/** Without an archive where that can be chosen: delivery alone. */
function present(): Entry[] {
  const core = SERVER_CORE;
  const all: Entry[] = [];
  if (rookeryIsBuilt()) all.push(["rookery", (folder) => rookery({ folder, core, archive: "never" })]);
  if (prosodyIsInstalled()) all.push(["prosody", (folder) => prosody({ folder, core })]);
  return all;
}

async function main(options: readonly string[]): Promise<void> {
  const short = options.includes("--short");
  const plan = short ? SHORT : LONG;
  const only = options.find((option) => option.startsWith("--only="))?.slice("--only=".length);
  const archivePlan = short ? SHORT_ARCHIVE : LONG_ARCHIVE;
  const chosen = (entries: readonly Entry[]): readonly Contestant[] =>
    makers(entries.filter(([name]) => only === undefined || name === only));
  const all = await compare(chosen(present()), plan, say);
  say("\n" + table(all));
  const archives = await compareArchives(chosen(archiving()), archivePlan, say);
  say("\n" + table(archives));
  const roomsPlan = short ? SHORT_ROOMS : LONG_ROOMS;
  const rooms = await compareRooms(chosen(archiving()), roomsPlan, say);
  say("\n" + table(rooms));
  if (rookeryIsBuilt() && (only ?? "rookery") === "rookery") {
    const historiesPlan = short ? SHORT_HISTORIES : LONG_HISTORIES;
    const histories = await measureHistories(historiesPlan);
    say("\n" + timesTable(histories));
    const results = { plain: all, plan, archives, archivePlan, rooms, roomsPlan, histories, historiesPlan };
    if (!short && only === undefined) writeFileSync(RESULTS, document(results, new Date()));
  }
  const series = [...all, ...archives, ...rooms];
  for (const one of series) say(`counted ${describe(one)}`);
  say(`${series.length} passed, 0 failed`);
}

function describe({ server, mode, rounds }: Series): string {
  const messages = rounds.reduce((sum, round) => sum + round.messages, 0);
  const cost = `${microsPerMessage(rounds).toFixed(1)} µs of the server's CPU each`;
  return `${server} ${mode}: ${messages} messages, each once and in order, ${cost}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
