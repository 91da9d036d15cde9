// Connections of the direct TLS port whose handshake is under way: they count like any other, and go when the server stops.
import type { Connections, Counted } from "./connections.js";

/** What is looked at of a socket. */
interface Address {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

interface Accepted extends Address {
  destroy(): void;
  once(event: "close", listener: () => void): void;
}

export class Handshakes {
  readonly #connections: Connections;
  readonly #underway = new Map<string, Counted>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  begin(socket: Accepted): void {
    const key = keyOf(socket);
    const counted: Counted = { sweep: () => undefined, shutDown: () => socket.destroy() };
    this.#underway.set(key, counted);
    this.#connections.add(counted, socket.remoteAddress ?? "");
    socket.once("close", () => this.#forget(key, counted));
  }

  /** It is done: from now on the stream counts. `socket` is the encrypted one, which knows nothing of the one below but its addresses. */
  end(socket: Address): void {
    const key = keyOf(socket);
    const counted = this.#underway.get(key);
    if (counted) this.#forget(key, counted);
  }

  #forget(key: string, counted: Counted): void {
    if (this.#underway.get(key) === counted) this.#underway.delete(key);
    this.#connections.remove(counted);
  }
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Address): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
