// The comparison as a table: what the terminal shows and what bench/RESULTS.md keeps.
import { execFileSync } from "node:child_process";
import { provenance } from "../conformance/provenance.js";
import type { ArchivePlan } from "./archive.js";
import { clientLoad, microsPerMessage, perSecond, type Plan, type Series } from "./compare.js";
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
  const rows = [HEAD, ...all.map((one) => row(one, all))];
  const widths = HEAD.map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const [head = HEAD, ...body] = rows;
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

/** The file bench/RESULTS.md. */
export function document(
  all: readonly Series[],
  plan: Plan,
  archives: readonly Series[],
  archivePlan: ArchivePlan,
  date: Date,
): string {
  return `# Messages beside Prosody and ejabberd

Written by \`npm run bench\`; not edited by hand.

- ${provenance(date)}, ${prosodyVersion()}
- ${plan.pairs} pairs, ${plan.inFlight} messages of ${STANZA_BYTES} bytes in flight each, chat to full JIDs, nothing archived;
  ${plan.rounds} rounds of ${plan.measureMs / 1000} s after ${plan.warmUpMs / 1000} s of warm-up, servers in turn in one run, every message checked for order and count
- server on core 0, load generator on core 1; server CPU is user and system time of all its threads; TLS is direct TLS 1.3
- Prosody runs with \`gc = { mode = "generational" }\`

${table(all)}
## With the archive on

- the same messages, in the archives of both sides (Rookery: on disk before it delivers); ${archivePlan.pairs} pairs, ${archivePlan.inFlight} in flight each;
  ${archivePlan.rounds} rounds of ${archivePlan.measureMs / 1000} s after ${archivePlan.warmUpMs / 1000} s; afterwards every archive must have grown by what was sent
- reading: ${archivePlan.readers} readers page from the newest to the oldest of ${archivePlan.history} messages each, ${archivePlan.pageSize} a page, and must find all of them
- Prosody with its internal archive, ejabberd with Mnesia

${table(archives)}`;
}

function prosodyVersion(): string {
  try {
    return execFileSync("prosodyctl", ["about"], { encoding: "utf8" }).split("\n", 1)[0] ?? "";
  } catch {
    return "no Prosody";
  }
}
