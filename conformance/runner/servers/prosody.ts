// Prosody (Debian's package) as the server under test: own folder, own ports, as root or not, ended by its process id.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Registrar } from "../registrar.js";
import type { ServerSettings } from "../notation/scene.js";
import { end, freePorts, run, type RunningServer, type ServerKind } from "./server.js";

const DOMAIN = "scenes.example";
const READY_TRIES = 200; // of 50 ms each

export const prosody: ServerKind = {
  name: "prosody",
  async start(folder, settings) {
    await mkdir(join(folder, "data"), { recursive: true });
    const [port = 0, tlsPort = 0] = await freePorts(2);
    await makeCertificate(folder);
    const config = join(folder, "prosody.cfg.lua");
    await writeFile(config, configuration(folder, port, tlsPort, settings));
    const child = spawn("prosody", ["--config", config, "-F"], { stdio: "ignore" });
    await accepting(child, port, join(folder, "prosody.log"));
    return running(folder, config, child, port, tlsPort, settings);
  },
};

async function running(
  folder: string,
  config: string,
  child: ChildProcess,
  port: number,
  tlsPort: number,
  settings: ServerSettings,
): Promise<RunningServer> {
  const address = {
    host: "127.0.0.1",
    port,
    tlsPort,
    domain: DOMAIN,
    ca: await readFile(join(folder, "cert.pem"), "utf8"),
  };
  const registrar = new Registrar(address);
  return {
    ...address,
    async createAccount(local, password) {
      if (settings.registration === "open") return registrar.create(local, password);
      await run("prosodyctl", ["--config", config, "register", local, DOMAIN, password]);
    },
    async stop() {
      registrar.close();
      await end(child);
    },
  };
}

async function makeCertificate(folder: string): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", `/CN=${DOMAIN}`, "-addext", `subjectAltName=DNS:${DOMAIN}`];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem"), "-days", "2"];
  await run("openssl", ["req", "-x509", ...curve, ...names, ...files]);
}

async function accepting(child: ChildProcess, port: number, log: string): Promise<void> {
  for (let tried = 0; tried < READY_TRIES; tried++) {
    if (child.exitCode !== null) throw new Error(`prosody ended with ${child.exitCode}; its log is ${log}`);
    const socket = connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false, // refused: not listening yet
    );
    socket.destroy();
    if (open) return;
    await pause(50);
  }
  throw new Error(`prosody does not listen after ${READY_TRIES * 50} ms; its log is ${log}`);
}

function configuration(folder: string, port: number, tlsPort: number, settings: ServerSettings): string {
  const modules = [
    "roster",
    "saslauth",
    "tls",
    "disco",
    "private",
    "vcard",
    "version",
    "uptime",
    "time",
    "ping",
    "lastactivity",
  ];
  const more = ["register", "offline", "server_contact_info", "csi"];
  const list = [...modules, ...more].map((name) => `"${name}"`).join("; ");
  return `-- made by the scene runner
run_as_root = true
daemonize = false
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
log = { debug = "${folder}/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { ${tlsPort} }
modules_enabled = { ${list} }
modules_disabled = { "s2s" }
allow_registration = ${settings.registration === "open" ? "true" : "false"}
c2s_require_encryption = ${settings.tls === "required" ? "true" : "false"}
allow_unencrypted_plain_auth = true
default_iteration_count = 4096
contact_info = { abuse = { "mailto:abuse@${DOMAIN}" }; admin = { "xmpp:admin@${DOMAIN}" } }
ssl = { certificate = "${folder}/cert.pem"; key = "${folder}/key.pem" }
c2s_direct_tls_ssl = { certificate = "${folder}/cert.pem"; key = "${folder}/key.pem" }
VirtualHost "${DOMAIN}"
`;
}
