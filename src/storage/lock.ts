// One process per data folder. The lease is a lock that SQLite holds on lock.db, so the kernel frees it when the process
// ends in whatever way; the process id in lock.pid only serves the text for the one who comes too late.
import { accessSync, constants, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreFault } from "./port.js";
import { connect, errorNumber, SQLITE } from "./sqlite/engine.js";
import type { Database } from "./sqlite/engine.js";
import { faultOf } from "./sqlite/faults.js";
import { makeFolder } from "./sqlite/folder.js";

/** Databases of held locks: one that nobody referred to any more would be closed, and the folder free, when it is collected. */
const holding = new Set<Database>();

/** A held lease on a data folder. */
export interface Lock {
  /** Gives the folder free. May be called again. */
  release(): void;
}

/**
 * Takes the folder for this process, making the folder (for this user only) if need be.
 * Throws a StoreFault: "locked" names the process that has it.
 */
export function acquireLock(dir: string): Lock {
  const pidFile = join(dir, "lock.pid");
  make(dir);
  const db = hold(join(dir, "lock.db"), () => holderOf(dir, pidFile));
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    db.close();
    throw faultOf(error, pidFile);
  }
  holding.add(db);
  return {
    release() {
      if (!holding.delete(db)) return;
      rmSync(pidFile, { force: true });
      db.close();
    },
  };
}

function make(dir: string): void {
  try {
    makeFolder(dir);
    accessSync(dir, constants.W_OK | constants.X_OK); // SQLite would only say that it cannot
  } catch (error) {
    throw faultOf(error, dir);
  }
}

function hold(file: string, taken: () => StoreFault): Database {
  let db: Database | undefined;
  try {
    db = connect(file, { timeout: 0 });
    db.exec("BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db?.close();
    throw errorNumber(error) === SQLITE.busy ? taken() : faultOf(error, file);
  }
}

function holderOf(dir: string, pidFile: string): StoreFault {
  const pid = pidIn(pidFile);
  const who = pid === undefined ? "another process" : `process ${pid}`;
  return new StoreFault(
    "locked",
    `the data folder ${dir} is in use by ${who}`,
    "end that process, or name another data_dir",
  );
}

function pidIn(pidFile: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(pidFile, "latin1"), 10) || undefined;
  } catch {
    return undefined; // not yet written: the other process took the lock a moment ago
  }
}
