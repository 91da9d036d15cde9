// Bounded work: the queries of one session are answered one after the other, as a page is held in memory while it is sent; full-text
// searches are done one at a time for the whole server, so that other reads of the store wait for one search at most.
import type { Session } from "../../core/session.js";
import { Slot } from "../../core/slot.js";
import { StanzaError } from "../../stanza/errors.js";
import { Pace, type PacePorts } from "../pacing.js";

const WAITING_QUERIES = 16; // a client that opens all its conversations at once; more have to be asked again
const WAITING_SEARCHES = 100; // some seconds of work

/** Does one thing after the other, and lets only so many wait. */
export class Line {
  readonly #most: number;
  #last: Promise<unknown> = Promise.resolve();
  #length = 0;

  /** `most`: how many may wait beside the one under way. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does the work when its turn comes; `resource-constraint` if too much is waiting already. */
  async take<T>(work: () => Promise<T>): Promise<T | StanzaError> {
    if (this.#length > this.#most) return new StanzaError("resource-constraint", "wait", "too many queries at once");
    this.#length++;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined); // who asked is told by `turn`
    try {
      return await turn;
    } finally {
      this.#length--;
    }
  }
}

export class Turns {
  /** For the pages that are sent, of all sessions. */
  readonly pace: Pace;
  readonly #queries = new Slot(() => new Line(WAITING_QUERIES));
  readonly #searches = new Line(WAITING_SEARCHES);

  constructor(ports: PacePorts) {
    this.pace = new Pace(ports);
  }

  /** Answers a query when those that the session asked before are answered. */
  ofSession<T>(session: Session, work: () => Promise<T>): Promise<T | StanzaError> {
    return this.#queries.get(session).take(work);
  }

  search<T>(work: () => Promise<T>): Promise<T | StanzaError> {
    return this.#searches.take(work);
  }
}
