// The second composition root (engineering 14): the same server as src/main.ts composes, on a store that kills, fails or lies on command.
// Started by the crash suite as `node main.js CONFIG PLAN`, told what to do over the IPC channel; nothing of it is in the product.
import { Socket } from "node:net";
import { ownCertificate } from "#rookery/c2s/tls/own-certificate.js";
import { TlsContexts } from "#rookery/c2s/tls/contexts.js";
import { systemClock } from "#rookery/core/clock.js";
import { loadConfig } from "#rookery/core/config.js";
import { createLog } from "#rookery/core/log.js";
import { systemRandom } from "#rookery/core/random.js";
import { SECTIONS } from "#rookery/features.js";
import { listenForClients, listenForWatchers, openServer, STORES } from "#rookery/start.js";
import { acquireLock } from "#rookery/storage/lock.js";
import { openStorage } from "#rookery/storage/open.js";
import type { StoreFault } from "#rookery/storage/port.js";
import { Failpoints, type Order, type Plan } from "./failpoints.js";
import { Commits, withFailpoints } from "./storage.js";

const [file = "", planText = "{}"] = process.argv.slice(2);
const plan = JSON.parse(planText) as Plan;
const points = new Failpoints(plan.trap);

process.once("disconnect", () => process.exit(1)); // the suite is gone
watchSockets();
await run();

async function run(): Promise<void> {
  const clock = systemClock((error) => process.stderr.write(`${String(error)}\n`));
  const { config } = loadConfig({ file, sections: SECTIONS });
  const write = (line: string): void => void process.stdout.write(line);
  const log = createLog({ level: config.log.level, format: "json", clock, write });
  const lock = acquireLock(config.data_dir);
  points.at("start.locked");
  const tls = await TlsContexts.open(async () => {
    const names = config.domains;
    return [(await ownCertificate({ directory: config.data_dir, names, clock, random: systemRandom })).pair];
  });
  const inner = await openStorage(config.storage.url, config.data_dir, STORES, {
    clock,
    random: systemRandom,
    report: (fault: StoreFault) => log.error({ ev: "store.failed", text: fault.describe }),
    ...(plan.maxPages === undefined ? {} : { maxPages: plan.maxPages }),
  });
  points.at("start.opened");
  const commits = new Commits(inner, points);
  const storage = withFailpoints(inner, commits, points);
  const software = { name: "Rookery", version: "crash" };
  const server = await openServer({ config, clock, log, software, random: systemRandom, storage });
  const listeners = await listenForClients(server, tls);
  const web = await listenForWatchers(server);
  points.at("start.listening");
  process.on("message", (order: Order) => obey(order, commits));
  log.info({ ev: "ready", listen: { c2s: listeners.plain, direct_tls: listeners.directTls, http: web.plain } });
  await new Promise((resolve) => process.once("SIGTERM", resolve));
  await Promise.all([listeners.close(), web.close(), server.stop()]);
  lock.release();
  process.exit(0);
}

function obey(order: Order, commits: Commits): void {
  switch (order.do) {
    case "trap":
      return points.arm(order.trap);
    case "fault":
      return commits.setMode(order.mode);
    case "lie":
      return commits.lie();
    default:
      order satisfies never;
  }
}

/** Every write to a client passes `socket.before` and `socket.after`: there is no port in between that could be wrapped. */
function watchSockets(): void {
  const plain = Reflect.get(Socket.prototype, "write") as (this: Socket, ...all: readonly unknown[]) => boolean;
  Socket.prototype.write = function (this: Socket, ...all: readonly unknown[]): boolean {
    const isClient = this.remoteAddress !== undefined;
    if (isClient) points.at("socket.before");
    const went = plain.call(this, ...all);
    if (isClient) points.at("socket.after");
    return went;
  };
}
