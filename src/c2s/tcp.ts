// TCP and TLS as transports. The only file of c2s, beside the listener, that touches sockets.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { SecureChannel } from "../sasl/channel-binding.js";
import type { Wire } from "../xml/wire.js";
import type { TlsContexts } from "./tls/contexts.js";
import type { Transport, TransportListener } from "./transport.js";

export class TcpTransport implements Transport {
  readonly address: string;
  #socket: Socket;
  #security: SecureChannel | undefined;
  readonly #listener: TransportListener;
  readonly #tls: TlsContexts | undefined;
  #closed = false;

  /** Takes over a socket just accepted; `security` is given when it already speaks TLS. */
  constructor(
    socket: Socket,
    listener: (transport: TcpTransport) => TransportListener,
    tls: TlsContexts | undefined,
    security?: SecureChannel,
  ) {
    this.#socket = socket;
    this.#security = security;
    this.#tls = tls;
    this.address = socket.remoteAddress ?? "unknown";
    this.#listener = listener(this);
    this.#listen(socket);
  }

  get security(): SecureChannel | undefined {
    return this.#security;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get startTls(): (() => void) | undefined {
    const tls = this.#tls;
    return tls && !this.#security ? () => this.#upgrade(tls) : undefined;
  }

  write(text: Wire): void {
    if (!this.#closed) this.#socket.write(text, "latin1");
  }

  onDrain(callback: () => void): void {
    if (this.#closed) return;
    if (this.#socket.writableLength === 0) callback();
    else this.#socket.write("", "latin1", (error) => (error ? undefined : callback()));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("data", this.#received);
    socket.on("error", ignore); // "close" follows, and says all that matters
    socket.on("close", this.#gone);
  }

  readonly #received = (bytes: Buffer): void => this.#listener.received(bytes);

  readonly #gone = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.closed();
  };

  /** RFC 6120 §5.4.3.3: bytes that came before the handshake must not survive it. */
  #upgrade(tls: TlsContexts): void {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    plain.removeAllListeners("close");
    plain.pause();
    while (plain.read() !== null); // drop what was read ahead
    const secure = serverSide(plain, tls);
    this.#socket = secure;
    secure.once("secure", () => {
      this.#security = securityOf(secure, tls);
    });
    this.#listen(secure);
  }
}

/** The server's side of TLS on a socket; which versions, and that nothing is renegotiated, the contexts say. */
function serverSide(socket: Socket, tls: TlsContexts): TLSSocket {
  return new TLSSocket(socket, { isServer: true, secureContext: tls.for().context, SNICallback: tls.sniCallback });
}

/** What SASL may know of an established TLS connection. */
export function securityOf(socket: TLSSocket, tls: TlsContexts): SecureChannel {
  const leaf = socket.getCertificate();
  return {
    protocol: socket.getProtocol() ?? "",
    exportKey: (length, label) => socket.exportKeyingMaterial(length, label, Buffer.alloc(0)),
    certificate: leaf && "raw" in leaf ? tls.certificateOf(leaf.raw) : undefined,
  };
}

function ignore(): void {
  // deliberately nothing
}
