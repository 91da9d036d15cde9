// A database for the MongoDB driver: the one that MONGODB_URL names, else `mongod` from the PATH, else SecantusDB from PyPI, which speaks
// MongoDB's protocol and stands in for it. Always a process of its own; what runs on it says on which it ran.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import type { Surroundings } from "../part.js";
import { end, freePorts } from "./server.js";

const SECANTUS = "0.7.0b3";
const START_MS = 30_000;

/** Where a database is, and what it calls itself. */
export interface MongoServer {
  /** Without the name of a database: `${url}/name` is one. */
  readonly url: string;
  /** "MongoDB 8.0.4", or "SecantusDB 0.7.0b3, a stand-in for MongoDB". */
  readonly name: string;
  /** Absent for a server that somebody else runs. */
  readonly process?: MongoProcess;
  stop(): Promise<void>;
}

/** A server of our own: it can be killed, halted and started again on its data. */
export interface MongoProcess {
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops answering without closing a connection, until `resume`. */
  halt(): void;
  resume(): void;
  /** Starts it again on the same port and data; resolves when it takes connections. */
  start(): Promise<void>;
}

/** A running database with its data below the folder, or why there is none. */
export async function mongoServer(around: Pick<Surroundings, "tools">, folder: string): Promise<MongoServer | string> {
  const given = process.env["MONGODB_URL"];
  if (given !== undefined && given !== "") return theirs(given);
  const command = spawnSync("mongod", ["--version"]).status === 0 ? mongod : secantus(around.tools);
  if (typeof command === "string") return command;
  const [port = 0] = await freePorts(1);
  const own = new OwnServer(command, port, folder);
  await own.start();
  const url = `mongodb://127.0.0.1:${port}`;
  return { url, name: await nameOf(url), process: own, stop: () => own.stop() };
}

async function theirs(given: string): Promise<MongoServer> {
  const url = given.replace(/^(mongodb(?:\+srv)?:\/\/[^/]+).*$/, "$1");
  if (url !== given.replace(/\/$/, "")) throw new Error("MONGODB_URL must be without a database and options");
  return { url, name: await nameOf(url), stop: () => Promise.resolve() };
}

async function nameOf(url: string): Promise<string> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: START_MS });
  try {
    const info = await client.db("admin").command({ buildInfo: 1 });
    const standIn = info["secantusVersion"] as string | undefined;
    if (standIn !== undefined) return `SecantusDB ${standIn}, a stand-in for MongoDB`;
    return `what calls itself MongoDB ${String(info["version"])}`;
  } finally {
    await client.close();
  }
}

/** The command line of a server. */
type Command = (port: number, folder: string) => readonly string[];

const mongod: Command = (port, folder) => [
  "mongod",
  "--bind_ip",
  "127.0.0.1",
  "--port",
  String(port),
  "--dbpath",
  folder,
];

/** Without --sync-on-commit it confirms journaled writes before they are on disk. */
function secantus(tools: string): Command | string {
  const environment = join(tools, `secantus-${SECANTUS}`);
  const program = join(environment, "bin", "secantusd-py");
  const trouble = existsSync(program) ? undefined : install(environment);
  if (trouble !== undefined) return trouble;
  const options = ["--host", "127.0.0.1", "--sync-on-commit", "--log-level", "WARNING"];
  return (port, folder) => [program, ...options, "--port", String(port), "--storage-path", folder];
}

function install(environment: string): string | undefined {
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(environment, { recursive: true });
  const made = spawnSync("python3", ["-m", "venv", environment], { encoding: "utf8" });
  if (made.status !== 0)
    return `no virtual environment for SecantusDB: ${made.error?.message ?? made.stdout + made.stderr}`;
  const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--pre", `SecantusDB==${SECANTUS}`];
  const installed = spawnSync(join(environment, "bin", "python3"), pip, { encoding: "utf8" });
  return installed.status === 0 ? undefined : `no mongod, and SecantusDB cannot be installed: ${installed.stderr}`;
}

class OwnServer implements MongoProcess {
  readonly #command: Command;
  readonly #port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #printed = "";

  constructor(command: Command, port: number, folder: string) {
    this.#command = command;
    this.#port = port;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const [program = "", ...parameters] = this.#command(this.#port, this.#folder);
    const child = spawn(program, parameters, { cwd: this.#folder, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.#printed = (this.#printed + text).slice(-3000)));
    this.#child = child;
    const patience = AbortSignal.timeout(START_MS);
    while (!(await accepts(this.#port))) {
      if (child.exitCode !== null || patience.aborted) throw new Error(`the database did not start: ${this.#printed}`);
      await sleep(50);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  halt(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    this.resume();
    if (this.#child) await end(this.#child);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
}
