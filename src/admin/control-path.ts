// Where the control socket lies: in data_dir, or, since the path of a Unix socket may have little more than 100 bytes, in a folder
// of the user's own below the system's folder for temporary files, under a name made from the path of data_dir.
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { AdminFault } from "./actions.js";

/** 104 bytes on macOS, 108 on Linux, with the zero at the end. */
const MAX_PATH_BYTES = 103;

/**
 * The path for a data folder, the same for the server and the command line.
 * @throws AdminFault if the fallback folder belongs to somebody else.
 */
export function controlPath(directory: string, temporary = tmpdir()): string {
  const direct = join(resolve(directory), "control.sock");
  if (Buffer.byteLength(direct) <= MAX_PATH_BYTES) return direct;
  const digest = createHash("sha256").update(resolve(directory)).digest("hex");
  return join(privateFolder(temporary), `${digest.slice(0, 16)}.sock`);
}

function privateFolder(temporary: string): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(temporary, `rookery-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  throw new AdminFault(`${folder}: this folder must be yours alone (mode 0700): remove it, or use a shorter data_dir`);
}
