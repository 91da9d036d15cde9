// Prosody (Debian's package) as another server: own configuration, ports and data folder, as root or not, ended by its process id.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepting } from "./accepting.js";
import { certificateIn } from "./certificate.js";
import { running } from "./registrar.js";
import { DOMAIN, freePorts, launch, type RunningServer, type ServerOptions, type StartableServer } from "./server.js";

const START_MS = 15_000;
const MODULES = ["roster", "saslauth", "tls", "disco", "private", "vcard", "version", "uptime", "time", "ping"];
const MORE = ["lastactivity", "register", "offline", "server_contact_info", "csi", "smacks", "mam"];

export function prosodyIsInstalled(): boolean {
  return spawnSync("prosodyctl", ["about"], { stdio: "ignore" }).status === 0;
}

/** With the generational collector (its default one is slower), with its archive and stream management. */
export function prosody(options: ServerOptions): StartableServer {
  return { name: "prosody", start: () => startProsody(options) };
}

async function startProsody(options: ServerOptions): Promise<RunningServer> {
  const { folder, core } = options;
  mkdirSync(join(folder, "data"), { recursive: true });
  const ca = certificateIn(folder, DOMAIN);
  const [port = 0, directTlsPort = 0] = await freePorts(2);
  const config = join(folder, "prosody.cfg.lua");
  writeFileSync(config, configuration(options, port, directTlsPort));
  let printed = "";
  const keep = (text: string): void => void (printed = (printed + text).slice(-4000));
  const child = launch(["prosody", "--config", config, "-F"], core, keep);
  child.once("error", (error) => keep(error.message));
  await accepting(port, START_MS, () => child.exitCode === null && child.pid !== undefined).catch((cause: unknown) => {
    throw new Error(`prosody did not start; its log is ${folder}/prosody.log: ${printed}`, { cause });
  });
  const address = { host: "127.0.0.1", port, directTlsPort, domain: DOMAIN, ca };
  return running(
    {
      child,
      address,
      adding: (user, password) => ["prosodyctl", "--config", config, "register", user, DOMAIN, password],
    },
    options,
  );
}

function configuration(options: ServerOptions, port: number, directTlsPort: number): string {
  const { folder, registration = "open", tls = "optional" } = options;
  const modules = [...MODULES, ...MORE].map((name) => `"${name}"`).join("; ");
  return `run_as_root = true
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
log = { info = "${folder}/prosody.log" }
gc = { mode = "generational" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { ${directTlsPort} }
modules_enabled = { ${modules} }
modules_disabled = { "s2s" }
allow_registration = ${registration === "open"}
c2s_require_encryption = ${tls === "required"}
allow_unencrypted_plain_auth = true
default_iteration_count = 4096
contact_info = { abuse = { "mailto:abuse@${DOMAIN}" }; admin = { "xmpp:admin@${DOMAIN}" } }
ssl = { certificate = "${folder}/certificate.pem", key = "${folder}/key.pem" }
c2s_direct_tls_ssl = { certificate = "${folder}/certificate.pem", key = "${folder}/key.pem" }
VirtualHost "${DOMAIN}"
Component "conference.${DOMAIN}" "muc"
modules_enabled = { "muc_mam" }
`;
}
