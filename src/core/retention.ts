// Retention and quota of the logs: what is older than `archive.retention` goes, and of an owner with more than `archive.quota` the
// oldest entries; then the space is given back to the disk. In short slices, between which commits go on. Undelivered messages stay.
import type { Storage } from "../storage/port.js";
import type { Clock, Timer } from "./clock.js";
import type { Config } from "./config.js";
import { forDomain } from "./config/values.js";
import { idAt } from "./ids.js";
import type { Log } from "./log.js";

export interface RetentionPorts {
  readonly storage: Pick<Storage, "logOwners" | "measure" | "purge" | "shrink">;
  readonly config: Pick<Config, "archive">;
  readonly clock: Clock;
  readonly log: Log;
}

const FIRST_MS = 60_000;
const EVERY_MS = 6 * 3_600_000;
const OWNERS = 200;
const ENTRIES = 500; // of one slice

export class Retention {
  readonly #ports: RetentionPorts;
  #timer: Timer;
  #stopped = false;
  #underway: Promise<void> = Promise.resolve();

  /** Begins a minute after the start, and again every six hours. */
  constructor(ports: RetentionPorts) {
    this.#ports = ports;
    this.#timer = ports.clock.after(FIRST_MS, () => this.#begin());
  }

  /** Ends after the slice under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer.cancel();
    await this.#underway;
  }

  #begin(): void {
    this.#underway = this.sweep()
      .then((removed) => removed > 0 && this.#ports.log.info({ ev: "archive.swept", removed }))
      .catch((err: unknown) => this.#ports.log.warn({ ev: "archive.sweep_failed", err }))
      .then(() => {
        if (!this.#stopped) this.#timer = this.#ports.clock.after(EVERY_MS, () => this.#begin());
      });
  }

  /** Goes through all logs once. Returns how many entries were removed; rejects with a StoreFault. */
  async sweep(): Promise<number> {
    let removed = 0;
    let after: string | undefined;
    for (;;) {
      const page = after === undefined ? { limit: OWNERS } : { after, limit: OWNERS };
      const owners = await this.#ports.storage.logOwners(page);
      for (const owner of owners) if (!this.#stopped) removed += await this.#sweepOne(owner);
      after = owners.at(-1);
      if (owners.length < OWNERS || this.#stopped) break;
    }
    while (!this.#stopped && (await this.#ports.storage.shrink()));
    return removed;
  }

  async #sweepOne(owner: string): Promise<number> {
    const { archive } = this.#ports.config;
    const domain = owner.slice(owner.indexOf("@") + 1);
    const keepMs = forDomain(archive.retention, domain);
    const quota = forDomain(archive.quota, domain);
    const expired = keepMs > 0 ? await this.#purge(owner, idAt(this.#ports.clock.now() - keepMs)) : 0;
    const cut = quota > 0 ? await this.#cutFor(owner, quota) : 0;
    return expired + (cut > 0 ? await this.#purge(owner, cut) : 0);
  }

  async #purge(owner: string, before: number): Promise<number> {
    for (let removed = 0; ;) {
      const some = this.#stopped ? 0 : await this.#ports.storage.purge(owner, { before, limit: ENTRIES });
      if (some === 0) return removed;
      removed += some;
    }
  }

  /** The position below which entries must go so that the rest is within the quota; 0 if it is. */
  async #cutFor(owner: string, quota: number): Promise<number> {
    let total = 0;
    for await (const { bytes } of this.#sizes(owner)) total += bytes;
    if (total <= quota) return 0;
    for await (const { bytes, last } of this.#sizes(owner)) {
      total -= bytes;
      if (total <= quota) return last + 1;
    }
    return 0;
  }

  async *#sizes(owner: string): AsyncGenerator<{ readonly bytes: number; readonly last: number }> {
    for (let after = -1; !this.#stopped;) {
      const { entries, bytes, last } = await this.#ports.storage.measure(owner, { after, limit: ENTRIES });
      if (last === undefined) return;
      yield { bytes, last };
      if (entries < ENTRIES) return;
      after = last;
    }
  }
}
