// One sender and one receiver of the load: the messages that are sent, and the check that each arrives once and in order.
import type { Connection } from "./connection.js";
import { DIGITS, numbered, Sequence } from "./sequence.js";

/** Bytes of one message as sent, everything included. */
export const STANZA_BYTES = 250;

const END = "</message>";

/** The part of a connection that a pair uses. */
export type Pipe = Pick<Connection, "write" | "listen">;

export interface PairEvents {
  /** The pair may send again; told once until it has sent. */
  readonly ready: (pair: Pair) => void;
  readonly failed: (reason: string) => void;
}

/** One sender and one receiver. Every message must arrive once, in order. */
export class Pair {
  readonly #from: Pipe;
  readonly #before: string;
  readonly #middle = "'><body>~";
  readonly #after: string;
  readonly #events: PairEvents;
  readonly #limit: number;
  readonly #arrived = new Sequence();
  #sent = 0;
  #credit: number;

  constructor(from: Pipe, to: Pipe, address: string, inFlight: number, events: PairEvents, limit = Infinity) {
    this.#from = from;
    this.#before = `<message to='${address}' type='chat' id='`;
    const tail = "</body>" + END;
    const fixed = this.#before.length + this.#middle.length + tail.length + 2 * DIGITS + 1;
    this.#after = " " + "abcdefghi ".repeat(STANZA_BYTES / 10).slice(0, STANZA_BYTES - fixed) + tail;
    this.#credit = inFlight;
    this.#events = events;
    this.#limit = limit;
    const closed = (error?: Error): void => events.failed(`connection closed: ${error?.message ?? "by the server"}`);
    to.listen((text) => this.#take(text), closed);
    from.listen((text) => {
      if (text.includes("<message")) events.failed(`the sender got: ${text.slice(0, 500)}`);
    }, closed);
  }

  get received(): number {
    return this.#arrived.received;
  }

  get settled(): boolean {
    return this.#sent === this.received;
  }

  /** Sends as many messages as are allowed, in one write; never more than the limit in all. */
  send(): void {
    let text = "";
    for (; this.#credit > 0 && this.#sent < this.#limit; this.#credit--) {
      const number = numbered(this.#sent++);
      text += this.#before + number + this.#middle + number + this.#after;
    }
    if (text !== "") this.#from.write(text);
  }

  #take(chunk: string): void {
    const wrong = this.#arrived.take(chunk, () => {
      if (this.#credit++ === 0) this.#events.ready(this);
    });
    if (wrong !== undefined) this.#events.failed(wrong);
  }
}
