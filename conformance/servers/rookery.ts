// Our own server, started from dist/ as a user would, with every port chosen by the system; ended by its process id.
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { running } from "./registrar.js";
import { DOMAIN, launch, type RunningServer, type ServerOptions, type StartableServer } from "./server.js";

const START_MS = 30_000;
const STOP_MS = 15_000; // it promises 10 s

/** The program that `npm start` runs. */
export const ROOKERY = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

export interface RookeryOptions extends ServerOptions {
  readonly name?: string;
  /** As in the configuration: "never" compares with a server that has none. */
  readonly archive?: "always" | "never";
  /** Lines of the section [limits], in place of those that let a suite work in peace. */
  readonly limits?: readonly string[];
}

export function rookeryIsBuilt(): boolean {
  return existsSync(ROOKERY);
}

export function rookery(options: RookeryOptions): StartableServer {
  return { name: options.name ?? "rookery", start: () => startRookery(options) };
}

async function startRookery(options: RookeryOptions): Promise<RunningServer> {
  const { folder, core } = options;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "rookery.toml");
  writeFileSync(config, configuration(options));
  const { child, listen } = await launchUntilReady(["start", "--config", config], core);
  const address = {
    host: "127.0.0.1",
    port: portOf(listen.c2s),
    directTlsPort: portOf(listen.direct_tls),
    domain: DOMAIN,
    ca: readFileSync(join(folder, "data", "certificate.pem"), "utf8"),
  };
  const add = [ROOKERY, "user", "add", "--config", config];
  return running(
    {
      child,
      address,
      adding: (user, password) => [process.execPath, ...add, `${user}@${DOMAIN}`, "--password", password],
      graceMs: STOP_MS,
    },
    options,
  );
}

/** The addresses, as "127.0.0.1:5222". */
export interface Listen {
  readonly c2s: readonly string[];
  readonly direct_tls: readonly string[];
  readonly http: readonly string[];
}

/** Starts the program and reads what it prints until the `ready` line; later lines are dropped. Throws with what it said instead. */
export function launchUntilReady(
  parameters: readonly string[],
  core?: number,
): Promise<{ readonly child: ChildProcess; readonly listen: Listen }> {
  return new Promise((resolve, reject) => {
    let printed = "";
    let isReady = false;
    const child = launch([process.execPath, ROOKERY, ...parameters], core, (text) => {
      if (isReady) return;
      printed += text;
      const listen = listenIn(printed);
      if (listen === undefined) return;
      isReady = true;
      clearTimeout(timer);
      resolve({ child, listen });
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

/** The addresses of the `ready` line, once it is among what was printed. */
export function listenIn(printed: string): Listen | undefined {
  const lines = printed.split("\n").slice(0, -1);
  const ready = lines.find((text) => text.includes('"ev":"ready"'));
  return ready === undefined ? undefined : (JSON.parse(ready) as { readonly listen: Listen }).listen;
}

/** The port of the first of these addresses. */
export function portOf(addresses: readonly string[]): number {
  const port = Number(/:(\d+)$/.exec(addresses[0] ?? "")?.[1]);
  if (!Number.isInteger(port)) throw new Error(`the ready line names no port: ${addresses.join(", ")}`);
  return port;
}

/** The configuration of a server for tests, as TOML. */
export function configuration({
  folder,
  registration = "open",
  tls = "optional",
  archive = "always",
  limits = [
    "registrations_per_hour = 0",
    'preauth_deadline = "5min"',
    "room_messages_per_minute = 0",
    "room_presences_per_minute = 0",
    "invitations_per_hour = 0",
  ],
}: RookeryOptions): string {
  return `domain = "${DOMAIN}"
data_dir = ${JSON.stringify(join(folder, "data"))}

[contact]
abuse = ["mailto:abuse@${DOMAIN}"]

[c2s]
listen = ["127.0.0.1:0"]
direct_tls = ["127.0.0.1:0"]
require_tls = ${tls === "required"}

[auth]
scram_iterations = 4096

[registration]
mode = "${registration}"

[archive]
default = "${archive}"

[limits]
${limits.join("\n")}

[http]
listen = ["127.0.0.1:0"]

[log]
format = "json"
`;
}
