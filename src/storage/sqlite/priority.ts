// The thread that reads gives way to the one that writes and to the server itself, where all of them have to share a core: a page of an
// archive can wait for a message, not the other way round.
import { readlinkSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/** Below the others: a quarter of what they get of a core that is fully used; all of one that is not. */
const NICER = 5;
const { PRIORITY_LOW: NICEST } = constants.priority;

/** Lowers the priority of the calling thread. Only Linux knows priorities of threads. */
export function giveWay(): void {
  const thread = process.platform === "linux" ? ownThread() : undefined;
  if (thread !== undefined) setPriority(thread, Math.min(getPriority() + NICER, NICEST));
}

/** Its number; undefined where /proc is not there. */
function ownThread(): number | undefined {
  try {
    const number = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    return Number.isInteger(number) ? number : undefined;
  } catch {
    return undefined;
  }
}
