// The first minute of whoever installs Rookery: `npm start` with the default settings, an account made while it runs, SIGTERM through npm;
// and what an installation without the compiler is told.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Checks, type Part } from "../part.js";
import { ROOKERY } from "../servers/rookery.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const READY_MS = 60_000; // a build may come first
const STOP_MS = 10_000;
const PORTS = [5222, 5223];

export const startPart: Part = {
  name: "start",
  shows: ["1.1"],
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "rookery-start-"));
    const checks = new Checks();
    try {
      await checks.shows("npm start with default settings serves, takes accounts, and ends with 0 at SIGTERM", () =>
        asDefault(join(folder, "data")),
      );
      await checks.shows("an installation without the compiler says: npm ci --include=dev", () =>
        withoutCompiler(join(folder, "copy")),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return checks.outcome;
  },
};

/** Only the data folder is not the default, so that nobody's `./data` is touched. */
async function asDefault(data: string): Promise<void> {
  const env = { ...process.env, ROOKERY_DATA_DIR: data };
  const child = spawn("npm", ["start"], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const exited = once(child, "exit") as Promise<[number | null]>;
  try {
    await until(() => /\bready\b/.test(printed) || child.exitCode !== null, READY_MS);
    if (!printed.includes("npx rookery user add")) throw new Error(`it does not say how to add a user: ${printed}`);
    await Promise.all(hosts().flatMap((host) => PORTS.map((port) => reach(host, port))));
    const health = await fetch("http://127.0.0.1:5280/health");
    if (health.status !== 200) throw new Error(`/health: ${health.status} ${await health.text()}`);
    const added = spawnSync(process.execPath, [ROOKERY, "user", "add", "juliet@localhost", "--password", "x"], {
      cwd: ROOT,
      env,
      encoding: "utf8",
    });
    if (added.status !== 0) throw new Error(`no account while it runs: ${added.stderr}`);
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    const [code] = await exited;
    clearTimeout(late);
    if (code !== 0) throw new Error(`npm start ended with ${code ?? "a signal"}: ${printed}`);
    if (!/\bstopped\b/.test(printed)) throw new Error(`the server did not say that it stopped: ${printed}`);
  } finally {
    child.kill("SIGKILL");
  }
  if (!existsSync(join(data, "rookery.db")) || existsSync(join(data, "rookery.db-wal")))
    throw new Error("the database is not there, or was not closed");
}

/** IPv6 too, where the machine has it. */
function hosts(): readonly string[] {
  const all = Object.values(networkInterfaces()).flat();
  return all.some((one) => one?.address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

async function reach(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}

function withoutCompiler(copy: string): Promise<void> {
  for (const name of ["package.json", "package-lock.json", "scripts", "src", "tsconfig.json", "tsconfig.base.json"])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  const env = { ...process.env, NODE_ENV: "production" };
  for (const [command, code] of [
    ["ci", 0],
    ["start", 1],
  ] as const) {
    const { status, stdout, stderr } = spawnSync("npm", [command], { cwd: copy, env, encoding: "utf8" });
    const said = stdout + stderr;
    if (status !== code || !said.includes("npm ci --include=dev"))
      throw new Error(`npm ${command} ended with ${status ?? "a signal"} and said: ${said}`);
  }
  return Promise.resolve();
}

async function until(done: () => boolean, limitMs: number): Promise<void> {
  for (const deadline = Date.now() + limitMs; !done(); await new Promise((resolve) => setTimeout(resolve, 50)))
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms`);
}
