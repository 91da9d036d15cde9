// RFC 6121 §4.3: probes. How one is answered, and those of contacts that are not in memory: nobody is online there, so they are loaded
// a few at a time, behind everything else.
import type { Account } from "../core/account.js";
import { LoadFault } from "../core/accounts.js";
import type { Context } from "../core/context.js";
import { Flow } from "../core/flow.js";
import type { Session } from "../core/session.js";
import { presence } from "../stanza/build.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { mayseePresence } from "./api.js";
import type { Directed } from "./directed.js";
import type { Absences } from "./last.js";

export function probe(from: JID, to: JID): Stanza {
  return presence({ from, to, type: "probe" });
}

/**
 * §4.3.2; answers that are about no presence of their own carry the `id` of the probe (§4.3.2.1). A stranger is answered the same
 * whether there is such an account or not (rulings 26).
 */
export function answerProbe(flow: Flow, account: Account, absences: Absences, directed: Directed): void {
  const { from: asker, to, id } = flow.stanza;
  if (!asker || !to) return;
  if (!mayseePresence(account, asker)) return answerStranger(flow, account, directed, asker);
  if (!to.isBare) return flow.route(ofResource(account.sessions.get(to.resource)?.isAvailable, to, asker, id));
  let present = false;
  for (const session of account.sessions.values()) {
    if (!session.isAvailable || !session.presence) continue;
    present = true;
    if (!session.jid.equals(asker)) flow.route(session.presence.readdress(session.jid, asker));
  }
  if (!present) flow.atRelease(() => absences.tell(account.jid, asker, id));
}

/** §4.6.6: who was sent presence directly may ask whether that resource is still there. */
function answerStranger(flow: Flow, account: Account, directed: Directed, asker: JID): void {
  const { to, id } = flow.stanza;
  const session = to && account.sessions.get(to.resource);
  if (session && directed.reaches(session, asker)) return flow.route(ofResource(true, session.jid, asker, id));
  flow.route(presence({ from: account.jid, to: asker.bare, type: "unsubscribed", id }));
}

/** Nothing but whether the resource is there. */
function ofResource(isThere: boolean | undefined, resource: JID, asker: JID, id: string | undefined): Stanza {
  const head = { from: resource, to: asker };
  return isThere ? presence(head) : presence({ ...head, type: "unavailable", id });
}

interface Job {
  readonly session: Session;
  readonly contacts: readonly JID[];
}

const WORKERS = 4; // of the loads that may be under way (`limits.loads`), so that a wave of logins leaves room for messages

export class ColdProbes {
  readonly #ports: Pick<Context, "accounts" | "log" | "start">;
  /** In order; at most one job per session, none longer than its roster. */
  readonly #jobs = new Map<Session, Job>();
  #workers = 0;

  constructor(ports: Pick<Context, "accounts" | "log" | "start">) {
    this.#ports = ports;
  }

  /** Probes the contacts for a session that has just become available, as long as it is. */
  add(session: Session, contacts: readonly JID[]): void {
    if (contacts.length === 0) return;
    this.#jobs.set(session, { session, contacts });
    if (this.#workers < WORKERS) void this.#work();
  }

  async #work(): Promise<void> {
    this.#workers++;
    for (let job = this.#next(); job; job = this.#next()) await this.#probe(job);
    this.#workers--;
  }

  #next(): Job | undefined {
    for (const job of this.#jobs.values()) {
      this.#jobs.delete(job.session);
      return job;
    }
    return undefined;
  }

  async #probe({ session, contacts }: Job): Promise<void> {
    for (const contact of contacts) {
      if (!session.isAvailable || !(await this.#isLoaded(contact))) return;
      this.#ports.start(new Flow(probe(session.jid, contact), { kind: "server" }, "received"));
    }
  }

  /** False if the store cannot tell now: the contacts are then simply not told of. */
  async #isLoaded(contact: JID): Promise<boolean> {
    try {
      await this.#ports.accounts.load(contact);
      return true;
    } catch (error) {
      if (!(error instanceof LoadFault)) throw error;
      this.#ports.log.warn({ ev: "presence.probe_failed", contact, err: error });
      return false;
    }
  }
}
