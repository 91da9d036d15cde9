// A client that others wrote, run as a process of its own: the driver gives it an account and a mode, and reads lines of JSON from it.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { end } from "../servers/server.js";

/** What a peer says: `ready` once it is online, then one line per message that it received. */
export type PeerLine =
  { readonly ev: "ready"; readonly tls: string } | { readonly ev: "message"; readonly body: string };

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly jid: string;
  readonly password: string;
  /** Path of the PEM file with the only certificate to trust. */
  readonly ca: string;
}

/**
 * - `echo`: sends every chat message back, until it is ended;
 * - `talk`: sends the texts of the file to `to` and ends when as many have come back;
 * - `leave`: sends the texts, waits until the server has handled them, ends;
 * - `collect`: ends when `count` messages have come.
 */
export type Mode =
  | { readonly mode: "echo" }
  | { readonly mode: "talk" | "leave"; readonly to: string; readonly texts: string }
  | { readonly mode: "collect"; readonly count: number };

/** A client library under test. `uses` says which of the server's ports it connects to. */
export interface PeerProgram {
  readonly name: string;
  readonly uses: "starttls" | "direct TLS";
  start(login: Login, mode: Mode): Peer;
}

const PATIENCE_MS = 60_000;

/** A running peer. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #lines: PeerLine[] = [];
  readonly #ended: Promise<number | null>;
  #printed = "";
  #changed: () => void = () => undefined;

  constructor(command: readonly string[], environment: NodeJS.ProcessEnv) {
    const [program = "", ...parameters] = command;
    const child = spawn(program, parameters, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("close", resolve).once("error", () => resolve(null)));
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    child.stderr
      .setEncoding("utf8")
      .on("data", (text: string) => (this.#printed = (this.#printed + text).slice(-3000)));
    void this.#ended.then(() => this.#changed());
  }

  /** Resolves when the peer is online, with the TLS version in use; throws when it ends before or takes too long. */
  async ready(): Promise<string> {
    for (const patience = AbortSignal.timeout(PATIENCE_MS); ;) {
      const line = this.#lines.find((one) => one.ev === "ready");
      if (line !== undefined) return line.tls;
      if (this.#child.exitCode !== null || patience.aborted) throw this.#complaint("did not get online");
      await this.#change(patience);
    }
  }

  /** Waits for the peer's own end and answers the bodies it received, in order; throws when it fails or takes too long. */
  async finished(): Promise<readonly string[]> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    const code = await this.#ended;
    clearTimeout(timer);
    if (code !== 0) throw this.#complaint(`ended with ${code ?? "a signal"} after ${this.#bodies().length} messages`);
    return this.#bodies();
  }

  /** Whether the peer fails to get online. */
  async isTurnedAway(): Promise<boolean> {
    return this.ready().then(
      () => false,
      () => true, // the expected answer, what went wrong is the peer's business
    );
  }

  async stop(): Promise<void> {
    await end(this.#child, 5000);
  }

  #take(line: string): void {
    if (line.startsWith("{")) this.#lines.push(JSON.parse(line) as PeerLine);
    this.#changed();
  }

  #bodies(): readonly string[] {
    return this.#lines.flatMap((line) => (line.ev === "message" ? [line.body] : []));
  }

  #change(patience: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
      patience.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #complaint(what: string): Error {
    return new Error(`the peer ${what}: ${this.#printed.trim()}`);
  }
}
