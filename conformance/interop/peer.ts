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

/** A process that says lines of JSON, and may be told some. */
export class Speaker<Line> {
  readonly #child: ChildProcess;
  #lines: Line[] = [];
  /** Its exit code, once it is over; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  #printed = "";
  #changed: () => void = () => undefined;

  constructor(command: readonly string[], environment: NodeJS.ProcessEnv) {
    const [program = "", ...parameters] = command;
    const child = spawn(program, parameters, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.ended = new Promise((resolve) => child.once("close", resolve).once("error", () => resolve(null)));
    child.stdin.on("error", () => undefined); // it is over; whoever waits for its answer is told so
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    child.stderr
      .setEncoding("utf8")
      .on("data", (text: string) => (this.#printed = (this.#printed + text).slice(-3000)));
    void this.ended.then(() => this.#changed());
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  forget(): void {
    this.#lines = [];
  }

  tell(line: object): void {
    this.#child.stdin?.write(JSON.stringify(line) + "\n");
  }

  /** Resolves with the first such line once it is said; throws when the process ends before or takes too long. */
  async says<Wanted extends Line>(isWanted: (line: Line) => line is Wanted, what: string): Promise<Wanted> {
    for (const patience = AbortSignal.timeout(PATIENCE_MS); ;) {
      const line = this.#lines.find(isWanted);
      if (line !== undefined) return line;
      if (this.#child.exitCode !== null || patience.aborted) throw this.complaint(what);
      await this.#change(patience);
    }
  }

  complaint(what: string): Error {
    return new Error(`the peer ${what}: ${this.#printed.trim()}`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    await end(this.#child, 5000);
  }

  #take(line: string): void {
    if (line.startsWith("{")) this.#lines.push(JSON.parse(line) as Line);
    this.#changed();
  }

  #change(patience: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
      patience.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

/** A running peer. */
export class Peer {
  readonly #speaker: Speaker<PeerLine>;

  constructor(command: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#speaker = new Speaker(command, environment);
  }

  /** Resolves when the peer is online, with the TLS version in use; throws when it ends before or takes too long. */
  async ready(): Promise<string> {
    const { tls } = await this.#speaker.says((line) => line.ev === "ready", "did not get online");
    return tls;
  }

  /** Waits for the peer's own end and answers the bodies it received, in order; throws when it fails or takes too long. */
  async finished(): Promise<readonly string[]> {
    const timer = setTimeout(() => this.#speaker.kill(), PATIENCE_MS);
    const code = await this.#speaker.ended;
    clearTimeout(timer);
    if (code === 0) return this.#bodies();
    throw this.#speaker.complaint(`ended with ${code ?? "a signal"} after ${this.#bodies().length} messages`);
  }

  /** Whether the peer fails to get online. */
  async isTurnedAway(): Promise<boolean> {
    return this.ready().then(
      () => false,
      () => true, // the expected answer, what went wrong is the peer's business
    );
  }

  stop(): Promise<void> {
    return this.#speaker.stop();
  }

  #bodies(): readonly string[] {
    return this.#speaker.lines.flatMap((line) => (line.ev === "message" ? [line.body] : []));
  }
}
