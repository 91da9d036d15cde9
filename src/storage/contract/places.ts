// Folders and child processes for the tests of drivers that keep files.
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** Runs the body with a new folder, which is gone afterwards. */
export async function inFolder<T>(body: (dir: string) => Promise<T> | T): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "rookery-store-"));
  try {
    return await body(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Starts child.js, waits until it has printed so many lines, kills it, and gives all that it printed. */
export async function killedAfter(lines: number, ...task: readonly string[]): Promise<readonly string[]> {
  const child = startChild(...task);
  const printed: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    printed.push(line);
    if (printed.length === lines) child.kill("SIGKILL");
  }
  return printed;
}

/** A running child.js that has printed its first line. */
export async function runningChild(
  ...task: readonly string[]
): Promise<{ readonly pid: number; kill(): Promise<void> }> {
  const child = startChild(...task);
  await once(createInterface(child.stdout), "line");
  return {
    pid: child.pid ?? 0,
    async kill() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

function startChild(...task: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  const program = fileURLToPath(new URL("./child.js", import.meta.url));
  return spawn(process.execPath, [program, ...task], { stdio: ["pipe", "pipe", "inherit"] });
}
