// Plays many scenes a few at a time and says of each how it went; servers are started once per set of settings.
import { join } from "node:path";
import type { Scene } from "./notation/scene.js";
import type { RunningServer, ServerOptions, StartableServer } from "../servers/server.js";
import { Failure, Stage } from "./stage.js";

/** How a scene went. `differs`: it failed, and the scene says that it must on this server. */
export interface Result {
  readonly scene: Scene;
  readonly nonAscii: boolean;
  readonly outcome: "passed" | "failed" | "differs";
  /** Why it failed or differs, `file:line` first. */
  readonly detail: string;
  readonly durationMs: number;
}

/** One kind of server, with some settings, in a folder of its own. */
export type MakeServer = (options: ServerOptions) => StartableServer;

export interface Options {
  /** The name that scenes give the server. */
  readonly name: string;
  readonly server: MakeServer;
  readonly folder: string;
  readonly limitMs: number;
  readonly atOnce: number;
  readonly nonAscii: readonly boolean[];
}

/** The wait of a scene that is expected to fail: shorter, or each would cost the whole limit. */
const DIFFERS_LIMIT_MS = 2000;

export class Theatre {
  readonly #options: Options;
  readonly #servers = new Map<string, Promise<RunningServer>>();
  #clients = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Plays all and calls `done` as each ends. */
  async play(scenes: readonly Scene[], done: (result: Result) => void): Promise<void> {
    const queue = this.#options.nonAscii.flatMap((nonAscii) => scenes.map((scene) => ({ scene, nonAscii })));
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) done(await this.#playOne(next.scene, next.nonAscii));
    };
    await Promise.all(Array.from({ length: this.#options.atOnce }, worker));
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values())
      await server.then(
        (running) => running.stop(),
        () => undefined, // it never ran; whoever needed it has said so
      );
  }

  async #playOne(scene: Scene, nonAscii: boolean): Promise<Result> {
    const reason = scene.differs.get(this.#options.name);
    const limitMs = reason === undefined ? this.#options.limitMs : Math.min(DIFFERS_LIMIT_MS, this.#options.limitMs);
    const server = await this.#server(scene);
    const started = performance.now();
    const stage = new Stage(scene, { server, limitMs, nonAscii, localAddress: this.#nextAddress() });
    const failure = await stage.play().then(
      () => undefined,
      (error: unknown) => (error instanceof Failure ? error : Promise.reject(error as Error)),
    );
    const durationMs = Math.round(performance.now() - started);
    return { scene, nonAscii, durationMs, ...judge(scene, failure, reason, this.#options.name) };
  }

  #server(scene: Scene): Promise<RunningServer> {
    const key = `registration-${scene.settings.registration}-tls-${scene.settings.tls}`;
    const options = { folder: join(this.#options.folder, key), ...scene.settings };
    const started = this.#servers.get(key) ?? this.#options.server(options).start();
    this.#servers.set(key, started);
    return started;
  }

  /** Linux answers for all of 127/8; elsewhere every client comes from 127.0.0.1. */
  #nextAddress(): string | undefined {
    if (process.platform !== "linux") return undefined;
    const number = ++this.#clients;
    return `127.1.${Math.floor(number / 250)}.${(number % 250) + 1}`;
  }
}

function judge(
  scene: Scene,
  failure: Failure | undefined,
  reason: string | undefined,
  server: string,
): Pick<Result, "outcome" | "detail"> {
  if (reason === undefined)
    return failure ? { outcome: "failed", detail: describe(scene, failure) } : { outcome: "passed", detail: "" };
  if (failure)
    return {
      outcome: "differs",
      detail: [reason, place(scene, failure), ...failure.message.split("\n")].join("\n      "),
    };
  return {
    outcome: "failed",
    detail: `${scene.file}:${scene.line}: passes on ${server}, though the scene says it differs: ${reason}`,
  };
}

function describe(scene: Scene, failure: Failure): string {
  const said =
    failure.transcript.length === 0
      ? []
      : ["last said on this connection:", ...failure.transcript.map((line) => `  ${line}`)];
  return [place(scene, failure), ...failure.message.split("\n"), ...said].join("\n      ");
}

function place(scene: Scene, { step }: Failure): string {
  return `${scene.file}:${step.line}: ${step.source}`;
}
