// Sessions that outlive their streams (XEP-0198 "Resumption"): who may be resumed by which token, for how long, and by whom.
import { StreamError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Clock, Timer } from "./clock.js";
import type { Missed } from "./feature.js";
import {
  type Inherited,
  Management,
  type ManagementPorts,
  type Numbers,
  type Resumption,
  type Spelling,
} from "./management.js";
import { type Random, randomText } from "./random.js";
import { recentlyUsed } from "./recent.js";
import type { Session, Sink } from "./session.js";

export interface ResumptionsPorts extends ManagementPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** The longest time that a session waits for a stream (`limits.sm_resume`), in ms. */
  readonly waitMs: number;
  readonly spelling: () => Spelling;
  /** Ends a session for good. */
  readonly end: (session: Session) => void;
  /** The client of a session comes back that was another process's, and may have missed this. False if it cannot be told all of it. */
  readonly prepare: (session: Session, missed: Missed) => Promise<boolean>;
  /** And it is back. */
  readonly catchUp: (session: Session, missed: Missed) => void;
}

/** A session of another process. */
export interface Adopted extends Resumption {
  readonly numbers: Numbers;
  readonly inherited: Inherited;
}

/** What a client asks for when it wants its stanzas counted. */
export interface Wish {
  /** It wants to be able to come back. */
  readonly resume: boolean;
  /** Within this time, in ms; undefined: as long as may be. */
  readonly waitMs: number | undefined;
}

/** No such session; `handled` is how much of what the client sent was handled, if that is known exactly. */
export interface Gone {
  readonly handled: number | undefined;
}

/** The session goes on with the new stream; or it is gone; or the client claims what cannot be. */
export type Resumed = Session | Gone | StreamError;

const ENDED = 10_000; // sessions that have ended whose last count is remembered: about 2 MB

export class Resumptions {
  readonly #ports: ResumptionsPorts;
  readonly #byToken = new Map<string, Session>();
  readonly #waiting = new Map<Session, Timer>();
  #isOver = false;
  /** Who wants to go on with a session that is still busy with what came over its last stream. The last one wins. */
  readonly #claims = new Map<Session, Sink>();
  readonly #ended = recentlyUsed<string, { readonly owner: string; readonly handled: number }>(ENDED);

  constructor(ports: ResumptionsPorts) {
    this.#ports = ports;
  }

  /** Sessions without a stream. */
  get count(): number {
    return this.#waiting.size;
  }

  /** From now on what the session is sent and what it sends is counted. Returns how it may be resumed, if it may. */
  manage(session: Session, { resume, waitMs }: Wish): Resumption | undefined {
    const wait = Math.min(waitMs ?? Infinity, this.#ports.waitMs);
    // 128 random bits: nobody can guess them, and none is ever used twice.
    const resumption = resume ? { token: randomText(this.#ports.random), waitMs: wait } : undefined;
    session.lane.count();
    session.management = new Management(session, this.#ports, this.#ports.spelling(), resumption);
    if (resumption) this.#byToken.set(resumption.token, session);
    this.#ports.records.changed(session);
    return resumption;
  }

  /** Takes in a session that was resumable in another process. It waits from now on, for `leftMs`. */
  adopt(session: Session, { token, waitMs, numbers, inherited }: Adopted, leftMs: number): void {
    const management = new Management(session, this.#ports, this.#ports.spelling(), { token, waitMs });
    session.management = management;
    this.#byToken.set(token, session);
    management.continueAt(numbers, inherited);
    this.wait(session, Math.min(leftMs, this.#ports.waitMs));
  }

  /** The server stops: nobody is waited for any more, and nobody can come back to a session. */
  close(): void {
    this.#isOver = true;
    for (const timer of this.#waiting.values()) timer.cancel();
  }

  /** The session has lost its stream. False if it ends with it. */
  wait(session: Session, waitMs = session.management?.resumption?.waitMs): boolean {
    const { management } = session;
    if (!management?.isResumable || waitMs === undefined) return false;
    const { clock, end } = this.#ports;
    session.attach(new Nowhere(() => end(session)));
    this.#waiting.set(
      session,
      clock.after(waitMs, () => end(session)),
    );
    management.wait(clock.now() + waitMs);
    return true;
  }

  /** The session ends. Its last count is remembered for a client that comes too late. */
  forget(session: Session): void {
    this.#stopWaiting(session);
    this.#claims.delete(session);
    const token = session.management?.resumption?.token;
    if (token === undefined) return;
    this.#byToken.delete(token);
    this.#ports.records.forget(session);
    if (session.management?.inherited?.isExact === false) return;
    const owner = session.jid.bare.toString();
    void session.lane.idle().then(() => this.#ended.set(token, { owner, handled: session.lane.handled }));
  }

  /**
   * Goes on with the session of this token on another stream, once all that came over its last one is handled, so that the count the
   * client is told is exact. The token is good for its own account only.
   */
  async resume(user: JID, token: string, h: number, sink: Sink): Promise<Resumed> {
    const session = this.#byToken.get(token);
    const management = session?.management;
    if (!session || !management?.isResumable || !session.jid.bare.equals(user)) return this.#gone(user, token);
    if (this.#isOver) return new StreamError("system-shutdown");
    this.#claims.set(session, sink);
    this.#detach(session);
    await session.lane.idle();
    const missed = management.inherited?.missed;
    if (missed && !(await this.#prepare(session, missed))) return this.#gone(user, token);
    if (!this.#isFor(session, sink)) return this.#gone(user, token);
    const fault = management.returned(h);
    if (fault) this.#claims.delete(session);
    // Nobody can prove that its client has what the record says it acknowledged: rulings 3.
    if (fault === "behind" && missed) this.#ports.end(session);
    if (fault) return fault === "behind" ? this.#gone(user, token) : fault;
    if (!(await management.settle()) || !this.#isFor(session, sink)) return this.#gone(user, token);
    this.#claims.delete(session);
    this.#stopWaiting(session);
    session.lane.mend();
    session.attach(sink);
    management.goOn(token);
    if (missed) this.#ports.catchUp(session, missed);
    return session;
  }

  /** The session can still be resumed, and nobody else has asked for it since. */
  #isFor(session: Session, sink: Sink): boolean {
    return session.open && this.#claims.get(session) === sink && !this.#isOver;
  }

  async #prepare(session: Session, missed: Missed): Promise<boolean> {
    const isPrepared = await this.#ports.prepare(session, missed);
    if (!isPrepared && session.open) this.#ports.end(session);
    return isPrepared;
  }

  /** XEP-0198 "Resumption": a stream that is still there is closed with `conflict`. */
  #detach(session: Session): void {
    if (session.management?.isWaiting) return;
    const old = session.sink;
    this.wait(session);
    old.close(new StreamError("conflict"));
  }

  #stopWaiting(session: Session): void {
    this.#waiting.get(session)?.cancel();
    this.#waiting.delete(session);
  }

  #gone(user: JID, token: string): Gone {
    const ended = this.#ended.get(token);
    return { handled: ended?.owner === user.toString() ? ended.handled : undefined };
  }
}

/** What a session without a stream sends to: nothing leaves, and it is all kept by its management. */
export class Nowhere implements Sink {
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  send(): void {
    // kept until the session is resumed
  }

  tell(): void {
    // nobody is there
  }

  drained(callback: (sent: boolean) => void): void {
    callback(true);
  }

  close(): void {
    this.#end();
  }

  dismiss(): void {
    this.#end();
  }

  pause(): void {
    // nothing is read
  }

  resume(): void {
    // nothing is read
  }
}
