// The server under test as a process: started with a plan, told what to do, killed or stopped by its id, started again on the same folder.
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Address } from "../runner/stream.js";
import { configuration, type Listen, listenIn, portOf } from "../servers/rookery.js";
import { DOMAIN } from "../servers/server.js";
import type { Order, Plan } from "./failpoints.js";

const PROGRAM = fileURLToPath(new URL("main.js", import.meta.url));
const START_MS = 30_000;
const STOP_MS = 15_000; // it promises 10 s
const MAX_PRINTED = 100_000; // characters kept, the last ones

/** Where a server keeps its data, and with which settings it runs. */
export interface Place {
  readonly folder: string;
  /** The section `[storage]` of the configuration, as TOML. */
  readonly settings?: string;
  readonly archive: "always" | "never";
}

/** It ended before it was ready. */
export class EndedEarly extends Error {}

export class CrashServer {
  readonly address: Address;
  /** Where SQLite keeps its data. */
  readonly database: string;
  readonly #http: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #output: { text: string };
  #isGone = false;

  private constructor(
    child: ChildProcess,
    ended: Promise<void>,
    output: { text: string },
    listen: Listen,
    data: string,
  ) {
    this.#child = child;
    this.#ended = ended.then(() => void (this.#isGone = true));
    this.#output = output;
    const ca = readFileSync(join(data, "certificate.pem"), "utf8");
    this.database = join(data, "rookery.db");
    this.address = { host: "127.0.0.1", port: portOf(listen.c2s), directTlsPort: 0, domain: DOMAIN, ca };
    this.#http = `http://127.0.0.1:${portOf(listen.http)}`;
  }

  /** Rejects with EndedEarly when it dies, or is killed after `killAfterMs`, on the way. */
  static async start(place: Place, plan: Plan = {}, killAfterMs = Infinity): Promise<CrashServer> {
    const child = fork(PROGRAM, [configIn(place), JSON.stringify(plan)], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    const output = { text: "" };
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const timer = setTimeout(() => child.kill("SIGKILL"), Math.min(killAfterMs, START_MS));
    const listen = await addressesWhenReady(child, output);
    clearTimeout(timer);
    if (listen === undefined) throw new EndedEarly(`it ended before it was ready: ${output.text.slice(-2000)}`);
    return new CrashServer(child, ended, output, listen, join(place.folder, "data"));
  }

  /** What it logged, the last part. */
  get printed(): string {
    return this.#output.text;
  }

  /** What `/health` answers now: the status. */
  async health(): Promise<number> {
    return (await fetch(`${this.#http}/health`)).status;
  }

  /** Resolves when the process is gone. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  hasEnded(): boolean {
    return this.#isGone;
  }

  tell(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => undefined); // it may die meanwhile
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** SIGTERM; SIGKILL when it takes too long. The exit code: 0 for an orderly stop, null when a signal ended it. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
    return this.#child.exitCode;
  }
}

function configIn({ folder, settings = "", archive }: Place): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "rookery.toml");
  writeFileSync(file, `${configuration({ folder, archive })}\n${settings}`);
  return file;
}

/** Undefined when the process ends first. */
function addressesWhenReady(child: ChildProcess, output: { text: string }): Promise<Listen | undefined> {
  return new Promise((resolve) => {
    let isReady = false;
    const take = (text: string): void => {
      output.text = (output.text + text).slice(-MAX_PRINTED);
      const listen = isReady ? undefined : listenIn(output.text);
      if (listen === undefined) return;
      isReady = true;
      resolve(listen);
    };
    child.stdout?.setEncoding("utf8").on("data", take);
    child.stderr?.setEncoding("utf8").on("data", take);
    child.once("close", () => resolve(undefined)); // what it printed has been read by then
  });
}
