// Binds resources and ends sessions (RFC 6120 §7): who has an address now, and what follows when it goes.
import type { JID } from "../stanza/jid.js";
import { StanzaError, StreamError } from "../stanza/errors.js";
import { errorOf, presence } from "../stanza/build.js";
import type { Account } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Feature, Missed } from "./feature.js";
import type { Copy } from "./copies.js";
import { Flow } from "./flow.js";
import { Lane, type LanePorts, type Pressure } from "./lane.js";
import type { Resumption } from "./management.js";
import type { SessionRecord, StoredCopy } from "./record.js";
import { Nowhere, type Resumed, Resumptions, type ResumptionsPorts, type Wish } from "./resumption.js";
import { Session, type Sink } from "./session.js";

export interface SessionsPorts {
  readonly accounts: Accounts;
  readonly lane: LanePorts;
  readonly features: () => readonly Feature[];
  /** Starts a flow of the server's own. */
  readonly start: (flow: Flow) => void;
  /** Sessions one account may have at once (`limits.resources_per_account`). */
  readonly perAccount: number;
  readonly resumptions: Omit<ResumptionsPorts, "end" | "prepare" | "catchUp">;
}

/** How a session of the process before goes on. */
export interface Terms {
  /** All that was on its way to its client is in its record. */
  readonly isWhole: boolean;
  /** How long it may still wait, in ms. */
  readonly leftMs: number;
  /** Else: up to this log position its client is sent from the log, once it is back, what it may have missed. */
  readonly readUpTo: number;
}

export class Sessions {
  readonly #ports: SessionsPorts;
  /** Sessions that have ended, but whose end is not known to others yet, by full JID. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #resumptions: Resumptions;
  /** Those bound now, with those that wait for a stream. */
  readonly #all = new Set<Session>();
  /** The server stops. */
  #isOver = false;

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
    this.#resumptions = new Resumptions({
      ...ports.resumptions,
      end: (session) => this.end(session),
      prepare: (session) => this.#prepareAgain(session),
      catchUp: (session, missed) => this.#catchUp(session, missed),
    });
  }

  get count(): number {
    return this.#all.size;
  }

  /**
   * Binds a full JID to a stream. An older session of the same resource is ended with `conflict` (RFC 6120 §7.7.2.2, case 3),
   * and others are told that it is gone before anything of the new one.
   * Returns an error when the account has too many sessions or has gone; throws `LoadFault` when it cannot be loaded.
   */
  async bind(jid: JID, sink: Sink): Promise<Session | StanzaError> {
    for (;;) {
      if (this.#isOver) return new StanzaError("resource-constraint", "wait");
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
    older.expel(new StreamError("conflict"));
    this.end(older);
  }

  #admit(account: Account, jid: JID, sink: Sink): Session | StanzaError {
    if (account.sessions.size >= this.#ports.perAccount) this.#endWaiting(account);
    if (account.sessions.size >= this.#ports.perAccount) return new StanzaError("resource-constraint", "wait");
    return this.#take(account, jid, sink);
  }

  #take(account: Account, jid: JID, sink: Sink): Session {
    const session = new Session(
      jid,
      account,
      sink,
      (self) => new Lane(this.#ports.lane, { kind: "session", session: self }, pressureOn(self)),
    );
    account.sessions.set(jid.resource, session);
    this.#ports.accounts.hold(account);
    this.#all.add(session);
    return session;
  }

  /** Goes on with a session of the process before, without a stream. Undefined if the account has no room for it. */
  adopt(account: Account, token: string, record: SessionRecord, terms: Terms): Session | undefined {
    const { resource, position, queue } = record;
    if (account.sessions.has(resource) || account.sessions.size >= this.#ports.perAccount) return undefined;
    const session = this.#take(account, account.jid.withResource(resource), new Nowhere(() => this.end(session)));
    session.sentBefore = record.sentBefore;
    session.readUpTo = terms.isWhole ? (queue?.readUpTo ?? 0) : terms.readUpTo;
    const held = new Set(queue?.copies.flatMap(({ id }) => id ?? []));
    const inherited = { isExact: queue !== undefined, missed: terms.isWhole ? undefined : { after: position, held } };
    const { acknowledged, handled } = record;
    const numbers = { sent: queue?.sent ?? acknowledged, acknowledged, handled };
    this.#resumptions.adopt(session, { token, waitMs: record.waitMs, numbers, inherited }, terms.leftMs);
    for (const copy of queue?.copies ?? []) this.#restore(session, copy, position);
    if (!terms.isWhole) session.holdLive(position);
    for (const { name, session: kept } of this.#ports.features()) kept?.restore?.(session, record.features[name]);
    return session;
  }

  #restore(session: Session, { stanza, again, id }: StoredCopy, after: number): void {
    const owner = session.account.jid.toString();
    const receipt = id === undefined ? undefined : this.#ports.lane.release.takeOver(session, stanza, { owner, id });
    session.management?.copies.restore({ stanza, receipt, again, after });
  }

  /** The server stops: resolves when all that the sessions have sent is handled, and nobody is missing anything that can be read. */
  async close(patience: Promise<unknown>): Promise<readonly Session[]> {
    this.#isOver = true;
    this.#resumptions.close();
    await Promise.all([...this.#leaving.values()]);
    await Promise.all([...this.#all].map(({ lane }) => lane.idle()));
    await Promise.race([Promise.all([...this.#all].map(hasEverything)), patience]);
    return [...this.#all];
  }

  async #prepareAgain(session: Session): Promise<boolean> {
    await this.#prepare(session);
    return this.#ports.features().every((feature) => feature.session?.canCatchUp?.(session) ?? true);
  }

  #catchUp(session: Session, missed: Missed): void {
    const flow = new Flow(presence({ from: session.jid }), { kind: "session", session }, "sent");
    flow.at = flow.hops.length; // it stands for no stanza: only what features add to it counts
    const waits = this.#ports.features().flatMap((feature) => feature.session?.catchUp?.(flow, session, missed) ?? []);
    session.lane.run(flow);
    void Promise.all(waits).then(() => session.releaseLive());
  }

  /** The session that has waited longest makes room for one that is there. */
  #endWaiting(account: Account): void {
    for (const session of account.sessions.values()) if (session.management?.isWaiting) return this.end(session);
  }

  /** The client wants its stanzas counted (XEP-0198 "Enabling"). Returns how it may resume the session, if it may. */
  manage(session: Session, wish: Wish): Resumption | undefined {
    return this.#resumptions.manage(session, wish);
  }

  /** The client wants to go on with a session on this stream (XEP-0198 "Resumption"). */
  resume(user: JID, token: string, h: number, sink: Sink): Promise<Resumed> {
    return this.#resumptions.resume(user, token, h, sink);
  }

  /** The client has said goodbye on this stream. */
  goodbye(session: Session, sink: Sink): void {
    if (session.sink === sink) this.#end(session);
  }

  /** The stream has ended, but not the client's session, if it can be resumed (rulings 8). Another stream may have it by now. */
  streamLost(session: Session, sink: Sink): void {
    if (session.sink !== sink || !session.open) return;
    this.#tellLost(session);
    if (!this.#resumptions.wait(session)) this.#end(session);
  }

  /** Ends a session, once: what its client was not given goes elsewhere (rulings 9), and who saw it available is told (RFC 6121 §4.5.2). */
  end(session: Session): void {
    if (session.open) this.#tellLost(session);
    this.#end(session);
  }

  #tellLost(session: Session): void {
    for (const feature of this.#ports.features()) feature.sessionLost?.(session);
  }

  #end(session: Session): void {
    if (!session.open) return;
    session.open = false;
    const { account, jid } = session;
    if (account.sessions.get(jid.resource) === session) account.sessions.delete(jid.resource);
    this.#all.delete(session);
    const left = session.leaveBehind();
    this.#resumptions.forget(session);
    this.#handOn(session, left);
    const goodbye = new Flow(presence({ from: jid, type: "unavailable" }), { kind: "session", session }, "sent");
    const over = new Promise<void>((resolve) => goodbye.whenOver(() => resolve()));
    goodbye.whenOver(() => {
      this.#ports.accounts.release(account);
      if (this.#leaving.get(jid.toString()) === over) this.#leaving.delete(jid.toString());
    });
    this.#leaving.set(jid.toString(), over);
    session.lane.run(goodbye);
  }

  /**
   * Rulings 9: what belongs to a log entry is for another device, or waits there; other messages and requests are decided anew, as for
   * a resource that is not there; a room learns that its occupant has gone; the rest is dropped.
   */
  #handOn(session: Session, copies: readonly Omit<Copy, "after">[]): void {
    const rooms = new Set<string>();
    for (const { stanza, receipt, again } of copies) {
      if (receipt) receipt.lost();
      else if (again) this.#ports.start(new Flow(stanza, { kind: "server" }, "received"));
      else if (stanza.kind === "message" && stanza.type === "groupchat" && stanza.from) {
        const room = stanza.from.bare.toString();
        if (!rooms.has(room)) this.#refuse(session, stanza);
        rooms.add(room);
      }
    }
  }

  #refuse({ jid }: Session, stanza: Copy["stanza"]): void {
    const error = errorOf(stanza.readdress(stanza.from, jid), new StanzaError("service-unavailable"));
    if (error) this.#ports.start(new Flow(error, { kind: "server" }, "received"));
  }
}

/** Resolves when what it has asked for and what was stored for it has been sent, or is kept for its client. */
async function hasEverything(session: Session): Promise<void> {
  if (session.management?.inherited) return; // nobody has come back to it
  await session.lane.answered();
  await new Promise<void>((resolve) => session.whenReleased(resolve));
}

/** On the stream that the session has then. */
function pressureOn(session: Session): Pressure {
  return { pause: () => session.sink.pause(), resume: () => session.sink.resume() };
}
