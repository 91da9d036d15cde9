// The end of a stream, from our closing tag to the end of the connection (RFC 6120 §4.4): the peer gets time to send what is under way
// and its own closing tag, then time to close its side of the connection; neither may take long.
import type { Clock, Timer } from "../core/clock.js";
import type { Transport } from "./transport.js";

export class Ending {
  readonly #clock: Clock;
  readonly #transport: Pick<Transport, "end" | "destroy">;
  #patienceMs: number;
  #isEnded = false; // our side of the connection is closed
  #timer: Timer | undefined;

  /** For a stream whose closing tag has just been sent. All that follows takes at most `patienceMs`. */
  constructor(clock: Clock, transport: Pick<Transport, "end" | "destroy">, patienceMs: number) {
    this.#clock = clock;
    this.#transport = transport;
    this.#patienceMs = patienceMs;
  }

  /** Half of the time is for the peer's closing tag; then our side of the connection is closed, and the whole cut at its end. */
  waitForPeer(): void {
    this.#wait(this.#patienceMs / 2, () => this.#close(this.#patienceMs / 2));
  }

  /** The peer's closing tag has come, or what it says cannot be read: nothing is waited for any more (RFC 6120 §4.4). */
  peerIsDone(): void {
    if (!this.#isEnded) this.#close(this.#patienceMs / 2);
  }

  /** From now on there is at most this much time. */
  hasten(patienceMs: number): void {
    if (patienceMs >= this.#patienceMs) return;
    this.#patienceMs = patienceMs;
    if (this.#isEnded) this.#close(patienceMs);
    else this.waitForPeer();
  }

  /** The connection has gone. */
  over(): void {
    this.#timer?.cancel();
  }

  #close(restMs: number): void {
    this.#isEnded = true;
    this.#wait(restMs, () => this.#transport.destroy());
    this.#transport.end();
  }

  #wait(ms: number, then: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(ms, then);
  }
}
