// The chat that a person would try first, with client libraries that others wrote: an echo bot answers 200 awkward messages in order,
// and messages left while the bot is away arrive after the server was stopped and started again.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certificateIn } from "../servers/certificate.js";
import type { RunningServer } from "../servers/server.js";
import { Checks, type Outcome, say, type Surroundings } from "../part.js";
import type { Login, Mode, Peer, PeerProgram } from "./peer.js";

const MESSAGES = 200;
const LEFT = 500; // many times what a client is asked to acknowledge at once
const PASSWORD = "correct horse";
const AWKWARD = [
  `<>&"' &amp; ]]> <b>not a tag</b>`,
  "漢字とかな、한국어, العربية",
  "🙂 👩‍👩‍👧‍👦 🏳️‍🌈 𝄞",
  "two  spaces\tand\na line",
  "plain",
];

/** `count` texts, all different, each with something that a careless server breaks. */
export function texts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${index}: ${AWKWARD[index % AWKWARD.length] ?? ""}`);
}

/** One suite run: bot and client by these programs. */
export class EchoSuite {
  readonly #around: Surroundings;
  readonly #bot: PeerProgram;
  readonly #client: PeerProgram;
  readonly #folder = mkdtempSync(join(tmpdir(), "rookery-echo-"));
  readonly #checks = new Checks();

  constructor(around: Surroundings, bot: PeerProgram, client: PeerProgram) {
    this.#around = around;
    this.#bot = bot;
    this.#client = client;
  }

  async run(): Promise<Outcome> {
    const startable = this.#around.server(join(this.#folder, "server"));
    try {
      const server = await startable.start();
      try {
        await server.register("bot", PASSWORD);
        await server.register("client", PASSWORD);
        await this.#shows("a peer that trusts another certificate is not let in", () => this.#distrust(server));
        await this.#shows(`${MESSAGES} messages come back in order`, () => this.#echo(server));
        await this.#shows(`${LEFT} messages are left for a bot that is away`, () => this.#leave(server));
      } finally {
        await server.stop();
      }
      const again = await startable.start();
      try {
        await this.#shows("they arrive in order after a restart of the server", () => this.#collect(again));
      } finally {
        await again.stop();
      }
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
    return this.#checks.outcome;
  }

  async #shows(what: string, check: () => Promise<void>): Promise<void> {
    await this.#checks.shows(`${this.#client.name} and ${this.#bot.name} bot: ${what}`, check);
  }

  async #distrust(server: RunningServer): Promise<void> {
    const folder = join(this.#folder, "other");
    mkdirSync(folder, { recursive: true });
    certificateIn(folder, server.domain);
    const login = { ...this.#login(this.#bot, server, "bot"), ca: join(folder, "certificate.pem") };
    const peer = this.#bot.start(login, { mode: "echo" });
    try {
      if (!(await peer.isTurnedAway()))
        throw new Error("it logged in although its trusted certificate did not sign the server's");
    } finally {
      await peer.stop();
    }
  }

  async #echo(server: RunningServer): Promise<void> {
    const bot = this.#start(this.#bot, server, "bot", { mode: "echo" });
    try {
      const tls = await bot.ready();
      const sent = texts(MESSAGES);
      const mode = { mode: "talk", to: `bot@${server.domain}`, texts: this.#file(sent) } as const;
      same(await this.#start(this.#client, server, "client", mode).finished(), sent);
      say(`        by ${this.#bot.uses}, ${tls}`);
    } finally {
      await bot.stop();
    }
  }

  async #leave(server: RunningServer): Promise<void> {
    const mode = { mode: "leave", to: `bot@${server.domain}`, texts: this.#file(texts(LEFT)) } as const;
    await this.#start(this.#client, server, "client", mode).finished();
  }

  async #collect(server: RunningServer): Promise<void> {
    same(await this.#start(this.#bot, server, "bot", { mode: "collect", count: LEFT }).finished(), texts(LEFT));
  }

  #start(program: PeerProgram, server: RunningServer, user: string, mode: Mode): Peer {
    return program.start(this.#login(program, server, user), mode);
  }

  #login(program: PeerProgram, server: RunningServer, user: string): Login {
    const ca = join(this.#folder, "ca.pem");
    writeFileSync(ca, server.ca);
    const port = program.uses === "starttls" ? server.port : server.directTlsPort;
    return { host: server.domain, port, jid: `${user}@${server.domain}`, password: PASSWORD, ca };
  }

  #file(content: readonly string[]): string {
    const path = join(this.#folder, "texts.json");
    writeFileSync(path, JSON.stringify(content));
    return path;
  }
}

function same(got: readonly string[], expected: readonly string[]): void {
  const index = expected.findIndex((text, at) => got[at] !== text);
  if (index !== -1)
    throw new Error(
      `message ${index}: ${JSON.stringify(expected[index])} expected, ${JSON.stringify(got[index])} came`,
    );
  if (got.length !== expected.length) throw new Error(`${got.length} messages came for ${expected.length}`);
}
