// One life of the server, as the members of the load see it: it ends when the server does, or when the load is told to stop.
import { setTimeout as delay } from "node:timers/promises";
import type { CrashServer } from "./process.js";

export class Life {
  readonly server: CrashServer;
  /** Resolves when nobody should begin anything new any more. */
  readonly over: Promise<unknown>;
  /** The store fails or has failed, or the server stops: streams may end and logins be refused. */
  isTroubled = false;
  #isOver = false;
  #finish: () => void = () => undefined;

  constructor(server: CrashServer) {
    this.server = server;
    const finished = new Promise<void>((resolve) => (this.#finish = resolve));
    this.over = Promise.race([server.ended, finished]).then(() => (this.#isOver = true));
  }

  hasEnded(): boolean {
    return this.#isOver || this.server.hasEnded();
  }

  /** The load stops; the server goes on. */
  finish(): void {
    this.#isOver = true;
    this.#finish();
  }

  /** Waits so long, or until it is over. */
  async pause(ms: number): Promise<void> {
    await Promise.race([delay(ms), this.over]);
  }
}
