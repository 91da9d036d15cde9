// Makes the folders that data is kept in.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf } from "../../core/reason.js";

/**
 * Makes a folder, for this user only, and those above it that are missing. Not by `recursive: true`, which never ends
 * below a folder in which nothing can be made and which calls that ENOENT, as /proc does.
 */
export function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if (isFolder(dir)) return;
    if (codeOf(error) !== "ENOENT" || existsSync(dirname(dir))) throw error;
    makeFolder(dirname(dir));
    mkdirSync(dir, { mode: 0o700 });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
