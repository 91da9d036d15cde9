// The queries of one session are answered one after the other, and only some may wait: a page is held in memory while it is sent.
import type { Session } from "../../core/session.js";
import { Slot } from "../../core/slot.js";
import { StanzaError } from "../../stanza/errors.js";

const MAX_WAITING = 16; // a client that opens all its conversations at once; more have to be asked again

interface Line {
  last: Promise<unknown>;
  length: number;
}

export class Turns {
  readonly #lines = new Slot<Line>(() => ({ last: Promise.resolve(), length: 0 }));

  /** Runs `work` after all that the session asked before; `resource-constraint` if that is too much already. */
  async take<T>(session: Session, work: () => Promise<T>): Promise<T | StanzaError> {
    const line = this.#lines.get(session);
    if (line.length > MAX_WAITING) return new StanzaError("resource-constraint", "wait", "too many queries at once");
    line.length++;
    const turn = line.last.then(work);
    line.last = turn.catch(() => undefined); // who asked is told by `turn`
    try {
      return await turn;
    } finally {
      line.length--;
    }
  }
}
