// Prosody as the server beside ours: own configuration, ports and data folder, ended by its process id.
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { certificateIn } from "./certificate.js";
import { end, freePort, launch, type RunningServer, type ServerOptions, type StartableServer } from "./server.js";

const DOMAIN = "localhost";
const START_MS = 15_000;

/** Debian's Prosody with the generational collector, without archive and without stream management. */
export function prosody(options: ServerOptions): StartableServer {
  return { name: "prosody", start: () => startProsody(options) };
}

async function startProsody({ folder, core }: ServerOptions): Promise<RunningServer> {
  const accounts = join(folder, "data", "localhost", "accounts");
  mkdirSync(accounts, { recursive: true });
  const ca = certificateIn(folder, DOMAIN);
  const port = await freePort();
  const directTlsPort = await freePort();
  const config = join(folder, "prosody.cfg.lua");
  writeFileSync(config, configuration(folder, port, directTlsPort));
  let printed = "";
  const child = launch(
    ["prosody", "--config", config, "-F"],
    core,
    (text) => (printed = (printed + text).slice(-4000)),
  );
  child.once("error", (error) => (printed += error.message));
  await accepting(port, () => child.exitCode === null && child.pid !== undefined).catch((cause: unknown) => {
    throw new Error(`prosody did not start: ${printed}`, { cause });
  });
  return {
    host: "127.0.0.1",
    port,
    directTlsPort,
    domain: DOMAIN,
    pid: child.pid ?? 0,
    ca,
    register: (user, password) => {
      writeFileSync(join(accounts, `${user}.dat`), `return { ["password"] = ${JSON.stringify(password)}; };\n`);
      return Promise.resolve();
    },
    stop: () => end(child),
  };
}

function configuration(folder: string, port: number, directTlsPort: number): string {
  return `run_as_root = true
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
log = { warn = "${folder}/prosody.log" }
gc = { mode = "generational" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { ${directTlsPort} }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "register_ibr", "version", "time", "lastactivity", "private", "vcard" }
modules_disabled = { "s2s" }
authentication = "internal_plain"
allow_registration = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
ssl = { certificate = "${folder}/certificate.pem", key = "${folder}/key.pem" }
VirtualHost "${DOMAIN}"
`;
}

/** Waits until a port accepts connections; fails when the server has ended or after START_MS. */
async function accepting(port: number, alive: () => boolean): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await delay(50)) {
    if (!alive()) throw new Error("it ended");
    if (await accepts(port)) return;
  }
  throw new Error(`port ${port} does not accept connections`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
}
