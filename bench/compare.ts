// Runs the load against several servers in turn, round by round in one run, so that a busy machine disturbs all of them alike.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load, type Measured, PASSWORD, receiver, sender } from "./load.js";
import { type RunningServer, type StartableServer } from "../conformance/servers/server.js";

export const SERVER_CORE = 0;

export interface Plan {
  readonly pairs: number;
  readonly inFlight: number;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export type Mode = "plain" | "tls" | "archiving" | "reading" | "rooms";

/** All rounds of one server in one mode. */
export interface Series {
  readonly server: string;
  readonly mode: Mode;
  readonly rounds: readonly Measured[];
}

export type Contestant = (folder: string) => StartableServer;

export interface Named {
  readonly name: string;
  readonly server: RunningServer;
}

/** Measures all servers. `say` gets a line per round. */
export function compare(
  servers: readonly Contestant[],
  plan: Plan,
  say: (line: string) => void,
): Promise<readonly Series[]> {
  return withServers(servers, plan.pairs, (running) => measureAll(running, plan, say));
}

/** Starts every server once, on a folder of its own and with the accounts of so many pairs; stops them whatever `use` does. */
export async function withServers<T>(
  servers: readonly Contestant[],
  pairs: number,
  use: (running: readonly Named[]) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "rookery-bench-"));
  const running: Named[] = [];
  try {
    for (const [index, make] of servers.entries()) {
      const startable = make(join(folder, String(index)));
      const server = await startable.start();
      running.push({ name: startable.name, server });
      await registerAll(server, pairs);
    }
    return await use(running);
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function registerAll(server: RunningServer, pairs: number): Promise<void> {
  for (let pair = 0; pair < pairs; pair++) {
    await server.register(sender(pair), PASSWORD);
    await server.register(receiver(pair), PASSWORD);
  }
}

async function measureAll(
  running: readonly Named[],
  plan: Plan,
  say: (line: string) => void,
): Promise<readonly Series[]> {
  const modes = ["plain", "tls"] as const;
  const series = modes.flatMap((mode) =>
    running.map(({ name, server }) => ({ name, server, mode, rounds: [] as Measured[] })),
  );
  for (let round = 1; round <= plan.rounds; round++) {
    for (const { name, server, mode, rounds } of series) {
      const measured = await measure(server, mode, plan);
      rounds.push(measured);
      say(
        `round ${round} ${name} ${mode}: ${perSecond([measured])} messages/s, ${microsPerMessage([measured]).toFixed(1)} µs CPU each`,
      );
    }
  }
  return series.map(({ name, mode, rounds }) => ({ server: name, mode, rounds }));
}

async function measure(server: RunningServer, mode: "plain" | "tls", plan: Plan): Promise<Measured> {
  const { host, domain } = server;
  const target =
    mode === "tls" ? { host, domain, port: server.directTlsPort, ca: server.ca } : { host, domain, port: server.port };
  const { pairs, inFlight, warmUpMs, measureMs } = plan;
  return load({ target, serverPid: server.pid, pairs, inFlight, warmUpMs, measureMs });
}

const sum = (rounds: readonly Measured[], of: (one: Measured) => number): number =>
  rounds.reduce((total, one) => total + of(one), 0);

/** Messages a second of wall time over all rounds, whole number. */
export function perSecond(rounds: readonly Measured[]): number {
  return Math.round(sum(rounds, (one) => one.messages) / sum(rounds, (one) => one.seconds));
}

/** Server CPU time per message in microseconds over all rounds. */
export function microsPerMessage(rounds: readonly Measured[]): number {
  return (1e6 * sum(rounds, (one) => one.serverCpuSeconds)) / sum(rounds, (one) => one.messages);
}

/** How busy the load generator was, 0 to 1; near 1 the messages a second are its limit, not the server's. */
export function clientLoad(rounds: readonly Measured[]): number {
  return sum(rounds, (one) => one.clientCpuSeconds) / sum(rounds, (one) => one.seconds);
}
