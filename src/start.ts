// Composes a running server from its ports: storage, core, features and listeners, and takes it down in order. main.ts gives it the real
// ports; tests give it fake ones.
import { Authentication } from "./c2s/authentication.js";
import { Connections } from "./c2s/connections.js";
import { listen, type Listeners } from "./c2s/listener.js";
import { Flusher } from "./c2s/outbox.js";
import { earlyHandlers, elementHandlers, type C2SPorts } from "./c2s/ports.js";
import type { TlsContexts } from "./c2s/tls/contexts.js";
import type { Clock } from "./core/clock.js";
import type { Config } from "./core/config.js";
import { Core } from "./core/core.js";
import type { Log } from "./core/log.js";
import { Personal } from "./core/personal.js";
import type { Random } from "./core/random.js";
import { ACCOUNT_STORES, features, services, STORES } from "./features.js";
import { unhosted } from "./s2s/unhosted.js";
import { deriveCredentials, type Disguise } from "./sasl/credentials.js";
import { isUnfinished, unfinishedFault } from "./storage/copy.js";
import type { Storage } from "./storage/port.js";
import type { Json } from "./storage/writes.js";
import { listenForWeb, type WebListeners } from "./web/listener.js";

export { STORES };

export interface ServerPorts {
  readonly config: Config;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly software: { readonly name: string; readonly version: string };
}

/** A server without its listeners: what commands work on, and what tests connect to directly. */
export interface Server {
  readonly core: Core;
  readonly c2s: C2SPorts;
  readonly personal: Personal;
  /** Ends all streams with `system-shutdown`, commits what is waiting and closes the store. */
  stop(): Promise<void>;
}

const FAKE_SECRET_BYTES = 32;
const MAX_ITERATION_COUNTS = 8; // more changes of one setting than anybody makes

export async function openServer(ports: ServerPorts): Promise<Server> {
  const { config, storage, clock, random, log } = ports;
  if (await isUnfinished(storage)) throw unfinishedFault();
  const core = await Core.open({
    ...ports,
    derive: async (password) =>
      (await deriveCredentials(password, config.auth.scram_iterations, (size) => random.bytes(size))) as Json,
    features,
    services,
    remote: unhosted,
    accountStores: ACCOUNT_STORES,
  });
  await core.users.removeTemporary().catch((err: unknown) => log.warn({ ev: "auth.temporary_account_left", err }));
  const c2s: C2SPorts = {
    config,
    clock,
    random,
    log,
    sessions: core.sessions,
    users: core.users,
    features: core.features,
    earlyIq: earlyHandlers(core.features),
    elements: elementHandlers(core.features),
    authentication: new Authentication({
      config,
      users: core.users,
      clock,
      random,
      log,
      disguise: await disguise(storage, random, config.auth.scram_iterations),
    }),
    connections: new Connections(config.limits),
    flusher: new Flusher((run) => clock.soon(run)),
  };
  const { accounts, committer, users, erasures } = core;
  const personal = new Personal({ storage, accounts, committer, users, erasures, stores: STORES });
  return { core, c2s, personal, stop: () => stop(core, c2s) };
}

/** Takes in the sessions of the process before, and then clients. */
export async function listenForClients(server: Server, tls: TlsContexts): Promise<Listeners> {
  await server.core.begin();
  return listen(server.c2s, tls);
}

export function listenForWatchers({ core, c2s }: Server): Promise<WebListeners> {
  return listenForWeb({ config: c2s.config, log: c2s.log, health: core.health });
}

async function stop(core: Core, c2s: C2SPorts): Promise<void> {
  await core.farewell();
  for (const stream of [...c2s.connections]) stream.shutDown();
  c2s.flusher.flush();
  await core.close();
}

/** The secret behind the salts of unknown users, made once per installation, and the iteration counts that were configured so far. */
async function disguise(storage: Storage, random: Random, iterations: number): Promise<Disguise> {
  const place = { store: "server", owner: "", key: "fake-salt" } as const;
  const doc = (await storage.get(place.store, place.owner, place.key))?.doc;
  const [text, before] = [doc?.["secret"], doc?.["iterations"]];
  const secret = typeof text === "string" ? text : random.bytes(FAKE_SECRET_BYTES).toString("base64");
  const known = Array.isArray(before) ? before.filter((count) => typeof count === "number") : [];
  const iterationCounts = [...known.filter((count) => count !== iterations), iterations].slice(-MAX_ITERATION_COUNTS);
  if (secret !== text || !known.includes(iterations))
    await storage.commit([{ writes: [{ op: "put", ...place, doc: { v: 1, secret, iterations: iterationCounts } }] }]);
  return { fakeSecret: Buffer.from(secret, "base64"), iterationCounts };
}
