// Waiting for a server of others, which does not say when it is ready: until its port accepts connections.
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Waits until a port accepts connections; fails when the server has ended or after `ms`. */
export async function accepting(port: number, ms: number, alive: () => boolean): Promise<void> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await delay(50)) {
    if (!alive()) throw new Error("it ended");
    if (await accepts(port)) return;
  }
  throw new Error(`port ${port} does not accept connections`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
}
