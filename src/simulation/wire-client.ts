// A client for simulated chats: a transport without a socket on one side, what arrived as trees on the other.
import type { ClientStream } from "../c2s/stream.js";
import type { Transport } from "../c2s/transport.js";
import type { SecureChannel } from "../sasl/channel-binding.js";
import type { Element } from "../xml/element.js";
import { AFTER_LOGIN } from "../xml/limits.js";
import { Scanner } from "../xml/scanner.js";
import { bytesOf, toWire, type Wire } from "../xml/wire.js";

/** Stands in for TLS where a stream must count as encrypted; it offers no channel binding. */
export const ENCRYPTED: SecureChannel = {
  protocol: "TLSv1.2",
  exportKey: () => Buffer.alloc(0),
  certificate: undefined,
};

export class WireClient implements Transport {
  readonly address = "127.0.0.1";
  readonly security: SecureChannel | undefined;
  readonly startTls: (() => void) | undefined;
  queuedBytes = 0;
  /** The stream at the other end; set by whoever connects them. */
  stream: ClientStream | undefined;
  /** Whether the server has closed the connection. */
  isClosed = false;
  isPaused = false;
  #stalled = false;
  #arrived: Element[] = [];
  #drains: (() => void)[] = [];
  readonly #scanner = new Scanner(
    { head: () => undefined, fragment: (fragment) => this.#arrived.push(fragment.element), end: () => undefined },
    AFTER_LOGIN,
  );

  constructor(security: SecureChannel | undefined = ENCRYPTED) {
    this.security = security;
    this.startTls = undefined;
  }

  /** Sends text to the server. */
  send(text: string): void {
    this.stream?.received(bytesOf(toWire(text)));
  }

  /** Everything that has arrived since the last call. */
  take(): readonly Element[] {
    return this.#arrived.splice(0);
  }

  /** The server starts a new document next (after login). */
  expectRestart(): void {
    this.#scanner.restart();
  }

  /** The peer stops reading: what the server writes stays queued, until `flow`. */
  stall(): void {
    this.#stalled = true;
  }

  flow(): void {
    this.#stalled = false;
    this.queuedBytes = 0;
    for (const drained of this.#drains.splice(0)) drained();
  }

  /** The connection breaks. */
  cut(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stream?.closed();
  }

  // --- what the server does with its end

  write(text: Wire): void {
    if (this.isClosed) return;
    if (this.#stalled) this.queuedBytes += text.length;
    this.#scanner.write(bytesOf(text));
  }

  onDrain(callback: () => void): void {
    if (this.queuedBytes === 0) callback();
    else this.#drains.push(callback);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.cut();
  }

  destroy(): void {
    this.cut();
  }
}
