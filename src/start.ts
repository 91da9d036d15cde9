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
import { deriveCredentials } from "./sasl/credentials.js";
import { isUnfinished, unfinishedFault } from "./storage/copy.js";
import type { Storage } from "./storage/port.js";
import type { Json } from "./storage/writes.js";

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
      fakeSecret: await fakeSecret(storage, random),
    }),
    connections: new Connections(config.limits),
    flusher: new Flusher((run) => clock.soon(run)),
  };
  const { accounts, committer, users } = core;
  const personal = new Personal({ storage, accounts, committer, users, stores: STORES });
  return { core, c2s, personal, stop: () => stop(core, c2s) };
}

export async function listenForClients(server: Server, tls: TlsContexts): Promise<Listeners> {
  return listen(server.c2s, tls);
}

async function stop(core: Core, c2s: C2SPorts): Promise<void> {
  for (const stream of [...c2s.connections]) stream.shutDown();
  c2s.flusher.flush();
  await core.close();
}

/** The secret behind the salts of unknown users, made once per installation. */
async function fakeSecret(storage: Storage, random: Random): Promise<Buffer> {
  const place = { store: "server", owner: "", key: "fake-salt" } as const;
  const known = await storage.get(place.store, place.owner, place.key);
  const text = known?.doc["secret"];
  if (typeof text === "string") return Buffer.from(text, "base64");
  const secret = random.bytes(FAKE_SECRET_BYTES);
  await storage.commit([{ writes: [{ op: "put", ...place, doc: { v: 1, secret: secret.toString("base64") } }] }]);
  return secret;
}
