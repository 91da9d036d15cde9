// What the runner needs of a server under test: a running one on loopback, its domain, and a way to make accounts.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { ServerSettings } from "../notation/scene.js";

/** A server that runs. Addresses are of loopback; `ca` is the PEM certificate that signs the server's, if clients should verify it. */
export interface RunningServer {
  readonly host: string;
  /** Plain TCP with STARTTLS. */
  readonly port: number;
  /** Direct TLS (XEP-0368). */
  readonly tlsPort: number;
  readonly domain: string;
  readonly ca: string | undefined;
  createAccount(local: string, password: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one kind of server with some settings, in a folder that is its own. */
export interface ServerKind {
  readonly name: string;
  start(folder: string, settings: ServerSettings): Promise<RunningServer>;
}

/** Ports of loopback that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening()));
  return Promise.all(servers.map(({ server, port }) => new Promise<number>((done) => server.close(() => done(port)))));
}

/** Ends a child by its id: asks first, insists after five seconds. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const stop = new AbortController();
  const ended = await Promise.race([exited, pause(5000, "late", { signal: stop.signal, ref: false })]);
  stop.abort();
  if (ended === "late") {
    child.kill("SIGKILL");
    await exited;
  }
}

/** Runs a command to its end and returns what it printed. Throws with its output when it fails. */
export async function run(command: string, parameters: readonly string[]): Promise<string> {
  const child = spawn(command, parameters, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0)
    throw new Error(`${command} ${parameters.join(" ")} ended with ${code ?? "a signal"}: ${output.trim()}`);
  return output;
}

async function listening(): Promise<{ server: ReturnType<typeof createServer>; port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port on loopback");
  return { server, port: address.port };
}
