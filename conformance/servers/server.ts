// What scenes, other people's clients and the benchmark need of a server: start it, make accounts, look at its process, stop it. A second
// start() on the same folder keeps the data.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A server that is up: all its listeners accept connections. */
export interface RunningServer {
  readonly host: string;
  /** Port for plain TCP and STARTTLS. */
  readonly port: number;
  /** Port for TLS from the first byte (XEP-0368). */
  readonly directTlsPort: number;
  readonly domain: string;
  /** The server's process; its CPU time and memory are read from there. */
  readonly pid: number;
  /** PEM of the certificate that vouches for the TLS ports. */
  readonly ca: string;
  /** Makes an account. Throws with the server's answer when it cannot be made. */
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
  /** Whether clients may make accounts; else they are made by the server's command. Open by default. */
  readonly registration?: "open" | "closed";
  /** Whether TLS is needed to log in. Optional by default. */
  readonly tls?: "required" | "optional";
  /** Core to pin the server to, where `taskset` exists and there are several cores. */
  readonly core?: number;
}

export const DOMAIN = "localhost";

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

/** Runs a command to its end and returns what it printed. Throws with its output when it fails. */
export async function run(command: string, parameters: readonly string[]): Promise<string> {
  const child = spawn(command, parameters, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return output;
  throw new Error(`${command} ${parameters.join(" ")} ended with ${code ?? "a signal"}: ${output.trim()}`);
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves with the exit code when the process is gone, null if a signal ended it. */
export async function end(child: ChildProcess, graceMs = 10_000): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await gone;
  clearTimeout(timer);
  return child.exitCode;
}

/** TCP ports on 127.0.0.1 that were free just now, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const probes = await Promise.all(Array.from({ length: count }, () => listening()));
  return Promise.all(probes.map(({ probe, port }) => new Promise<number>((done) => probe.close(() => done(port)))));
}

async function listening(): Promise<{ readonly probe: ReturnType<typeof createServer>; readonly port: number }> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  if (address === null || typeof address === "string") throw new Error("no TCP port");
  return { probe, port: address.port };
}
