import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { inFolder, runningChild } from "./contract/places.js";
import { acquireLock } from "./lock.js";

describe("the lock of a data folder", () => {
  it("is refused while another process has it, naming that process, and is free after its kill -9 @1.bad", () =>
    inFolder(async (dir) => {
      const other = await runningChild("lock", dir);
      try {
        expect(() => acquireLock(dir)).toThrow(`in use by process ${other.pid}`);
      } finally {
        await other.kill();
      }
      acquireLock(dir).release();
    }));

  it("is refused to a second holder in the same process until it is released @1.bad", () =>
    inFolder((dir) => {
      const lock = acquireLock(join(dir, "data", "deep"));
      expect(() => acquireLock(join(dir, "data", "deep"))).toThrow(`process ${process.pid}`);
      lock.release();
      lock.release();
      expect(existsSync(join(dir, "data", "deep", "lock.pid"))).toBe(false);
      acquireLock(join(dir, "data", "deep")).release();
    }));

  it("is not taken from a folder that cannot be one @1.bad", () =>
    inFolder((dir) => {
      writeFileSync(join(dir, "file"), "");
      for (const taken of [join(dir, "file"), join(dir, "file", "below")])
        expect(() => acquireLock(taken)).toThrow(
          expect.objectContaining({
            message: `${taken} cannot be opened (there is a file where a folder should be)`,
            mend: "move the file away, or name another data_dir",
          }),
        );
      mkdirSync(join(dir, "data", "lock.pid"), { recursive: true });
      expect(() => acquireLock(join(dir, "data"))).toThrow("lock.pid cannot be opened");
    }));

  // In a process of its own: what must not be is an attempt without end.
  (existsSync("/proc/self") ? it : it.skip)("is refused soon where the system lets nobody make a folder @1.bad", () => {
    for (const dir of ["/proc/rookery", "/proc/rookery/data"])
      expect(refusalOf(dir)).toMatch(/ cannot be opened \(nothing can be made .*name another data_dir/s);
  });

  it("is refused in words where this user may not write @1.bad", () =>
    inFolder((dir) => {
      chmodSync(dir, 0o755);
      mkdirSync(join(dir, "data"), { mode: 0o555 });
      expect(refusalOf(join(dir, "data"))).toMatch(/data cannot be opened \(not allowed\).*let the server's user/s);
    }));
});

const NOBODY = 65_534;

/** What a process that has no special rights is told. */
function refusalOf(dir: string): string {
  const code = `import(${JSON.stringify(new URL("lock.js", import.meta.url))}).then((lock) => {
    if (process.getuid() === 0) process.setuid(${NOBODY});
    lock.acquireLock(${JSON.stringify(dir)});
  })`;
  const { signal, stderr } = spawnSync(process.execPath, ["-e", code], { encoding: "utf8", timeout: 20_000 });
  return `${signal ?? ""}${stderr}`;
}
