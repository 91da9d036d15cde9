// Listens for HTTP on the addresses of `http.listen`.
import { createServer, type Server } from "node:http";
import { closeAll, openAll } from "../c2s/endpoints.js";
import type { Config } from "../core/config.js";
import { webApp, type WebPorts } from "./app.js";

export interface WebListeners {
  /** The addresses in use, as "127.0.0.1:5280". */
  readonly plain: readonly string[];
  /** Stops accepting, and ends connections on which nothing is under way. */
  close(): Promise<void>;
}

/** For all of a request to arrive, and of a connection between two requests, in ms. */
const TIMES = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 10_000 };

/** Opens all listeners, or none: a `ListenFault` names the first that failed. */
export async function listenForWeb(
  ports: WebPorts & { readonly config: Pick<Config, "http" | "limits"> },
): Promise<WebListeners> {
  const app = await webApp(ports);
  const opened: Server[] = [];
  const make = (): Server => {
    const server = createServer(TIMES, (request, response) => app.routing(request, response));
    server.maxConnections = ports.config.limits.preauth_connections;
    return server;
  };
  try {
    const plain = await openAll(ports.config.http.listen, "http.listen", make, opened, ports.log);
    return { plain, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}
