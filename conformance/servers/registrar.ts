// How accounts get to a server: by in-band registration (XEP-0077), one after the other on one secured stream, or by its command.
import type { ChildProcess } from "node:child_process";
import { ClientStream, openStream, type Address } from "../runner/stream.js";
import { escapeXml, show } from "../runner/xml.js";
import { end, run, type RunningServer, type ServerOptions } from "./server.js";

const LIMIT_MS = 15_000;

/** What only the server's own file knows. */
export interface Started {
  readonly child: ChildProcess;
  readonly address: Address;
  /** The command line that makes an account, for where registration is closed. */
  readonly adding: (user: string, password: string) => readonly [program: string, ...parameters: string[]];
  /** Until a server that does not end is killed. */
  readonly graceMs?: number;
}

/** A server whose listeners are up, as suites use it. */
export function running({ child, address, adding, graceMs }: Started, options: ServerOptions): RunningServer {
  const registrar = new Registrar(address);
  const byCommand = async (user: string, password: string): Promise<void> => {
    const [program, ...parameters] = adding(user, password);
    await run(program, parameters);
  };
  const isOpen = (options.registration ?? "open") === "open";
  return {
    ...address,
    pid: child.pid ?? 0,
    register: (user, password) => (isOpen ? registrar.create(user, password) : byCommand(user, password)),
    stop: async () => {
      registrar.close();
      await end(child, graceMs);
    },
  };
}

/** Registers accounts, one after the other, on one stream. */
export class Registrar {
  readonly #address: Address;
  #stream: Promise<ClientStream> | undefined;
  #last = 0;

  constructor(address: Address) {
    this.#address = address;
  }

  /** Throws an Error with the server's answer when the account cannot be made. */
  async create(local: string, password: string): Promise<void> {
    const stream = await this.#connected();
    const id = `register-${++this.#last}`;
    const fields = `<username>${escapeXml(local)}</username><password>${escapeXml(password)}</password>`;
    const query = `<query xmlns='jabber:iq:register'>${fields}</query>`;
    const answer = await stream.ask(
      id,
      `<iq type='set' id='${id}' to='${this.#address.domain}'>${query}</iq>`,
      LIMIT_MS,
    );
    if (answer.name === "closed" && this.#last > 1) return this.#again(local, password);
    if (answer.attributes.get("type") !== "result") throw new Error(`no account ${local}: ${show(answer)}`);
  }

  close(): void {
    void this.#stream?.then(
      (stream) => stream.destroy(),
      () => undefined, // nothing to close: it never connected
    );
  }

  /** Some servers end a stream after one registration: the next account gets a stream of its own. */
  async #again(local: string, password: string): Promise<void> {
    this.#stream = undefined;
    this.#last = 0;
    return this.create(local, password);
  }

  #connected(): Promise<ClientStream> {
    this.#stream ??= this.#connect().catch((error: unknown) => {
      this.#stream = undefined; // the next account tries again
      throw error;
    });
    return this.#stream;
  }

  async #connect(): Promise<ClientStream> {
    const stream = new ClientStream(this.#address);
    await openStream(stream, "tls", LIMIT_MS);
    return stream;
  }
}
