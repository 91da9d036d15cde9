// Outgoing text, joined: however many stanzas a turn of the event loop has for a stream, they leave in one write.
import type { Wire } from "../xml/wire.js";
import type { Transport } from "./transport.js";

/** Runs something at the end of this turn of the event loop. */
export type EndOfTurn = (run: () => void) => void;

/** Writes all outboxes that have something, once per turn, however many: what a room says several times in one goes out together. */
export class Flusher {
  readonly #endOfTurn: EndOfTurn;
  #dirty: Outbox[] = [];
  #scheduled = false;

  constructor(endOfTurn: EndOfTurn) {
    this.#endOfTurn = endOfTurn;
  }

  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#endOfTurn(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const outbox of dirty) outbox.flush();
  }
}

type Drained = (sent: boolean) => void;

export class Outbox {
  readonly #transport: Transport;
  readonly #flusher: Flusher;
  readonly #limitBytes: number;
  readonly #overflow: () => void;
  #text = "";
  #drained: Drained[] = []; // of what has been appended
  #watched: Drained[] = []; // of what has been written
  #closed = false;

  /** `overflow` is called, once, when more than `limitBytes` wait for a slow reader; the outbox takes nothing more then. */
  constructor(transport: Transport, flusher: Flusher, limitBytes: number, overflow: () => void) {
    this.#transport = transport;
    this.#flusher = flusher;
    this.#limitBytes = limitBytes;
    this.#overflow = overflow;
  }

  append(text: Wire): void {
    if (this.#closed) return;
    const isFirst = this.#text === "";
    this.#text += text;
    if (isFirst) this.#flusher.add(this);
    if (this.#text.length + this.#transport.queuedBytes > this.#limitBytes) this.#overflowed();
  }

  /** Writes what has been appended. */
  flush(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#transport.write(text as Wire);
    this.#watch();
  }

  /** Calls back once everything appended so far has left the process, or with `false` when the stream ends before. */
  onDrained(callback: Drained): void {
    if (this.#closed) return callback(false);
    this.#drained.push(callback);
    if (this.#text === "") this.#watch();
  }

  /** Writes what is left; nothing more is taken. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
  }

  /** The connection has gone: what had not drained by now was not sent. */
  gone(): void {
    this.#closed = true;
    this.#text = "";
    for (const callback of [...this.#watched.splice(0), ...this.#drained.splice(0)]) callback(false);
  }

  #watch(): void {
    if (this.#drained.length === 0 || this.#watched.length > 0) return;
    this.#watched = this.#drained;
    this.#drained = [];
    this.#transport.onDrain(() => {
      for (const callback of this.#watched.splice(0)) callback(true);
      this.#watch();
    });
  }

  #overflowed(): void {
    this.#closed = true;
    this.#text = "";
    this.#overflow();
  }
}
