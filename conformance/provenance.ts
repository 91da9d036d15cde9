// Where a measured result comes from: what result files say of the day, the commit and the machine.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

/** One line: date, commit (with a word when the sources differ from it), Node, processors. */
export function provenance(date: Date): string {
  return `${date.toISOString().slice(0, 10)}, commit ${commit()}, Node ${process.version}, ${machine()}`;
}

function commit(): string {
  const git = (...parameters: string[]): string => execFileSync("git", parameters, { encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--", "src", "conformance", "bench", ":!*.md");
    return git("rev-parse", "--short", "HEAD") + (changed === "" ? "" : " with changes");
  } catch {
    return "unknown"; // not a checkout
  }
}

function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model ?? "unknown processor"}`;
}
