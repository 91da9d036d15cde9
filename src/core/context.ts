// What a feature that needs more than its stanza is given at start: read access, the clock, the sessions. Never a socket or a commit.
import type { JID } from "../stanza/jid.js";
import type { Storage } from "../storage/port.js";
import type { Accounts, Owners } from "./accounts.js";
import type { Clock } from "./clock.js";
import type { Committer } from "./committer.js";
import type { Config } from "./config.js";
import type { Erasures } from "./erasures.js";
import type { DiscoIdentity, Feature } from "./feature.js";
import type { Flow } from "./flow.js";
import type { Ids } from "./ids.js";
import type { Lane } from "./lane.js";
import type { Log } from "./log.js";
import type { Owner } from "./owner.js";
import type { Random } from "./random.js";
import type { Sessions } from "./sessions.js";
import type { Users } from "./users.js";

export interface Context {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For reads only; writes go through a flow, or `committer` where no flow exists. */
  readonly storage: Omit<Storage, "commit" | "close">;
  readonly committer: Committer;
  readonly accounts: Accounts;
  readonly users: Users;
  /** To be told after an owner was erased: the store may have to take out a long log. */
  readonly erasures: Pick<Erasures, "begin">;
  readonly ids: Ids;
  /** All features, in order (service discovery reads their manifests). Complete once the server runs. */
  readonly features: () => readonly Feature[];
  /** The sessions of clients. There once the server runs. */
  readonly sessions: () => Pick<Sessions, "manage" | "resume">;
  /** Services on subdomains of a domain, for disco#items. */
  readonly services: () => readonly { readonly domain: string; readonly identity: DiscoIdentity }[];
  /** True for a domain this server hosts. */
  readonly isHosted: (jid: JID) => boolean;
  /** Starts a flow of the server's own. */
  readonly start: (flow: Flow) => void;
  /** What owns documents in these stores beside accounts: kept in memory and loaded as those are. */
  readonly owners: <T extends Owner>(stores: readonly string[], create: (jid: JID) => T) => Owners<T>;
  /** Makes lanes in which `decide` decides what is started there, at once or later; what that routes goes the usual way, as all does without. */
  readonly lanes: (decide?: (flow: Flow) => Promise<void> | undefined) => () => Lane;
  /** A device has this log entry: it need not be delivered again (rulings 2). */
  readonly delivered: (entry: { readonly owner: string; readonly id: number }) => void;
  readonly software: { readonly name: string; readonly version: string };
  /** When the server started, in ms since 1970. */
  readonly startedAt: number;
}
