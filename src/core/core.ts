// Puts the core together: storage in, sessions out. The transports bind sessions and feed their lanes; the features decide.
import type { Storage } from "../storage/port.js";
import type { Json, Outcome, Write } from "../storage/writes.js";
import { Accounts, Owners, type OwnersPorts } from "./accounts.js";
import type { Clock, Timer } from "./clock.js";
import { Committer } from "./committer.js";
import type { Config } from "./config.js";
import type { Context } from "./context.js";
import { Cursor } from "./cursor.js";
import { Erasures } from "./erasures.js";
import type { Feature } from "./feature.js";
import type { Append, Flow } from "./flow.js";
import { Health } from "./health.js";
import { Ids } from "./ids.js";
import { Lane, type LanePorts } from "./lane.js";
import type { Log } from "./log.js";
import { Order } from "./order.js";
import type { Spelling } from "./management.js";
import { Pipeline } from "./pipeline.js";
import type { Random } from "./random.js";
import { Release } from "./release.js";
import { Records } from "./records.js";
import { Retention } from "./retention.js";
import { Revival } from "./revival.js";
import { Router, type Remote, type Service } from "./router.js";
import { Sessions } from "./sessions.js";
import { Users } from "./users.js";

export interface CorePorts {
  readonly config: Config;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly derive: (password: string) => Promise<Json>;
  readonly software: { readonly name: string; readonly version: string };
  /** Makes the features, in order, once the context exists. */
  readonly features: (context: Context) => readonly Feature[];
  readonly services?: (context: Context) => readonly Service[];
  readonly remote: Remote;
  /** Stores that are loaded with an account. */
  readonly accountStores: readonly string[];
}

const BATCH_UNITS = 512; // a transaction of that many rows takes some 10 ms, and the next batch fills meanwhile

/** Of the 10 s that an orderly stop may take, where the store does not answer. */
const FAREWELL_MS = 2000;

export class Core {
  readonly context: Context;
  readonly features: readonly Feature[];
  readonly accounts: Accounts;
  readonly committer: Committer;
  readonly sessions: Sessions;
  readonly users: Users;
  readonly health: Health;
  readonly order: Order;
  readonly erasures: Erasures;
  readonly #storage: Storage;
  readonly #cursor: Cursor;
  readonly #retention: Retention;
  readonly #records: Records;
  readonly #revival: Revival;

  private constructor(ports: CorePorts, ids: Ids) {
    const { config, storage, clock, random, log } = ports;
    const { limits } = config;
    const hosted = new Set(config.domains);
    this.#storage = storage;
    const owners: Omit<OwnersPorts, "stores"> = {
      storage,
      clock,
      cacheBytes: limits.account_cache_bytes,
      loads: limits.loads,
      queue: limits.load_queue,
      timeoutMs: limits.load_timeout,
    };
    this.accounts = new Accounts({ ...owners, stores: ports.accountStores });
    this.committer = new Committer({
      storage,
      ids,
      clock,
      log,
      queueBytes: limits.commit_queue,
      timeoutMs: config.storage.timeout,
      batchUnits: BATCH_UNITS,
    });
    this.health = new Health({ storage, committer: this.committer, clock, log });
    this.#cursor = new Cursor(this.committer, log);
    this.#retention = new Retention({ storage, config, clock, log });
    this.erasures = new Erasures({ storage, clock, log });
    this.erasures.begin();
    // The lanes need the pipeline, which needs the features, which need the context: it starts flows only once all of them exist.
    const start = (flow: Flow): void => new Lane(lane, { kind: "server" }, undefined).run(flow);
    const delivered = (entry: { readonly owner: string; readonly id: number }): void => this.#cursor.delivered(entry);
    const commit = (writes: readonly (Write | Append)[]): Promise<Outcome> => this.committer.commit(writes);
    const keeper = { commit, delivered };
    const order = new Order(keeper);
    this.order = order;
    const release = new Release({ log, keeper, order, start });
    let features: readonly Feature[] = [];
    this.users = new Users({
      storage,
      accounts: this.accounts,
      committer: this.committer,
      clock,
      features: () => features,
      start,
      derive: ports.derive,
      erasures: this.erasures,
    });
    let services: readonly Service[] = [];
    this.context = {
      config,
      clock,
      random,
      log,
      storage,
      committer: this.committer,
      accounts: this.accounts,
      users: this.users,
      erasures: this.erasures,
      ids,
      features: () => features,
      sessions: () => this.sessions,
      services: () => services,
      isHosted: (jid) => hosted.has(jid.domain),
      start,
      owners: (stores, create) => new Owners({ ...owners, stores }, create),
      lanes: (decide) => {
        let own: LanePorts | undefined; // services are made before the pipeline
        const portsOf = (): LanePorts => (decide ? { ...lane, pipeline: pipeline.behind(decide) } : lane);
        return () => new Lane((own ??= portsOf()), { kind: "server" }, undefined);
      },
      delivered,
      software: ports.software,
      startedAt: clock.now(),
    };
    features = ports.features(this.context);
    services = ports.services?.(this.context) ?? [];
    this.features = features;
    const router = new Router(config.domains, services);
    const pipeline = new Pipeline({
      accounts: this.accounts,
      router,
      remote: ports.remote,
      features,
      log,
      order,
      start,
    });
    const lane: LanePorts = {
      pipeline,
      committer: this.committer,
      release,
      limits: { stanzas: limits.inflight_stanzas, bytes: limits.inflight_bytes },
      clock,
      ackWaitMs: limits.ack_wait,
    };
    this.#records = new Records({ clock, log, commit, features: () => features });
    this.sessions = new Sessions({
      accounts: this.accounts,
      lane,
      features: () => features,
      start,
      perAccount: limits.resources_per_account,
      resumptions: {
        clock,
        random,
        log,
        ackWaitMs: limits.ack_wait,
        waitMs: limits.sm_resume,
        queue: { stanzas: limits.sm_queue, bytes: limits.sm_queue_bytes },
        records: this.#records,
        spelling: () => spellingIn(features),
      },
    });
    this.#revival = new Revival({
      ...{ storage, accounts: this.accounts, committer: this.committer, sessions: this.sessions },
      ...{ records: this.#records, ids, clock, log, waitMs: limits.sm_resume },
    });
  }

  static async open(ports: CorePorts): Promise<Core> {
    const ids = new Ids(ports.clock, await ports.storage.highestId());
    return new Core(ports, ids);
  }

  /** Takes in the sessions of the process before: to be done once, before anybody can log in. */
  begin(): Promise<void> {
    return this.#revival.begin();
  }

  /** The server stops: what clients should know is sent to them, while they have their streams. */
  async farewell(): Promise<void> {
    let patience: Timer | undefined;
    const isOver = new Promise<void>((resolve) => (patience = this.context.clock.after(FAREWELL_MS, resolve)));
    await Promise.race([Promise.all(this.features.flatMap((feature) => feature.closing?.() ?? [])), isOver]);
    patience?.cancel();
  }

  /** Stores the sessions that go on, commits what is waiting and closes the store. The transports have ended their streams before. */
  async close(): Promise<void> {
    await this.#retention.stop();
    await this.erasures.stop();
    await this.#revival.end();
    this.#cursor.flush();
    await this.committer.idle();
    await this.#storage.close();
  }
}

function spellingIn(features: readonly Feature[]): Spelling {
  const spelling = features.find((feature) => feature.spelling)?.spelling;
  if (!spelling) throw new Error("no feature says how acknowledgements are written");
  return spelling;
}
