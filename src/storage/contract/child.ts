// A process for the tests to kill. "append FILE" writes one entry after the other and prints each id once it is acknowledged;
// "lock DIR" takes the lease and prints "locked". It ends by itself when its standard input closes.
import { acquireLock } from "../lock.js";
import { openSqlite } from "../sqlite/sqlite.js";
import { append, put, unit } from "./samples.js";
import { CONTRACT_STORES } from "./stores.js";

const [task = "", path = ""] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

process.stdin.on("end", () => process.exit(0)).resume();
if (task === "append") await appendForever();
else {
  acquireLock(path);
  say("locked");
}

async function appendForever(): Promise<void> {
  const storage = await openSqlite(path, CONTRACT_STORES);
  for (let id = 1; ; id += 3) {
    const batch = [id, id + 1, id + 2].map((n) => unit(append("a", n, { pending: true }), put("a", `key ${n}`)));
    const outcomes = await storage.commit(batch);
    outcomes.forEach((outcome, at) => outcome === "done" && say(String(id + at)));
  }
}
