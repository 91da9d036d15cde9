// Opens the addresses that the configuration names, all or none, and says for one that cannot be opened what is wrong and what to do.
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Config } from "../core/config.js";
import type { Endpoint } from "../core/config/values.js";
import type { Log } from "../core/log.js";
import type { ForOperator } from "../core/reason.js";

/** An address could not be listened on; the message names it, the reason and the mend. */
export class ListenFault extends Error implements ForOperator {
  override readonly name = "ListenFault";

  get forOperator(): readonly string[] {
    return [this.message];
  }
}

/** Every setting that names addresses to listen on. */
export function allEndpoints({
  c2s,
  http,
}: Pick<Config, "c2s" | "http">): readonly { readonly setting: string; readonly endpoints: readonly Endpoint[] }[] {
  return [
    { setting: "c2s.listen", endpoints: c2s.listen },
    { setting: "c2s.direct_tls", endpoints: c2s.direct_tls },
    { setting: "http.listen", endpoints: http.listen },
  ];
}

/** Rejects with a `ListenFault` if an address cannot be listened on: asked before the data is opened, so that a vain start touches none. */
export async function mayListen(config: Pick<Config, "c2s" | "http">, log: Log): Promise<void> {
  const opened: Server[] = [];
  try {
    for (const { setting, endpoints } of allEndpoints(config))
      await openAll(endpoints, setting, createServer, opened, log);
  } finally {
    await closeAll(opened);
  }
}

/** Opens them all and returns their addresses, as "127.0.0.1:5222". Rejects with a `ListenFault`; `opened` has those that are open by then. */
export async function openAll(
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
      log.warn({ ev: "net.no_ipv6", address: host, setting });
      resolve(undefined);
    });
    // "0.0.0.0" and "[::]" can share a port only if the second takes IPv6 alone.
    server.listen({ host, port, ipv6Only: host.includes(":") }, () => {
      server.removeAllListeners("error");
      server.on("error", (error) => log.error({ ev: "net.accept_failed", err: error }));
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

export function closeAll(servers: readonly Server[]): Promise<void> {
  return Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))).then(
    () => undefined,
  );
}
