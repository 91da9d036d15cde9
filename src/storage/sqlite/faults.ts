// What SQLite's errors mean to an operator: a kind, a line that says what is wrong, and what to do.
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { StoreFault } from "../port.js";
import { errorNumber, SQLITE } from "./engine.js";

const ROOM_BYTES = 65_536; // the log and its shared memory want 36 KiB to begin with

/** The fault behind an error of SQLite or of the operating system met with a file; a StoreFault stays itself. */
export function faultOf(error: unknown, file: string): StoreFault {
  if (error instanceof StoreFault) return error;
  const cause = { cause: error };
  const system = systemCode(error);
  if (system !== undefined) return system === "ENOSPC" ? fullDisk(file, error) : unreadableFile(file, error);
  switch (errorNumber(error) ?? 0) {
    case SQLITE.full:
      return fullDisk(file, error);
    case SQLITE.busy:
    case SQLITE.locked:
      return new StoreFault("locked", `${file} is in use by another process`, "end that process or wait for it", cause);
    case SQLITE.notADatabase:
      return foreignFile(file);
    case SQLITE.corrupt:
      return new StoreFault("damaged", `${file} is damaged`, "put back a backup of it, or move it away", cause);
    case SQLITE.cantOpen:
    case SQLITE.perm:
    case SQLITE.readonly:
    case SQLITE.auth:
      return unreadableFile(file, error);
    case SQLITE.ioError:
      if (isFull(file)) return fullDisk(file, error);
      return new StoreFault(
        "failed",
        `${file}: ${textOf(error)}`,
        "check the disk; the system log may tell more",
        cause,
      );
    default:
      return new StoreFault("failed", `${file}: ${textOf(error)}`, "report this if it happens again", cause);
  }
}

function fullDisk(file: string, cause: unknown): StoreFault {
  return new StoreFault("full", `no space left for ${file}`, "free some space on its disk", { cause });
}

/** SQLite says "I/O error" where there is no room for its shared memory or its log. */
function isFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < ROOM_BYTES;
  } catch {
    return false; // then nobody can tell, and the error speaks for itself
  }
}

export function foreignFile(file: string): StoreFault {
  return new StoreFault(
    "foreign",
    `${file} is not a database of this server`,
    "name another file in storage.url, or move this one away",
  );
}

export function newerFile(file: string, found: number, known: number): StoreFault {
  return new StoreFault(
    "newer",
    `${file} was written by a newer version (schema ${found}, this version knows up to ${known})`,
    "start the version that wrote it, or put back a backup from before the upgrade",
  );
}

function unreadableFile(file: string, cause: unknown): StoreFault {
  const [why, mend] = WHY_UNREADABLE[systemCode(cause) ?? ""] ?? [
    textOf(cause),
    "check that the folder exists and that this user may read and write there",
  ];
  return new StoreFault("unreadable", `${file} cannot be opened (${why})`, mend, { cause });
}

const NO_FOLDER = ["there is a file where a folder should be", "move the file away, or name another data_dir"] as const;
const FORBIDDEN = ["not allowed", "let the server's user read and write there, or name another data_dir"] as const;

/** What the operating system's texts say in words that name the file twice and no mend. */
const WHY_UNREADABLE: Readonly<Record<string, readonly [why: string, mend: string]>> = {
  EEXIST: NO_FOLDER,
  ENOTDIR: NO_FOLDER,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  ENOENT: ["nothing can be made in the folder above it", "name another data_dir"],
  EROFS: ["this file system is read-only", "mount it for writing, or name another data_dir"],
};

/** The code of an error of the operating system ("ENOSPC"); undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  const code =
    typeof error === "object" && error !== null && "syscall" in error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

function textOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);
}

/** A fault as it travels between threads. */
export interface FaultMessage {
  readonly kind: StoreFault["kind"];
  readonly problem: string;
  readonly mend: string;
}

export function toMessage(fault: StoreFault): FaultMessage {
  return { kind: fault.kind, problem: fault.message, mend: fault.mend };
}

export function fromMessage({ kind, problem, mend }: FaultMessage): StoreFault {
  return new StoreFault(kind, problem, mend);
}
