// Listens for clients: plain TCP with STARTTLS, and TLS from the first byte (XEP-0368). Sockets in, streams out.
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  Server as TlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import type { Endpoint } from "../core/config/values.js";
import type { Log } from "../core/log.js";
import type { ForOperator } from "../core/reason.js";
import { Handshakes } from "./handshakes.js";
import { ClientStream } from "./stream.js";
import type { C2SPorts } from "./ports.js";
import { securityOf, TcpTransport } from "./tcp.js";
import { TLS_SETTINGS, type TlsContexts } from "./tls/contexts.js";

/** An address could not be listened on; the message names it, the reason and the mend. */
export class ListenFault extends Error implements ForOperator {
  override readonly name = "ListenFault";

  get forOperator(): readonly string[] {
    return [this.message];
  }
}

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

/** Rejects with a `ListenFault` if an address cannot be listened on: asked before the data is opened, so that a vain start touches none. */
export async function mayListen({ config, log }: Pick<C2SPorts, "config" | "log">): Promise<void> {
  const opened: Server[] = [];
  try {
    await openAll(config.c2s.listen, "c2s.listen", createServer, opened, log);
    await openAll(config.c2s.direct_tls, "c2s.direct_tls", createServer, opened, log);
  } finally {
    await closeAll(opened);
  }
}

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

async function openAll(
  endpoints: readonly Endpoint[],
  setting: string,
  make: () => Server,
  opened: Server[],
  log: Log,
): Promise<string[]> {
  const addresses: string[] = [];
  for (const endpoint of endpoints) {
    const server = make();
    const address = await open(server, endpoint, setting, log);
    if (address === undefined) continue;
    opened.push(server);
    addresses.push(address);
  }
  return addresses;
}

/** Undefined where the host has no IPv6, which is worth a warning only. */
function open(server: Server, { host, port }: Endpoint, setting: string, log: Log): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const noIpv6 = host.includes(":") && (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL");
      if (!noIpv6) return reject(listenFault(error, `${host}:${port}`, setting));
      log.warn({ ev: "c2s.no_ipv6", address: host, setting });
      resolve(undefined);
    });
    // "0.0.0.0" and "[::]" can share a port only if the second takes IPv6 alone.
    server.listen({ host, port, ipv6Only: host.includes(":") }, () => {
      server.removeAllListeners("error");
      server.on("error", (error) => log.error({ ev: "c2s.accept_failed", err: error }));
      resolve(textOf(server.address() as AddressInfo));
    });
  });
}

function listenFault(error: NodeJS.ErrnoException, address: string, setting: string): ListenFault {
  const cause = { cause: error };
  switch (error.code ?? "") {
    case "EADDRINUSE":
      return new ListenFault(
        `${address} is in use by another program: stop it, or set ${setting} to another port`,
        cause,
      );
    case "EACCES":
      return new ListenFault(`${address} may not be opened by this user: set ${setting} to a port above 1023`, cause);
    case "EADDRNOTAVAIL":
      return new ListenFault(`${address} is not an address of this machine: correct ${setting}`, cause);
    default:
      return new ListenFault(`${address} cannot be listened on (${error.message}): correct ${setting}`, cause);
  }
}

function textOf({ address, port, family }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}

function closeAll(servers: readonly Server[]): Promise<void> {
  return Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))).then(
    () => undefined,
  );
}

function sweepForever(ports: C2SPorts): void {
  ports.clock.after(SWEEP_MS, () => {
    ports.connections.sweep(ports.clock.now());
    sweepForever(ports);
  });
}
