// Listens for clients: plain TCP with STARTTLS, and TLS from the first byte (XEP-0368). Sockets in, streams out.
import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  Server as TlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import { closeAll, openAll } from "./endpoints.js";
import { Handshakes } from "./handshakes.js";
import { ClientStream } from "./stream.js";
import type { C2SPorts } from "./ports.js";
import { securityOf, TcpTransport } from "./tcp.js";
import { TLS_SETTINGS, type TlsContexts } from "./tls/contexts.js";

export interface Listeners {
  /** The addresses in use, as "127.0.0.1:5222". */
  readonly plain: readonly string[];
  readonly directTls: readonly string[];
  /** Presents the contexts' present certificates to clients that name no host, too. */
  reload(): void;
  /** Stops accepting. */
  close(): Promise<void>;
}

const ALPN = "xmpp-client"; // XEP-0368 §4
const SWEEP_MS = 15_000;
const MAX_TIMEOUT_MS = 2 ** 31 - 1; // what Node can wait for at most

/** Opens all listeners, or none: a `ListenFault` names the first that failed. */
export async function listen(ports: C2SPorts, tls: TlsContexts): Promise<Listeners> {
  const { c2s } = ports.config;
  const opened: Server[] = [];
  try {
    const plain = await openAll(
      c2s.listen,
      "c2s.listen",
      () => createServer({ noDelay: true }, (socket) => accept(ports, socket, tls)),
      opened,
      ports.log,
    );
    const directTls = await openAll(
      c2s.direct_tls,
      "c2s.direct_tls",
      () => directTlsServer(ports, tls),
      opened,
      ports.log,
    );
    sweepForever(ports);
    const reload = (): void =>
      opened.forEach((server) => server instanceof TlsServer && server.setSecureContext(defaultContext(tls)));
    return { plain, directTls, reload, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

function accept(ports: C2SPorts, socket: Socket, tls: TlsContexts): void {
  if (!ports.connections.admits(socket.remoteAddress ?? "")) {
    socket.destroy();
    return;
  }
  new TcpTransport(socket, (transport) => new ClientStream(ports, transport), tls);
}

function directTlsServer(ports: C2SPorts, tls: TlsContexts): Server {
  const server = createTlsServer({
    ...defaultContext(tls),
    SNICallback: tls.sniCallback,
    handshakeTimeout: Math.min(ports.config.limits.preauth_deadline, MAX_TIMEOUT_MS),
    // Rulings 17: a client that offers ALPN must offer ours; one that offers none is accepted.
    ALPNCallback: ({ protocols }) => (protocols.includes(ALPN) ? ALPN : undefined),
  });
  const handshakes = new Handshakes(ports.connections);
  server.on("connection", (socket: Socket) => {
    if (ports.connections.admits(socket.remoteAddress ?? "")) handshakes.begin(socket);
    else socket.destroy();
  });
  server.on("tlsClientError", (_, socket) => void socket.destroy()); // Node leaves those open whose handshake took too long
  server.on("secureConnection", (socket: TLSSocket) => {
    handshakes.end(socket);
    new TcpTransport(socket, (transport) => new ClientStream(ports, transport), undefined, securityOf(socket, tls));
  });
  return server;
}

/** For clients that name no host (no SNI). */
function defaultContext(tls: TlsContexts): SecureContextOptions {
  const { certificate, key } = tls.for().pair;
  return { ...TLS_SETTINGS, cert: certificate, key };
}

function sweepForever(ports: C2SPorts): void {
  ports.clock.after(SWEEP_MS, () => {
    ports.connections.sweep(ports.clock.now());
    sweepForever(ports);
  });
}
