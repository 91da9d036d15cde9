// ejabberd (Debian's package) as another server: own configuration, ports and data folder, without Erlang's distribution (so no command
// reaches it: accounts are made in band), ended by its process id.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepting } from "./accepting.js";
import { certificateIn } from "./certificate.js";
import { running } from "./registrar.js";
import { DOMAIN, freePorts, launch, type RunningServer, type ServerOptions, type StartableServer } from "./server.js";

const START_MS = 60_000;

/** Where Debian keeps it, out of Erlang's own path: /usr/lib/x86_64-linux-gnu and the like. */
function erlangLibraries(): string {
  const folders = readdirSync("/usr/lib").filter((name) => name.includes("-linux-gnu"));
  return folders.map((name) => join("/usr/lib", name)).join(":");
}

export function ejabberdIsInstalled(): boolean {
  return ejabberdVersion() !== undefined;
}

/** Undefined where it is not installed. */
export function ejabberdVersion(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const tell =
    "case application:load(ejabberd) of ok -> io:put_chars(element(2, application:get_key(ejabberd, vsn))), halt(0); _ -> halt(1) end.";
  const env = { ...process.env, ERL_LIBS: erlangLibraries() };
  const { status, stdout } = spawnSync("erl", ["-noinput", "-eval", tell], { encoding: "utf8", env });
  return status === 0 ? stdout.trim() : undefined;
}

/** With its archive (in Mnesia, its default) and stream management. */
export function ejabberd(options: ServerOptions): StartableServer {
  return { name: "ejabberd", start: () => startEjabberd(options) };
}

async function startEjabberd(options: ServerOptions): Promise<RunningServer> {
  const { folder, core } = options;
  mkdirSync(join(folder, "data"), { recursive: true });
  const ca = certificateIn(folder, DOMAIN);
  const [port = 0, directTlsPort = 0] = await freePorts(2);
  const config = join(folder, "ejabberd.yml");
  writeFileSync(config, configuration(options, port, directTlsPort));
  const settings = [
    `EJABBERD_CONFIG_PATH=${config}`,
    `EJABBERD_LOG_PATH=${folder}/ejabberd.log`,
    `HOME=${folder}`,
    `ERL_LIBS=${erlangLibraries()}`,
  ];
  const erlang = ["erl", "-noinput", "+K", "true", "-mnesia", "dir", `"${folder}/data"`, "-s", "ejabberd"];
  let printed = "";
  const keep = (text: string): void => void (printed = (printed + text).slice(-4000));
  const child = launch(["env", ...settings, ...erlang], core, keep);
  child.once("error", (error) => keep(error.message));
  await accepting(port, START_MS, () => child.exitCode === null && child.pid !== undefined).catch((cause: unknown) => {
    throw new Error(`ejabberd did not start; its log is ${folder}/ejabberd.log: ${printed}`, { cause });
  });
  const address = { host: "127.0.0.1", port, directTlsPort, domain: DOMAIN, ca };
  return running({ child, address, adding: noCommand }, options);
}

function noCommand(): never {
  throw new Error("ejabberd without distribution takes no commands: its registration must be open");
}

function configuration(
  { folder, tls = "optional", registration = "open" }: ServerOptions,
  port: number,
  direct: number,
): string {
  return `hosts: ["${DOMAIN}"]
loglevel: error
certfiles: ["${folder}/certificate.pem", "${folder}/key.pem"]
listen:
  - { port: ${port}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true, starttls_required: ${tls === "required"}, shaper: none, max_stanza_size: 262144 }
  - { port: ${direct}, ip: "127.0.0.1", module: ejabberd_c2s, tls: true, shaper: none, max_stanza_size: 262144 }
auth_method: internal
auth_password_format: scram
registration_timeout: infinity
shaper: {}
access_rules: { register: { ${registration === "open" ? "allow" : "deny"}: all } }
modules:
  mod_disco: {}
  mod_roster: { versioning: true }
  mod_offline: {}
  mod_ping: {}
  mod_private: {}
  mod_vcard: {}
  mod_last: {}
  mod_version: {}
  mod_time: {}
  mod_register: { access: register }
  mod_stream_mgmt: {}
  mod_mam: { default: always }
  mod_muc: { host: "conference.${DOMAIN}", max_users: 1000, max_user_conferences: 100, min_message_interval: 0, min_presence_interval: 0, default_room_options: { mam: true, max_users: 1000, public: true } }
`;
}
