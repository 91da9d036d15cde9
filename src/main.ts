#!/usr/bin/env node
// The program: gives the composed server its real clock, randomness, files and sockets, and the command line its actions.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { accountActions } from "./admin/accounts.js";
import type { AdminActions } from "./admin/actions.js";
import { mayListen } from "./c2s/endpoints.js";
import type { Listeners } from "./c2s/listener.js";
import { type ExitCode, runCli } from "./admin/cli.js";
import { controlPath } from "./admin/control-path.js";
import { ControlServer } from "./admin/control.js";
import { readCertificates, type CertifiedKey } from "./c2s/tls/certificate.js";
import { TlsContexts } from "./c2s/tls/contexts.js";
import { ownCertificate } from "./c2s/tls/own-certificate.js";
import { systemClock } from "./core/clock.js";
import type { Config, LoadedConfig } from "./core/config.js";
import type { StoragePlace } from "./core/config/values.js";
import { createLog, type Log } from "./core/log.js";
import { systemRandom } from "./core/random.js";
import { check } from "./check.js";
import { SECTIONS } from "./features.js";
import { listenForClients, listenForWatchers, openServer, STORES, type Server } from "./start.js";
import { type Copied, copyStore } from "./storage/copy.js";
import { acquireLock } from "./storage/lock.js";
import { openStorage } from "./storage/open.js";
import { type Storage, StoreFault } from "./storage/port.js";
import type { WebListeners } from "./web/listener.js";

const software = { name: "Rookery", version: packageVersion() };
const clock = systemClock((error) => reportLost(error));

/** How long an orderly stop may take, in ms; then the process ends all the same. */
const STOP_MS = 10_000;

const code = await runCli({
  args: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  version: software.version,
  sections: SECTIONS,
  start,
  openAccounts,
  check: ({ config }) => check(config, clock),
  migrate,
});
process.exit(code);

/** Runs the server until it is told to stop. */
async function start({ config, warnings }: LoadedConfig): Promise<ExitCode> {
  const log = openLog(config);
  for (const text of warnings) log.warn({ ev: "config.warning", text });
  const lock = acquireLock(config.data_dir);
  try {
    await mayListen(config, log);
    const tls = await TlsContexts.open(() => certificates(config, log));
    const server = await open(config, log);
    await serve(config, server, tls, log);
    return 0;
  } finally {
    lock.release();
  }
}

async function serve(config: Config, server: Server, tls: TlsContexts, log: Log): Promise<void> {
  const { listeners, web } = await listenEverywhere(server, tls).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  const actions = accountActions(server.core.users, server.personal, config);
  const control = await ControlServer.open(controlPath(config.data_dir), actions, (error) =>
    log.error({ ev: "control.failed", err: error }),
  );
  process.on("SIGHUP", () => void reload(tls, listeners, log));
  const stopped = stopSignal(); // heard from now on: who reads the next line may send it at once
  log.info({
    ev: "ready",
    listen: { c2s: listeners.plain, direct_tls: listeners.directTls, http: web.plain },
    domains: config.domains,
    version: software.version,
  });
  if (config.log.format === "pretty") process.stdout.write(welcome(config));
  await stopped;
  log.info({ ev: "stopping" });
  clock.after(STOP_MS, () => process.exit(1));
  await Promise.all([listeners.close(), web.close(), control.close(), server.stop()]);
  log.info({ ev: "stopped" });
}

async function listenEverywhere(
  server: Server,
  tls: TlsContexts,
): Promise<{ readonly listeners: Listeners; readonly web: WebListeners }> {
  const listeners = await listenForClients(server, tls);
  try {
    return { listeners, web: await listenForWatchers(server) };
  } catch (error) {
    await listeners.close();
    throw error;
  }
}

/** The accounts while no server runs. */
async function openAccounts({
  config,
}: LoadedConfig): Promise<{ readonly actions: AdminActions; close(): Promise<void> }> {
  const log = openLog(config);
  const lock = acquireLock(config.data_dir);
  try {
    const server = await open(config, log);
    const close = async (): Promise<void> => {
      await server.stop();
      lock.release();
    };
    return { actions: accountActions(server.core.users, server.personal, config), close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function migrate({ config }: LoadedConfig, from: StoragePlace, to: StoragePlace): Promise<Copied> {
  const log = openLog(config);
  const lock = acquireLock(config.data_dir);
  try {
    const source = await store(config, log, existing(config, from));
    const target = await store(config, log, to).catch(async (error: unknown) => {
      await source.close();
      throw error;
    });
    return await copyStore(source, target, STORES).finally(() => Promise.all([source.close(), target.close()]));
  } finally {
    lock.release();
  }
}

/** A file that is not there would be made, and copied as if it had been empty. */
function existing({ data_dir }: Config, place: StoragePlace): StoragePlace {
  if (place.driver === "sqlite" && !existsSync(resolve(data_dir, place.file)))
    throw new StoreFault("unreadable", `${resolve(data_dir, place.file)} does not exist`, "name the store with --from");
  return place;
}

function openLog({ log: { level, format } }: Config): Log {
  return createLog({
    level,
    format,
    clock,
    colour: process.stdout.isTTY,
    write: (line) => void process.stdout.write(line),
  });
}

/** The server on its real store, without listeners. The caller holds the lock. */
async function open(config: Config, log: Log): Promise<Server> {
  const storage = await store(config, log, config.storage.url);
  return openServer({ config, clock, log, software, random: systemRandom, storage });
}

function store(config: Config, log: Log, place: StoragePlace): Promise<Storage> {
  return openStorage(place, config.data_dir, STORES, {
    clock,
    random: systemRandom,
    report: (fault) => log.error({ ev: "store.failed", text: fault.describe }),
  });
}

/** The configured certificates, or one of our own. */
async function certificates(config: Config, log: Log): Promise<readonly CertifiedKey[]> {
  const { domains, tls, data_dir: directory } = config;
  if (tls.certificate.length > 0) {
    const { pairs, warnings } = await readCertificates(tls, { domains, clock });
    for (const text of warnings) log.warn({ ev: "tls.warning", text });
    return pairs;
  }
  const own = await ownCertificate({ directory, names: domains, clock, random: systemRandom });
  if (own.made) log.info({ ev: "tls.certificate_made", why: own.made, file: own.pair.file });
  return [own.pair];
}

async function reload(tls: TlsContexts, listeners: Listeners, log: Log): Promise<void> {
  try {
    await tls.reload();
    listeners.reload();
    log.info({ ev: "tls.reloaded" });
  } catch (error) {
    log.error({ ev: "tls.reload_failed", text: error instanceof Error ? error.message : String(error) });
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        resolve();
        process.once(signal, () => process.exit(1));
      });
    }
  });
}

function welcome({ domain }: Config): string {
  return [
    "",
    `  Rookery is ready for ${domain}.`,
    "",
    `  Make an account:  npx rookery user add juliet@${domain}`,
    "  Then log in with any XMPP client. Stop the server with Ctrl-C.",
    "",
    "",
  ].join("\n");
}

function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** What a timer threw: there is no log yet that could say so when the clock is made. */
function reportLost(error: unknown): void {
  process.stderr.write(`rookery: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
