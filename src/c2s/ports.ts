// What the streams of clients need of the rest of the server.
import type { Clock } from "../core/clock.js";
import type { Config } from "../core/config.js";
import type { EarlyIqHandler, ElementHandler, Feature } from "../core/feature.js";
import type { Log } from "../core/log.js";
import type { Random } from "../core/random.js";
import type { Sessions } from "../core/sessions.js";
import type { Users } from "../core/users.js";
import type { Authentication } from "./authentication.js";
import type { Connections } from "./connections.js";
import type { Flusher } from "./outbox.js";

export interface C2SPorts {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sessions: Sessions;
  readonly users: Users;
  readonly features: readonly Feature[];
  /** What may be asked before login, by "namespace name" of the payload. */
  readonly earlyIq: ReadonlyMap<string, EarlyIqHandler>;
  /** Elements beside stanzas, by "{namespace}name". */
  readonly elements: ReadonlyMap<string, ElementHandler>;
  readonly authentication: Authentication;
  readonly connections: Connections;
  readonly flusher: Flusher;
}

/** Gathers the features' early handlers. */
export function earlyHandlers(features: readonly Feature[]): ReadonlyMap<string, EarlyIqHandler> {
  return new Map(features.flatMap((feature) => Object.entries(feature.earlyIq ?? {})));
}

/** Gathers the features' handlers of elements that are no stanzas. */
export function elementHandlers(features: readonly Feature[]): ReadonlyMap<string, ElementHandler> {
  return new Map(features.flatMap((feature) => Object.entries(feature.elements ?? {})));
}
