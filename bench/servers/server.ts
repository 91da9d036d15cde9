// What the benchmark and the interop suites need of a server: start it, make accounts, look at its process, stop it. A second start() keeps the data.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

/** A server that is up: all its listeners accept connections. */
export interface RunningServer {
  readonly host: string;
  /** Port for plain TCP and STARTTLS. */
  readonly port: number;
  readonly directTlsPort: number;
  readonly domain: string;
  /** The server's process; its CPU time and memory are read from there. */
  readonly pid: number;
  /** PEM of the certificate that vouches for the TLS ports. */
  readonly ca: string;
  register(user: string, password: string): Promise<void>;
  /** Orderly stop; the data stays in the folder. */
  stop(): Promise<void>;
}

/** A server that can be started, again and again on the same data folder. */
export interface StartableServer {
  readonly name: string;
  start(): Promise<RunningServer>;
}

export interface ServerOptions {
  /** Everything the server writes goes below this folder. */
  readonly folder: string;
  /** Core to pin the server to, where `taskset` exists and there are several cores. */
  readonly core?: number;
}

/** Starts a program, pinned to a core if asked; what it prints goes to `output`. */
export function launch(
  command: readonly string[],
  core: number | undefined,
  output: (text: string) => void,
): ChildProcess {
  const [program, ...parameters] = core === undefined ? command : pinned(command, core);
  if (program === undefined) throw new Error("no command to start");
  const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.setEncoding("utf8").on("data", output);
  child.stderr.setEncoding("utf8").on("data", output);
  return child;
}

/** The command line that runs a command on one core; the command itself where that is not possible. */
export function pinned(command: readonly string[], core: number): readonly string[] {
  const probe = spawnSync("taskset", ["-c", String(core), "true"], { stdio: "ignore" });
  return probe.status === 0 ? ["taskset", "-c", String(core), ...command] : command;
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
export async function end(child: ChildProcess, graceMs = 10_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await gone;
  clearTimeout(timer);
}

/** A TCP port on 127.0.0.1 that was free just now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no TCP port");
  return address.port;
}
