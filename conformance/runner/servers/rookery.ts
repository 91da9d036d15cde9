// Rookery, built from this checkout, as the server under test: own folder, ports given by the kernel, ended by its process id.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Registrar } from "../registrar.js";
import type { ServerSettings } from "../notation/scene.js";
import { end, run, type RunningServer, type ServerKind } from "./server.js";

const DOMAIN = "scenes.example";
const MAIN = fileURLToPath(new URL("../../../../dist/main.js", import.meta.url));
const READY_MS = 30_000;

/** What the `ready` line says of the listeners: `host:port` each. */
interface Ready {
  readonly c2s: readonly string[];
  readonly direct_tls: readonly string[];
}

export const rookery: ServerKind = {
  name: "rookery",
  async start(folder, settings) {
    await mkdir(folder, { recursive: true });
    const config = join(folder, "rookery.toml");
    await writeFile(config, configuration(folder, settings));
    const child = spawn(process.execPath, [MAIN, "start", "--config", config], { stdio: ["ignore", "pipe", "pipe"] });
    const ready = await readyLine(child);
    return running(config, child, ready, settings);
  },
};

function running(config: string, child: ChildProcess, ready: Ready, settings: ServerSettings): RunningServer {
  const [port, tlsPort] = [portOf(ready.c2s), portOf(ready.direct_tls)];
  const address = { host: "127.0.0.1", port, tlsPort, domain: DOMAIN, ca: undefined };
  const registrar = new Registrar(address);
  return {
    ...address,
    async createAccount(local, password) {
      if (settings.registration === "open") return registrar.create(local, password);
      await run(process.execPath, [
        MAIN,
        "user",
        "add",
        `${local}@${DOMAIN}`,
        "--password",
        password,
        "--config",
        config,
      ]);
    },
    async stop() {
      registrar.close();
      await end(child);
    },
  };
}

/** Waits for `{"ev":"ready","listen":{…}}`. Throws with what the server said instead. */
async function readyLine(child: ChildProcess): Promise<Ready> {
  const said: string[] = [];
  child.stderr?.on("data", (data: Buffer) => said.push(data.toString()));
  if (!child.stdout) throw new Error("rookery has no standard output");
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const ready = readyOf(line);
      if (ready) {
        child.stdout.resume();
        return ready;
      }
      said.push(line);
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`rookery did not become ready: ${said.slice(-5).join("\n")}`);
}

function readyOf(line: string): Ready | undefined {
  if (!line.startsWith("{")) return undefined;
  const event = JSON.parse(line) as { ev?: string; listen?: Ready };
  return event.ev === "ready" ? event.listen : undefined;
}

function portOf(addresses: readonly string[]): number {
  const port = Number(addresses[0]?.split(":").at(-1));
  if (!Number.isInteger(port)) throw new Error(`the ready line names no port: ${addresses.join(", ")}`);
  return port;
}

function configuration(folder: string, settings: ServerSettings): string {
  return `domain = "${DOMAIN}"
data_dir = "${join(folder, "data")}"

[contact]
abuse = ["mailto:abuse@${DOMAIN}"]

[c2s]
listen = ["127.0.0.1:0"]
direct_tls = ["127.0.0.1:0"]
require_tls = ${settings.tls === "required" ? "true" : "false"}

[http]
listen = []

[auth]
scram_iterations = 4096

[registration]
mode = "${settings.registration}"

[limits]
registrations_per_hour = 0

[log]
format = "json"
`;
}
