// Binds resources and ends sessions (RFC 6120 §7): who has an address now, and what follows when it goes.
import type { JID } from "../stanza/jid.js";
import { StanzaError, StreamError } from "../stanza/errors.js";
import { presence } from "../stanza/build.js";
import type { Account } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Feature } from "./feature.js";
import { Flow } from "./flow.js";
import { Lane, type LanePorts } from "./lane.js";
import { Session, type Sink } from "./session.js";

export interface SessionsPorts {
  readonly accounts: Accounts;
  readonly lane: LanePorts;
  readonly features: () => readonly Feature[];
  /** Starts a flow of the server's own. */
  readonly start: (flow: Flow) => void;
  /** Sessions one account may have at once (`limits.resources_per_account`). */
  readonly perAccount: number;
}

export class Sessions {
  readonly #ports: SessionsPorts;
  /** Sessions that have ended, but whose end is not known to others yet, by full JID. */
  readonly #leaving = new Map<string, Promise<void>>();
  #count = 0;

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
  }

  /** Sessions bound now. */
  get count(): number {
    return this.#count;
  }

  /**
   * Binds a full JID to a stream. An older session of the same resource is ended with `conflict` (RFC 6120 §7.7.2.2, case 3),
   * and others are told that it is gone before anything of the new one.
   * Returns an error when the account has too many sessions or has gone; throws `LoadFault` when it cannot be loaded.
   */
  async bind(jid: JID, sink: Sink): Promise<Session | StanzaError> {
    for (;;) {
      await this.#leaving.get(jid.toString());
      const account = this.#ports.accounts.current(await this.#ports.accounts.load(jid.bare));
      this.#vacate(account, jid.resource);
      if (account.isStale || this.#leaving.has(jid.toString())) continue;
      const session = account.exists ? this.#admit(account, jid, sink) : new StanzaError("not-allowed");
      if (session instanceof Session) await this.#prepare(session);
      return session;
    }
  }

  async #prepare(session: Session): Promise<void> {
    const waits = this.#ports.features().flatMap((feature) => feature.bound?.(session) ?? []);
    if (waits.length > 0) await Promise.all(waits);
  }

  #vacate(account: Account, resource: string): void {
    const older = account.sessions.get(resource);
    if (!older) return;
    older.sink.close(new StreamError("conflict"));
    this.end(older);
  }

  #admit(account: Account, jid: JID, sink: Sink): Session | StanzaError {
    if (account.sessions.size >= this.#ports.perAccount) return new StanzaError("resource-constraint", "wait");
    const session = new Session(
      jid,
      account,
      sink,
      (self) => new Lane(this.#ports.lane, { kind: "session", session: self }, sink),
    );
    account.sessions.set(jid.resource, session);
    this.#ports.accounts.hold(account);
    this.#count++;
    return session;
  }

  /** Ends a session, once: everybody who saw it available is told (RFC 6121 §4.5.2). */
  end(session: Session): void {
    if (!session.open) return;
    session.open = false;
    const { account, jid } = session;
    if (account.sessions.get(jid.resource) === session) account.sessions.delete(jid.resource);
    this.#count--;
    for (const feature of this.#ports.features()) feature.sessionLost?.(session);
    for (const stanza of session.leaveBehind()) this.#ports.start(new Flow(stanza, { kind: "server" }, "received"));
    const goodbye = new Flow(presence({ from: jid, type: "unavailable" }), { kind: "session", session }, "sent");
    const over = new Promise<void>((resolve) => goodbye.whenOver(() => resolve()));
    goodbye.whenOver(() => {
      this.#ports.accounts.release(account);
      if (this.#leaving.get(jid.toString()) === over) this.#leaving.delete(jid.toString());
    });
    this.#leaving.set(jid.toString(), over);
    session.lane.run(goodbye);
  }
}
