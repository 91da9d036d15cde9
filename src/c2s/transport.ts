// What a stream needs of the thing under it. TCP, TLS, WebSocket and BOSH each implement only this.
import type { Wire } from "../xml/wire.js";

/** What is known of an encrypted connection, for SASL channel bindings. */
export interface Security {
  /** As Node names it: "TLSv1.3". */
  readonly protocol: string;
  /** RFC 5705 exported keying material. */
  readonly exportKey: (length: number, label: string) => Buffer;
  /** The leaf certificate this side presented, in DER, and the hash its signature uses ("sha256"), if that is defined. */
  readonly certificate: { readonly der: Buffer; readonly hash: string | undefined } | undefined;
}

export interface Transport {
  /** The peer's address without port, for limits and logs. */
  readonly address: string;
  /** Undefined while the connection is in the clear. */
  readonly security: Security | undefined;
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
