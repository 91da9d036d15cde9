// The comparison as a table: what the terminal shows and what bench/RESULTS.md keeps.
import { execFileSync } from "node:child_process";
import { provenance } from "../conformance/provenance.js";
import { ejabberdVersion } from "../conformance/servers/ejabberd.js";
import type { ArchivePlan } from "./archive.js";
import { clientLoad, microsPerMessage, perSecond, type Plan, type Series } from "./compare.js";
import { type Disturbance, type HistoriesPlan, ms, percentile } from "./histories.js";
import type { RoomsPlan } from "./rooms.js";
import { STANZA_BYTES } from "./pair.js";

const BASE = "prosody";
const HEAD = [
  "server",
  "",
  "messages/s",
  "µs CPU per message",
  "rounds",
  "messages/s beside Prosody",
  "messages per CPU second beside Prosody",
  "RSS MiB",
  "client busy",
];

/** One row per server and mode, as a Markdown table whose columns also line up in a terminal. */
export function table(all: readonly Series[]): string {
  return aligned(
    HEAD,
    all.map((one) => row(one, all)),
  );
}

/** The times of chat alone and beside readers, and what became of the slowest. */
export function timesTable({ alone, beside }: Disturbance): string {
  const times = (name: string, of: readonly number[]): string[] => [name, String(of.length), ms(of, 50), ms(of, 99)];
  const factor = (percent: number): string =>
    `${(percentile(beside, percent) / percentile(alone, percent)).toFixed(2)} ×`;
  const rows = [times("alone", alone), times("beside readers", beside), ["ratio", "", factor(50), factor(99)]];
  return aligned(["chat", "messages", "p50 ms", "p99 ms"], rows);
}

function aligned(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n") + "\n";
}

function row(one: Series, all: readonly Series[]): string[] {
  const micros = one.rounds.map((round) => microsPerMessage([round]).toFixed(1));
  return [
    one.server,
    one.mode,
    String(perSecond(one.rounds)),
    microsPerMessage(one.rounds).toFixed(1),
    micros.join(" "),
    ratio(one, all, perSecond),
    ratio(one, all, (rounds) => 1 / microsPerMessage(rounds)),
    String(Math.round(Math.max(...one.rounds.map((round) => round.serverResidentBytes)) / 2 ** 20)),
    `${Math.round(100 * clientLoad(one.rounds))} %`,
  ];
}

function ratio(one: Series, all: readonly Series[], of: (rounds: Series["rounds"]) => number): string {
  const base = all.find((other) => other.server === BASE && other.mode === one.mode);
  return base === undefined ? "" : `${(of(one.rounds) / of(base.rounds)).toFixed(2)} ×`;
}

/** What was measured, and how. */
export interface Results {
  readonly plain: readonly Series[];
  readonly plan: Plan;
  readonly archives: readonly Series[];
  readonly archivePlan: ArchivePlan;
  readonly rooms: readonly Series[];
  readonly roomsPlan: RoomsPlan;
  readonly histories: Disturbance;
  readonly historiesPlan: HistoriesPlan;
}

/** The file bench/RESULTS.md. */
export function document(results: Results, date: Date): string {
  const { plain, plan, archives, archivePlan, rooms, roomsPlan, histories, historiesPlan } = results;
  return `# Messages beside Prosody and ejabberd

Written by \`npm run bench\`; not edited by hand.

- ${provenance(date)}, ${prosodyVersion()}, ${ejabberdName()}
- ${plan.pairs} pairs, ${plan.inFlight} messages of ${STANZA_BYTES} bytes in flight each, chat to full JIDs, nothing archived;
  ${plan.rounds} rounds of ${plan.measureMs / 1000} s after ${plan.warmUpMs / 1000} s of warm-up, servers in turn in one run, every message checked for order and count
- server on core 0, load generator on core 1; server CPU is user and system time of all its threads; TLS is direct TLS 1.3
- Prosody runs with \`gc = { mode = "generational" }\`

${table(plain)}
## With the archive on

- the same messages, in the archives of both sides (Rookery: on disk before it delivers); ${archivePlan.pairs} pairs, ${archivePlan.inFlight} in flight each;
  ${archivePlan.rounds} rounds of ${archivePlan.measureMs / 1000} s after ${archivePlan.warmUpMs / 1000} s; afterwards every archive must have grown by what was sent
- reading: ${archivePlan.readers} readers page from the newest to the oldest of ${archivePlan.history} messages each, ${archivePlan.pageSize} a page, and must find all of them
- Prosody with its internal archive, ejabberd with Mnesia

${table(archives)}
## Group chat

- ${roomsPlan.rooms} rooms of ${roomsPlan.occupants} occupants, one of whom keeps ${roomsPlan.inFlight} messages of ${STANZA_BYTES} bytes in flight; all rooms are archived; what is counted is deliveries:
  every occupant must hear every message of its room, once and in order; ${roomsPlan.rounds} rounds of ${roomsPlan.measureMs / 1000} s after ${roomsPlan.warmUpMs / 1000} s

${table(rooms)}
## Chat while long histories are read

- Rookery alone, archive on, on both cores, which it shares with the clients: ${historiesPlan.pairs} pairs chat at ${historiesPlan.rate} messages/s in all, ${historiesPlan.rounds} rounds of ${historiesPlan.measureMs / 1000} s each way in turn;
  the time is from when a message was due to when its receiver had it
- beside that ${historiesPlan.readers} readers page through ${historiesPlan.history} messages each, ${historiesPlan.pageSize} a page, and must find all of them; they got ${histories.readPerSecond} messages/s

${timesTable(histories)}`;
}

function ejabberdName(): string {
  const version = ejabberdVersion();
  return version === undefined ? "no ejabberd" : `ejabberd ${version}`;
}

function prosodyVersion(): string {
  try {
    const about = execFileSync("prosodyctl", ["about"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /^Prosody \d\S*/m.exec(about)?.[0] ?? "Prosody of unknown version"; // hints may come before it
  } catch {
    return "no Prosody";
  }
}
