// The places at which the server kills itself, and what the suite may tell it to do: the words between conformance/crash/main.ts, which
// is the server, and the suite that starts it.

/** Kill at the `after`-th time this place is passed, `delayUs` microseconds behind it (what other threads do goes on meanwhile). */
export interface Trap {
  readonly at: string;
  readonly after: number;
  readonly delayUs?: number;
}

/** What the store does instead of its work. */
export type StoreFaultMode = "none" | "refuses" | "forgets the answer" | "stalls";

/** How the server is started. */
export interface Plan {
  readonly trap?: Trap;
  /** The most pages the SQLite file may have. */
  readonly maxPages?: number;
}

/** What it is told while it runs. */
export type Order =
  | { readonly do: "trap"; readonly trap: Trap | undefined }
  | { readonly do: "fault"; readonly mode: StoreFaultMode }
  /** From now on commits are acknowledged before they are made. */
  | { readonly do: "lie" };

/** Passed while the load runs, one by one in the order of the durable path. `storage.NAME` stands for the methods of the storage port. */
export const UNDER_LOAD: readonly string[] = [
  "commit.before", // the batch is made, the store does not know of it
  "commit.handed", // the writing thread has it
  "commit.durable", // on disk, and nobody has been told
  "socket.before", // released, in the outbox; not in the kernel
  "socket.after",
  "storage.log.before", // the offline view, read page by page
  "storage.log.after",
  "storage.load.before", // an account that was not in memory
  "storage.load.after",
];

/** Passed on the way to the `ready` line, recovery of the store's log included. */
export const AT_START: readonly string[] = [
  "start.locked",
  "start.opened",
  "storage.highestId.before",
  "storage.highestId.after",
  "storage.find.after",
  "storage.get.before",
  "storage.get.after",
  "start.listening",
];

/** Passed while it stops in order. */
export const AT_STOP: readonly string[] = ["storage.close.before", "storage.close.after"];

/** Ends this process at once, as `kill -9` does, when a place is passed that a trap was set at. */
export class Failpoints {
  #trap: Trap | undefined;
  #left = 0;

  constructor(trap?: Trap) {
    this.arm(trap);
  }

  arm(trap: Trap | undefined): void {
    this.#trap = trap;
    this.#left = trap?.after ?? 0;
  }

  at(place: string): void {
    if (this.#trap?.at !== place || --this.#left > 0) return;
    const end = performance.now() + (this.#trap.delayUs ?? 0) / 1000;
    while (performance.now() < end); // this thread stands still; the others do not
    process.kill(process.pid, "SIGKILL");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // nothing more happens here
  }
}
