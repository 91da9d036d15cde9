// Starts that must not succeed: each ends with exit code 1 and lines that say what is wrong and what to do, without a stack, and with the
// data folder as it was. The folder holds an account, and is compared by the digests of its files.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { Checks, missing, type Outcome, type Part, plus, type Surroundings } from "../part.js";
import { end, freePorts, run } from "../servers/server.js";
import { launchUntilReady, ROOKERY } from "../servers/rookery.js";

export const badInputPart: Part = {
  name: "bad input",
  shows: ["1.bad"],
  run: async (around) => {
    const house = mkdtempSync(join(tmpdir(), "rookery-bad-"));
    try {
      return await inHouse(house, around);
    } finally {
      rmSync(house, { recursive: true, force: true });
    }
  },
};

/** A folder with data to be spoilt, the ports that its configuration names, and the lines added to it. */
interface Place {
  readonly folder: string;
  readonly data: string;
  readonly ports: readonly number[];
  more: string;
}

interface Case {
  readonly title: string;
  /** Makes the start impossible; what it answers is called after the start, to undo it. */
  spoil(place: Place): Promise<(() => Promise<unknown>) | undefined> | (() => Promise<unknown>) | undefined | void;
  /** What is wrong, then what to do. */
  readonly says: RegExp;
}

const TLS = '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n';

const CASES: readonly Case[] = [
  {
    title: "a typo in the configuration",
    spoil: (place) => void (place.more = "[registration]\nmod = 'open'\n"),
    says: /rookery\.toml:\d+:\d+: unknown key "mod" in \[registration\]; did you mean "mode"\?/,
  },
  {
    title: "a value that cannot be",
    spoil: (place) => void (place.more = "[registration]\nmode = 'opne'\n"),
    says: /rookery\.toml:\d+:\d+: registration\.mode must be one of/,
  },
  {
    title: "a configuration that is no TOML",
    spoil: (place) => void (place.more = "mode = open\n"),
    says: /rookery\.toml:\d+:\d+: /,
  },
  {
    title: "a taken port",
    spoil: async ({ ports: [port] }) => {
      const other = createServer().listen(port, "127.0.0.1");
      await new Promise((resolve) => other.once("listening", resolve));
      return () => new Promise((resolve) => other.close(resolve));
    },
    says: /127\.0\.0\.1:\d+ is in use by another program: stop it, or set c2s\.listen to another port/,
  },
  {
    title: "an unreadable key",
    spoil: (place) => {
      cpSync(join(place.data, "certificate.pem"), join(place.folder, "certificate.pem"));
      mkdirSync(join(place.folder, "key.pem")); // root reads everything that is a file
      place.more = TLS;
    },
    says: /key\.pem: the private key cannot be read/,
  },
  {
    title: "a key that is none",
    spoil: (place) => {
      cpSync(join(place.data, "certificate.pem"), join(place.folder, "certificate.pem"));
      writeFileSync(join(place.folder, "key.pem"), "secret\n");
      place.more = TLS;
    },
    says: /key\.pem: there is no private key in this file: it must be PEM/,
  },
  {
    title: "a database of a newer version",
    spoil: ({ data }) => {
      const db = new DatabaseSync(join(data, "rookery.db"));
      db.exec("INSERT INTO migrations VALUES (99); PRAGMA user_version = 99");
      db.close();
    },
    says: /rookery\.db was written by a newer version \(schema 99, .*\): start the version that wrote it, or put back a backup/,
  },
  {
    title: "a file of another kind in the place of the database",
    spoil: ({ data }) => writeFileSync(join(data, "rookery.db"), "Dear diary\n".repeat(500)),
    says: /rookery\.db is not a database of this server: name another file in storage\.url/,
  },
  {
    title: "a second server on the same data folder",
    spoil: async ({ folder, data }) => {
      const config = join(folder, "first.toml");
      writeFileSync(config, settings(data, [0, 0]));
      const { child } = await launchUntilReady(["--config", config]);
      return () => end(child);
    },
    says: /the data folder .* is in use by process \d+: end that process, or name another data_dir/,
  },
];

async function inHouse(house: string, around: Surroundings): Promise<Outcome> {
  const checks = new Checks();
  const model = join(house, "model");
  await furnish(model);
  for (const [index, one] of CASES.entries()) {
    const folder = join(house, String(index));
    cpSync(model, folder, { recursive: true });
    await checks.shows(`${one.title}: one clear line, exit code 1, no data touched`, () => refused(one, folder));
  }
  if (process.getuid?.() !== 0)
    return plus(checks.outcome, missing("a small disk cannot be mounted by this user", around));
  for (const left of [0, 2, 6, 12])
    await checks.shows(`a full disk, ${left} pages left: one clear line, exit code 1, no data touched`, () =>
      onSmallDisk(join(house, `disk-${left}`), model, left),
    );
  return checks.outcome;
}

/** A data folder as an orderly end leaves it: an account, and the certificate of the first start. */
async function furnish(model: string): Promise<void> {
  mkdirSync(model, { recursive: true });
  const config = join(model, "rookery.toml");
  writeFileSync(config, settings(join(model, "data"), [0, 0]));
  await run(process.execPath, [ROOKERY, "user", "add", "juliet@localhost", "--password", "x", "--config", config]);
  const { child } = await launchUntilReady(["--config", config]);
  await end(child);
}

function settings(data: string, ports: readonly number[]): string {
  const [plain = 0, direct = 0] = ports;
  const listen = `[c2s]\nlisten = ["127.0.0.1:${plain}"]\ndirect_tls = ["127.0.0.1:${direct}"]\n`;
  return `data_dir = ${JSON.stringify(data)}\n${listen}[http]\nlisten = []\n[log]\nformat = "json"\n`;
}

async function refused(one: Case, folder: string): Promise<void> {
  const place: Place = { folder, data: join(folder, "data"), ports: await freePorts(2), more: "" };
  const undo = await one.spoil(place);
  try {
    writeFileSync(join(folder, "rookery.toml"), settings(place.data, place.ports) + place.more);
    const before = digests(place.data);
    refusesToStart(folder, one.says);
    same(before, digests(place.data));
  } finally {
    await undo?.();
  }
}

/** A copy of the model on a file system of its own, which is filled but for some pages of 4 KiB. With room again, the account is there. */
function onSmallDisk(disk: string, model: string, pages: number): Promise<void> {
  mkdirSync(disk);
  must("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
  try {
    cpSync(model, disk, { recursive: true });
    const data = join(disk, "data");
    writeFileSync(join(disk, "rookery.toml"), settings(data, [0, 0]));
    writeFileSync(join(disk, "ballast"), Buffer.alloc(4096 * pages));
    spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filling")}`, "bs=4096"]); // ends when the disk is full
    rmSync(join(disk, "ballast"));
    const before = digests(data, "rookery.db");
    refusesToStart(disk, /no space left for .*: free some space on its disk/);
    same(before, digests(data, "rookery.db"));
    rmSync(join(disk, "filling"));
    same("juliet@localhost", must(process.execPath, ROOKERY, "user", "list", "--config", join(disk, "rookery.toml")));
  } finally {
    must("umount", disk);
  }
  return Promise.resolve();
}

function refusesToStart(folder: string, says: RegExp): void {
  const ran = spawnSync(process.execPath, [ROOKERY, "start"], { cwd: folder, encoding: "utf8", timeout: 20_000 });
  if (ran.status !== 1) throw new Error(`exit code ${ran.status ?? "none"}: ${ran.stdout}${ran.stderr}`);
  const lines = ran.stderr.trimEnd().split("\n");
  if (lines.length !== 1 || !says.test(ran.stderr)) throw new Error(`it said: ${ran.stderr}`);
  if (/^\s+at /m.test(ran.stdout)) throw new Error(`a stack: ${ran.stdout}`);
}

function same(before: string, after: string): void {
  if (before !== after) throw new Error(`the data was\n${before}\nand is\n${after}`);
}

/** One line per file, but for some. The lock is no data: its file is left, empty, by whoever comes first. */
function digests(folder: string, but = "lock."): string {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map(({ name }) => name).filter((name) => !name.startsWith("lock.") && !name.startsWith(but));
  const digest = (name: string): string =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return names
    .sort()
    .map((name) => `${digest(name).slice(0, 12)} ${name}`)
    .join("\n");
}

/** What a command printed; throws when it fails. */
function must(command: string, ...parameters: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")}: ${stderr}`);
  return stdout.trim();
}
