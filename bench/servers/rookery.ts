// Our own server, started from dist/ as a user would, with every port chosen by the system.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerInBand } from "./registration.js";
import { end, launch, type RunningServer, type ServerOptions, type StartableServer } from "./server.js";

const DOMAIN = "localhost";
const START_MS = 30_000;

/** The program that `npm start` runs. */
export const ROOKERY = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

export function rookeryIsBuilt(): boolean {
  return existsSync(ROOKERY);
}

/** `archive` as in the configuration: "never" compares with a server that has none. */
export function rookery(
  options: ServerOptions & { readonly archive?: "always" | "never"; readonly name?: string },
): StartableServer {
  return { name: options.name ?? "rookery", start: () => startRookery(options, options.archive ?? "never") };
}

async function startRookery({ folder, core }: ServerOptions, archive: string): Promise<RunningServer> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "rookery.toml");
  writeFileSync(config, configuration(join(folder, "data"), archive));
  let printed = "";
  const child = launch([process.execPath, ROOKERY, "start", "--config", config], core, (text) => (printed += text));
  const ready = await new Promise<Ready>((resolve, reject) => {
    const fail = (): void => reject(new Error(`rookery did not get ready: ${printed.slice(-4000)}`));
    const timer = setTimeout(fail, START_MS);
    const look = (): void => {
      const line = printed.split("\n").find((text) => text.includes('"ev":"ready"') && text.endsWith("}"));
      if (line !== undefined) resolve(JSON.parse(line) as Ready);
    };
    child.stdout?.on("data", look);
    child.once("error", fail).once("exit", fail);
    child.once("exit", () => clearTimeout(timer));
  });
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
    stop: () => end(child),
  };
}

/** The line that tells that all listeners are up. */
interface Ready {
  readonly listen: { readonly c2s: readonly string[]; readonly direct_tls: readonly string[] };
}

function portOf(addresses: readonly string[]): number {
  return Number(/:(\d+)$/.exec(addresses[0] ?? "")?.[1]);
}

function configuration(dataFolder: string, archive: string): string {
  return `domain = "${DOMAIN}"
data_dir = ${JSON.stringify(dataFolder)}

[c2s]
listen = ["127.0.0.1:0"]
direct_tls = ["127.0.0.1:0"]
require_tls = false

[auth]
scram_iterations = 4096

[registration]
mode = "open"

[archive]
default = "${archive}"

[http]
listen = []

[log]
level = "info"
format = "json"
`;
}
