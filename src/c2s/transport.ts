// What a stream needs of the thing under it. TCP, TLS, WebSocket and BOSH each implement only this.
import type { SecureChannel } from "../sasl/channel-binding.js";
import type { Wire } from "../xml/wire.js";

export interface Transport {
  /** The peer's address without port, for limits and logs. */
  readonly address: string;
  /** Undefined while the connection is in the clear. */
  readonly security: SecureChannel | undefined;
  /** Bytes written that have not left the process. */
  readonly queuedBytes: number;
  write(text: Wire): void;
  /** Calls back when `queuedBytes` has come down to zero. */
  onDrain(callback: () => void): void;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Begins TLS as the server; whatever has not been read by now is never read. Undefined where it cannot (already encrypted). */
  readonly startTls: (() => void) | undefined;
}

/** What a transport tells its stream. */
export interface TransportListener {
  received(bytes: Buffer): void;
  /** The connection is gone; nothing follows. */
  closed(): void;
}
