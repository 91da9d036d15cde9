// Whether the server can do its work, for whoever watches it (`/health`): its store takes writes and answers in time.
import type { Storage } from "../storage/port.js";
import type { Clock } from "./clock.js";
import type { Committer } from "./committer.js";
import type { Log } from "./log.js";
import { reasonOf } from "./reason.js";

export interface HealthPorts {
  readonly storage: Pick<Storage, "probe">;
  readonly committer: Pick<Committer, "unansweredMs">;
  readonly clock: Clock;
  readonly log: Log;
}

/** `problem`: what is wrong, in one line; undefined if nothing is. */
export interface HealthReport {
  readonly problem: string | undefined;
}

const PATIENCE_MS = 3000; // a store that takes longer holds up every message
const GOOD_FOR_MS = 1000; // asking often costs the store nothing

export class Health {
  readonly #ports: HealthPorts;
  #last: { readonly report: HealthReport; readonly at: number } | undefined;
  #underway: Promise<HealthReport> | undefined;
  #isGood = true;

  constructor(ports: HealthPorts) {
    this.#ports = ports;
  }

  /** Never rejects, and answers within three seconds. The log has when it becomes another answer. */
  async check(): Promise<HealthReport> {
    const report = await this.#report();
    const isGood = report.problem === undefined;
    if (isGood && !this.#isGood) this.#ports.log.info({ ev: "health.good" });
    if (!isGood && this.#isGood) this.#ports.log.warn({ ev: "health.bad", problem: report.problem });
    this.#isGood = isGood;
    return report;
  }

  async #report(): Promise<HealthReport> {
    const { clock, committer } = this.#ports;
    if (committer.unansweredMs > PATIENCE_MS) return { problem: "the store does not answer" };
    if (this.#last && clock.now() - this.#last.at < GOOD_FOR_MS) return this.#last.report;
    this.#underway ??= this.#ask();
    return this.#underway;
  }

  async #ask(): Promise<HealthReport> {
    const { storage, clock } = this.#ports;
    const report = await new Promise<HealthReport>((resolve) => {
      const timer = clock.after(PATIENCE_MS, () => resolve({ problem: "the store does not answer" }));
      storage
        .probe()
        .then(() => resolve({ problem: undefined }))
        .catch((error: unknown) => resolve({ problem: `the store takes no writes: ${reasonOf(error)}` }))
        .finally(() => timer.cancel());
    });
    this.#last = { report, at: clock.now() };
    this.#underway = undefined;
    return report;
  }
}
