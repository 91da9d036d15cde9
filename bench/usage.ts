// CPU time and memory of a process tree, read from /proc (Linux).
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node runs on

export interface Usage {
  /** User and system time of all threads, living children included, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** What a process and its descendants have used so far; throws when the process is gone. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  const own = { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: residentBytes(pid) };
  return childrenOf(pid).map(usageOf).reduce(plus, own);
}

const IDLE_SECONDS = 0.05; // of CPU time, in a second
const WAIT_SECONDS = 120; // it is not waited longer

/** Resolves when a server has next to nothing to do, such as indexing what it was sent before. `cpuSeconds`: what it has used so far. */
export async function idle(cpuSeconds: () => number, wait: (ms: number) => Promise<void> = delay): Promise<void> {
  let before = cpuSeconds();
  for (let second = 0; second < WAIT_SECONDS; second++) {
    await wait(1000);
    const now = cpuSeconds();
    if (now - before < IDLE_SECONDS) return;
    before = now;
  }
}

function plus(a: Usage, b: Usage): Usage {
  return { cpuSeconds: a.cpuSeconds + b.cpuSeconds, residentBytes: a.residentBytes + b.residentBytes };
}

function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(line?.[1] ?? 0) * 1024;
}

function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) => {
    const list = readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1");
    return list.split(" ").filter(Boolean).map(Number);
  });
}
