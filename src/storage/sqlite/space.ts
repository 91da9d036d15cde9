// Giving the space of removed rows back to the disk: free pages leave the end of the file, a slice at a time.
import type { Database } from "./engine.js";

/** Pages moved in one slice: at most this many are written, about 10 ms of work. */
const SLICE_PAGES = 200;

/** Gives back some pages. True while there are more; at the end the file and its log are as small as they get. */
export function shrink(db: Database): boolean {
  if (pragma(db, "freelist_count") > 0) {
    db.exec(`PRAGMA incremental_vacuum(${SLICE_PAGES})`);
    if (pragma(db, "freelist_count") > 0) return true;
  }
  truncateLog(db);
  return false;
}

/** The file gets its new size when the write-ahead log is folded in. A reader in its way is not waited for: the next time will do. */
function truncateLog(db: Database): void {
  const timeout = pragma(db, "busy_timeout");
  db.exec("PRAGMA busy_timeout = 0");
  try {
    db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeout}`);
  }
}

function pragma(db: Database, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
