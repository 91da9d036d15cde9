// What a part of `npm run conformance` is, and how a script that counts for itself becomes one.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { StartableServer } from "./servers/server.js";

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Surroundings {
  /** The server under test, with its data below the folder. */
  readonly server: (folder: string) => StartableServer;
  /** Folder outside the checkout for what the suites install; kept between runs. */
  readonly tools: string;
  /** In CI a suite that cannot run is a failure; on a user's machine it is skipped with a line. */
  readonly ci: boolean;
}

export interface Part {
  readonly name: string;
  /** The points of points.ts that the part as a whole shows. */
  readonly shows: readonly string[];
  run(around: Surroundings): Promise<Outcome>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export function say(line: string): void {
  process.stdout.write(line + "\n");
}

/** Checks one after the other: a line for each, and their count. */
export class Checks {
  #passed = 0;
  #failed = 0;

  get outcome(): Outcome {
    return { passed: this.#passed, failed: this.#failed, skipped: 0 };
  }

  /** A check that throws has failed; the next ones run all the same. */
  async shows(title: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
      this.#passed++;
      say(`ok      ${title}`);
    } catch (error) {
      this.#failed++;
      say(`FAILED  ${title}\n        ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The outcome of a suite that cannot run here: a failure in CI, else skipped. */
export function missing(what: string, around: Surroundings): Outcome {
  say(`${around.ci ? "failed" : "skipped"}: ${what}`);
  return { passed: 0, failed: around.ci ? 1 : 0, skipped: around.ci ? 0 : 1 };
}

/** As it is printed and read back by `counted`. */
export function counts({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

export function plus(a: Outcome, b: Outcome): Outcome {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** A part that is a Node script (path from the project's root, then its parameters) which prints `N passed, N failed` at its end. */
export function scriptPart(
  name: string,
  shows: readonly string[],
  script: string,
  ...parameters: readonly string[]
): Part {
  return {
    name,
    shows,
    run: async (around) => {
      if (!existsSync(ROOT + script)) return missing(`${script} is not there`, around);
      const { code, output } = await runScript(script, ...parameters);
      return counted(output, code);
    },
  };
}

/** Runs a Node script (path from the project's root) to its end, and shows what it prints on the way. */
export function runScript(
  script: string,
  ...parameters: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [ROOT + script, ...parameters], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

/** The last line of the form `N passed, N failed[, N skipped]`; a script that fails without one counts as one failure. */
export function counted(output: string, code: number | null): Outcome {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  const [passed, failed, skipped] = [last?.[1], last?.[2], last?.[3]].map((text) => Number(text ?? 0));
  const wrong = code !== 0 && (failed ?? 0) === 0 ? 1 : (failed ?? 0);
  return { passed: passed ?? 0, failed: last === undefined ? Math.max(1, wrong) : wrong, skipped: skipped ?? 0 };
}
