// A client for simulated chats: a transport without a socket on one side, what arrived as trees on the other.
import type { ClientStream } from "../c2s/stream.js";
import type { Transport } from "../c2s/transport.js";
import type { SecureChannel } from "../sasl/channel-binding.js";
import type { Element } from "../xml/element.js";
import { UNLIMITED } from "../xml/limits.js";
import { type Fragment, Scanner } from "../xml/scanner.js";
import { bytesOf, toWire, type Wire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";

/** Stands in for TLS where a stream must count as encrypted; it offers no channel binding. */
export const ENCRYPTED: SecureChannel = {
  protocol: "TLSv1.2",
  exportKey: () => Buffer.alloc(0),
  certificate: undefined,
};

export interface WireClientOptions {
  /** Undefined: in the clear. */
  readonly security?: SecureChannel | undefined;
  readonly address?: string;
  /** Answers the end of the stream with nothing, and does not close its side; only `cut`, or the server's patience, ends the connection. */
  readonly lingers?: boolean;
}

export class WireClient implements Transport {
  readonly address: string;
  readonly security: SecureChannel | undefined;
  readonly startTls: (() => void) | undefined;
  readonly #lingers: boolean;
  queuedBytes = 0;
  /** All that has arrived, as it was written. */
  heard = "" as Wire;
  /** The server has said that it sends no more. */
  isEnded = false;
  /** The stream at the other end; set by whoever connects them. */
  stream: ClientStream | undefined;
  /** Does something once what is being written has been read; set with `stream`. */
  soon: (run: () => void) => void = (run) => run();
  /** Whether the server has closed the connection. */
  isClosed = false;
  isPaused = false;
  #stalled = false;
  #arrived: Element[] = [];
  #drains: (() => void)[] = [];
  readonly #scanner = new Scanner(
    { head: () => undefined, fragment: (fragment) => this.#received(fragment), end: () => this.#streamEnded() },
    UNLIMITED,
  );

  constructor(options: WireClientOptions = {}) {
    this.security = "security" in options ? options.security : ENCRYPTED;
    this.address = options.address ?? "127.0.0.1";
    this.#lingers = options.lingers ?? false;
    this.startTls = this.security === undefined ? () => undefined : undefined;
  }

  /** Sends text to the server. */
  send(text: string): void {
    this.sendBytes(bytesOf(toWire(text)));
  }

  sendBytes(bytes: Buffer): void {
    this.stream?.received(bytes);
  }

  /** Everything that has arrived since the last call. */
  take(): readonly Element[] {
    return this.#arrived.splice(0);
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
    if (this.isClosed || this.isEnded) return;
    this.heard = (this.heard + text) as Wire;
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
    this.isEnded = true;
    if (!this.#lingers && !this.#stalled) this.cut();
  }

  destroy(): void {
    this.cut();
  }

  /** RFC 6120 §4.4: the closing tag is answered with the own. */
  #streamEnded(): void {
    if (!this.#lingers) this.soon(() => this.send("</stream:stream>"));
  }

  /** Both sides begin a new document where the protocol says so (RFC 6120 §4.3.3). */
  #received(fragment: Fragment): void {
    if (fragment.name === "success" || fragment.name === "proceed") this.#scanner.restart();
    this.#arrived.push(elementOf(fragment));
  }
}
