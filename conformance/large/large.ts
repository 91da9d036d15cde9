// What takes a while on a large store and is killed half-way: a copy is not taken for whole, and what was erased stays erased.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { STORES } from "#rookery/features.js";
import { openSqlite } from "#rookery/storage/sqlite/sqlite.js";
import { toWire } from "#rookery/xml/wire.js";
import { Checks, type Part } from "../part.js";
import { configuration, launchUntilReady, ROOKERY } from "../servers/rookery.js";
import { end } from "../servers/server.js";

const ENTRIES = 10_000; // a second of work for a copy or an erasure
const BATCH = 1000;
const LIMIT_MS = 60_000;
const JULIET = "juliet@localhost";
const COPY = ["migrate", "--from", "sqlite:rookery.db", "--to", "sqlite:copy.db"] as const;

export const largePart: Part = {
  name: "large stores",
  shows: ["2.3", "2.6"],
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "rookery-large-"));
    const checks = new Checks();
    try {
      const place = await filled(folder);
      await checks.shows(
        "a copy that is killed is refused by a server, made again to its end, and not made twice",
        () => copyIsKilled(place),
      );
      await checks.shows("an erasure that is killed shows nothing, and is finished by the next start", () =>
        erasureIsKilled(place),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return checks.outcome;
  },
};

interface Place {
  readonly config: string;
  readonly data: string;
}

/** A data folder with an account that has many entries in its log. */
async function filled(folder: string): Promise<Place> {
  const [config, data] = [join(folder, "rookery.toml"), join(folder, "data")];
  writeFileSync(config, configuration({ folder }));
  mkdirSync(data);
  const storage = await openSqlite(join(data, "rookery.db"), STORES);
  const put = { op: "put", store: "account", owner: JULIET, key: "", doc: { v: 1 } } as const;
  await storage.commit([{ writes: [put] }]);
  for (let at = 0; at < ENTRIES; at += BATCH)
    await storage.commit(Array.from({ length: BATCH }, (_, n) => ({ writes: [appendOf(at + n)] })));
  await storage.countLog(JULIET, { text: "night" }); // the index of words has them all
  await storage.close();
  return { config, data };
}

function appendOf(n: number) {
  const stanza = toWire(`<message xmlns='jabber:client'><body>night ${n}</body></message>`);
  const entry = { with: "romeo@localhost", stanza, pending: false, hidden: false };
  return { op: "append", owner: JULIET, id: 1000 + n, entry } as const;
}

async function copyIsKilled({ config, data }: Place): Promise<void> {
  const copying = begin(config, ...COPY);
  await killedWhen(copying, () => (entriesIn(join(data, "copy.db")) ?? 0) > 0);
  expects(config, ["start"], 1, /the store holds half of a copy: run `rookery migrate` again/, "sqlite:copy.db");
  expects(config, ["user", "list"], 1, /the store holds half of a copy/, "sqlite:copy.db");
  expects(config, COPY, 0, new RegExp(`and ${ENTRIES} messages in 1 logs; the counts agree`));
  expects(config, COPY, 1, /the target is not empty/);
  expects(config, ["user", "list"], 0, /juliet@localhost/, "sqlite:copy.db");
}

async function erasureIsKilled({ config, data }: Place): Promise<void> {
  const file = join(data, "rookery.db");
  const erasing = begin(config, "user", "erase", JULIET);
  await killedWhen(erasing, () => (entriesIn(file) ?? ENTRIES) < ENTRIES);
  if (entriesIn(file) === 0) throw new Error("it was too quick to be killed half-way");
  expects(config, ["user", "list"], 0, /^$/);
  const { child } = await launchUntilReady(["start", "--config", config]);
  try {
    expects(config, ["user", "export", JULIET], 1, /nothing is stored about juliet@localhost/);
    await until(() => entriesIn(file) === 0);
  } finally {
    await end(child);
  }
}

function begin(config: string, ...command: readonly string[]): ChildProcess {
  return spawn(process.execPath, [ROOKERY, ...command, "--config", config], { stdio: "ignore" });
}

/** Throws when the process comes to its end before. */
async function killedWhen(child: ChildProcess, due: () => boolean): Promise<void> {
  await until(() => due() || child.exitCode !== null);
  const isRunning = child.exitCode === null;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  if (!isRunning) throw new Error("it came to its end before it could be killed");
  await gone;
}

/** Through a connection of our own, which reads what is committed; undefined where there is no log yet. */
function entriesIn(file: string): number | undefined {
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const row = db.prepare("SELECT count(*) AS n FROM log").get() as { readonly n: number };
      return row.n;
    } finally {
      db.close();
    }
  } catch {
    return undefined; // not made yet, or locked at this moment
  }
}

function expects(config: string, command: readonly string[], code: number, says: RegExp, store?: string): void {
  const env = { ...process.env, ...(store !== undefined && { ROOKERY_STORAGE_URL: store }) };
  const all = [ROOKERY, ...command, "--config", config];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { env, encoding: "utf8", timeout: LIMIT_MS });
  const said = (stdout + stderr).trim();
  if (status !== code || !says.test(said)) throw new Error(`${command.join(" ")}: ${status ?? "no"} exit, ${said}`);
}

async function until(due: () => boolean): Promise<void> {
  for (const deadline = Date.now() + LIMIT_MS; !due(); await new Promise((resolve) => setTimeout(resolve, 5)))
    if (Date.now() > deadline) throw new Error(`not within ${LIMIT_MS} ms`);
}
