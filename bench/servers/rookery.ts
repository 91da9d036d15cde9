// Our own server, started from dist/ as a user would, with every port chosen by the system.
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerInBand } from "./registration.js";
import { end, launch, type RunningServer, type ServerOptions, type StartableServer } from "./server.js";

const DOMAIN = "localhost";
const START_MS = 30_000;
const STOP_MS = 15_000; // it promises 10 s

/** The program that `npm start` runs. */
export const ROOKERY = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

export function rookeryIsBuilt(): boolean {
  return existsSync(ROOKERY);
}

export interface RookeryOptions extends ServerOptions {
  /** As in the configuration: "never" compares with a server that has none. */
  readonly archive?: "always" | "never";
  readonly name?: string;
  /** Sections of the configuration, in place of those for measuring; at log level info at least, or the start is not noticed. */
  readonly settings?: string;
}

export function rookery(options: RookeryOptions): StartableServer {
  return { name: options.name ?? "rookery", start: () => startRookery(options) };
}

async function startRookery({ folder, core, archive = "never", settings }: RookeryOptions): Promise<RunningServer> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "rookery.toml");
  writeFileSync(config, configuration(join(folder, "data"), settings ?? measured(archive)));
  const { child, ready } = await launchUntilReady(config, core);
  const port = portOf(ready.listen.c2s);
  const directTlsPort = portOf(ready.listen.direct_tls);
  const ca = readFileSync(join(folder, "data", "certificate.pem"), "utf8");
  const target = { host: "127.0.0.1", port: directTlsPort, domain: DOMAIN, ca };
  return {
    host: "127.0.0.1",
    port,
    directTlsPort,
    domain: DOMAIN,
    pid: child.pid ?? 0,
    ca,
    register: (user, password) => registerInBand(target, user, password),
    stop: () => end(child, STOP_MS),
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly ready: Ready;
}

/** Starts the program and reads what it prints until the `ready` line; later lines are dropped. */
function launchUntilReady(config: string, core: number | undefined): Promise<Started> {
  return new Promise((resolve, reject) => {
    let printed = "";
    let isReady = false;
    const child = launch([process.execPath, ROOKERY, "start", "--config", config], core, (text) => {
      if (isReady) return;
      printed += text;
      const ready = readyIn(printed);
      if (ready === undefined) return;
      isReady = true;
      clearTimeout(timer);
      resolve({ child, ready });
    });
    const fail = (): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`rookery did not get ready: ${printed.slice(-4000)}`));
    };
    const timer = setTimeout(fail, START_MS);
    child.once("error", fail).once("close", fail);
  });
}

function readyIn(printed: string): Ready | undefined {
  const line = printed
    .split("\n")
    .slice(0, -1)
    .find((text) => text.includes('"ev":"ready"'));
  return line === undefined ? undefined : (JSON.parse(line) as Ready);
}

/** The line that tells that all listeners are up. */
interface Ready {
  readonly listen: { readonly c2s: readonly string[]; readonly direct_tls: readonly string[] };
}

function portOf(addresses: readonly string[]): number {
  return Number(/:(\d+)$/.exec(addresses[0] ?? "")?.[1]);
}

function configuration(dataFolder: string, settings: string): string {
  return `domain = "${DOMAIN}"\ndata_dir = ${JSON.stringify(dataFolder)}\n\n${settings}`;
}

function measured(archive: string): string {
  return `[c2s]
listen = ["127.0.0.1:0"]
direct_tls = ["127.0.0.1:0"]
require_tls = false

[auth]
scram_iterations = 4096

[registration]
mode = "open"

[archive]
default = "${archive}"

[limits]
registrations_per_hour = 0
preauth_deadline = 0

[http]
listen = []

[log]
level = "info"
format = "json"
`;
}
