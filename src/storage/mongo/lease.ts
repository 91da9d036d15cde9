// One server per database: whoever writes holds a lease, a document that it renews and that expires by the database's own clock. A holder
// that could not renew it stops writing some time before others may take it.
import type { Clock, Timer } from "../../core/clock.js";
import { StoreFault } from "../port.js";
import { factsOf, type LeaseFact, readFact } from "./facts.js";
import { CODE, faultOf, numberOf } from "./faults.js";
import type { Link } from "./link.js";
import type { Answered } from "./reply.js";

/** How long a lease lasts without being renewed: what a server on another machine waits for after a crash of this one. */
export const TERM_MS = 30_000;
const RENEW_MS = 5000;
/** Longer than any command may take: a write that begins while the lease is held ends before another server has it. */
const MARGIN_MS = 12_000;

export interface Holder {
  /** The installation. It may take over its own lease at once, since its data folder is locked too. */
  readonly holder: string;
  /** This run of it. */
  readonly session: string;
  /** For the operator of another server that is refused: host and process. */
  readonly who: string;
}

export interface LeasePorts {
  readonly link: Link;
  readonly clock: Clock;
  readonly holder: Holder;
  /** Told when the lease is gone to another server. */
  readonly report: (fault: StoreFault) => void;
}

export class Lease {
  readonly #ports: LeasePorts;
  #guard: Timer | undefined;
  #timer: Timer | undefined;
  #held = false;
  /** Another server has it: what is in this one's memory is out of date. */
  #lost: StoreFault | undefined;
  #closed = false;
  /** The last time the lease was asked for; settles without rejecting. */
  #asked: Promise<unknown> = Promise.resolve();

  private constructor(ports: LeasePorts) {
    this.#ports = ports;
  }

  /** Rejects with a StoreFault: "locked" names the server that has it. */
  static async take(ports: LeasePorts): Promise<Lease> {
    const lease = new Lease(ports);
    await lease.#ask({ holder: ports.holder.holder });
    lease.#renewLater();
    return lease;
  }

  /** May be written now. */
  get isHeld(): boolean {
    return this.#held;
  }

  /** What a write is told while it is not held. */
  get refusal(): Answered {
    const expired = new StoreFault(
      "locked",
      `the lease on ${this.#ports.link.place.shown} could not be renewed in time`,
      "nothing: it is taken again as soon as the database answers",
    );
    return { fate: "unsent", done: 0, fault: this.#lost ?? expired };
  }

  async renewIfExpired(): Promise<void> {
    if (!this.#held) await this.renew();
  }

  /** Writes the lease anew; resolves if it is held, else rejects with the StoreFault that says why not. */
  async renew(): Promise<void> {
    if (this.#lost) throw this.#lost;
    const asked = this.#ask({ session: this.#ports.holder.session });
    this.#asked = asked.catch(() => undefined); // the caller hears of it
    await asked;
  }

  /** Gives it free. Does not reject: a lease that cannot be given back expires. */
  async release(): Promise<void> {
    this.#closed = true;
    this.#held = false;
    this.#timer?.cancel();
    await this.#asked;
    this.#guard?.cancel();
    const { link, holder } = this.#ports;
    await factsOf(link)
      .deleteOne({ _id: "lease", session: holder.session }, link.bounds)
      .catch(() => undefined);
  }

  /** Takes the lease if it is free, expired, or `ours`, in one step on the server. */
  async #ask(ours: Partial<LeaseFact>): Promise<void> {
    const { link, clock, holder } = this.#ports;
    const guard = clock.after(TERM_MS - MARGIN_MS, () => (this.#held = false)); // counted from before the server's own count
    try {
      const now = await link.ask(() => link.time());
      const filter = { _id: "lease" as const, $or: [ours, { expires: { $lte: new Date(now) } }] };
      const lease = { ...holder, expires: new Date(now + TERM_MS) };
      await factsOf(link).updateOne(filter, { $set: lease }, { upsert: true, ...link.bounds });
    } catch (error) {
      guard.cancel();
      if (numberOf(error) === CODE.duplicateKey) throw await this.#refused();
      throw faultOf(error, link.place);
    }
    this.#guard?.cancel();
    this.#guard = guard;
    this.#held = !this.#closed;
  }

  /** There is a lease, and it is not ours. */
  async #refused(): Promise<StoreFault> {
    const { link } = this.#ports;
    const lease = await link.ask((at) => readFact(at, "lease"));
    this.#guard?.cancel();
    this.#held = false;
    return (this.#lost = takenFault(link.place.shown, lease?.who));
  }

  #renewLater(): void {
    this.#timer = this.#ports.clock.after(RENEW_MS, () => {
      void this.renew()
        .catch((fault: unknown) => {
          if (fault === this.#lost && this.#lost) this.#ports.report(this.#lost);
        }) // any other fault is met by the next commit too
        .finally(() => {
          if (!this.#closed && !this.#lost) this.#renewLater();
        });
    });
  }
}

function takenFault(place: string, who = "another server"): StoreFault {
  const mend = `end that server, or name another database; if it has died, the database is free ${TERM_MS / 1000} s after that`;
  return new StoreFault("locked", `storage.url: ${place} is in use by ${who}`, mend);
}
