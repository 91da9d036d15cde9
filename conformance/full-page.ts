// conformance/FULL.md, the last result of each long part: a section per part, rewritten when that part has run.
import type { Outcome } from "./part.js";
import { counts } from "./part.js";

export interface LongRun {
  readonly name: string;
  /** What the part is, one sentence. */
  readonly about: string;
  /** What to type to run it alone. */
  readonly command: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** What the part counted, in its own words. */
  readonly counted: readonly string[];
  /** Date, commit and machine. */
  readonly provenance: string;
}

const HEAD = `# Long runs

Written by \`npm run full\`; not edited by hand. Each part as it last ran.
`;

/** What a script printed on lines that begin with "counted". */
export function countedIn(output: string): readonly string[] {
  return [...output.matchAll(/^counted (.+)$/gm)].map(([, what = ""]) => what);
}

/** The page with this run in place of the part's last one. The parts in `order` come in that order, what is not in it goes. */
export function withRun(page: string, run: LongRun, order: readonly string[]): string {
  const sections = new Map(sectionsOf(page)).set(run.name, section(run));
  return [HEAD, ...order.flatMap((name) => sections.get(name) ?? [])].join("\n");
}

function sectionsOf(page: string): readonly (readonly [string, string])[] {
  const sections = page.split(/^## /m).slice(1);
  return sections.map((text) => [text.slice(0, text.indexOf("\n")), `## ${text.trimEnd()}\n`]);
}

function section({ name, about, command, outcome, seconds, counted, provenance }: LongRun): string {
  const result = `${outcome.failed > 0 ? "FAILED: " : ""}${counts(outcome)}`;
  const lines = [provenance, `\`${command}\`: ${result} in ${Math.round(seconds)} s`, ...counted];
  return `## ${name}\n\n${about}\n\n${lines.map((line) => `- ${line}\n`).join("")}`;
}
