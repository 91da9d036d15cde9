import { describe, expect, it } from "@jest/globals";
import { append, unit } from "../contract/samples.js";
import { DeclaredStores } from "../lookups.js";
import type { Reader } from "./reader.js";
import { SqliteStorage } from "./sqlite.js";
import { Thread } from "./thread.js";
import type { Writer } from "./writer.js";

/** A thread that says it is ready, and does this with the first request. */
function program(deed: string): URL {
  const text = `import { parentPort } from "node:worker_threads";
    parentPort.on("message", () => { ${deed} });
    parentPort.postMessage([0, null, null]);`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

describe("a storage thread that dies", () => {
  it.each([
    ["ends", "process.exit(3)"],
    ["throws", "throw new Error('out of memory')"],
  ])(
    "while it %s: what was under way is unknown, everything later is refused, and each is told @1.9",
    async (_, deed) => {
      const writer = await Thread.start<Writer>(program(deed), { role: "writer", options: null });
      const reader = await Thread.start<Reader>(program(deed), { role: "reader", options: null });
      const reported: string[] = [];
      const storage = new SqliteStorage(new DeclaredStores([]), writer, reader, (fault) => reported.push(fault.kind));
      const commit = () => storage.commit([unit(append("a", 1)), unit(append("a", 2))]);
      expect(await Promise.all([commit(), commit()])).toEqual(Array.from({ length: 2 }, () => ["unknown", "unknown"]));
      expect(await commit()).toEqual(["refused", "refused"]);
      expect(reported).toEqual(["closed", "closed"]);
      await expect(storage.log("a", { limit: 1 })).rejects.toMatchObject({ kind: "closed" });
      await expect(storage.probe()).rejects.toThrow("storage thread has ended");
      await storage.close();
    },
  );

  it("while it starts: the opening is rejected @1.bad", async () => {
    const failing = new URL("data:text/javascript,throw new Error('no engine')");
    await expect(Thread.start(failing, { role: "writer", options: null })).rejects.toThrow("no engine");
  });
});
