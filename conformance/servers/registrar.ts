// Makes accounts by in-band registration (XEP-0077), one after the other on one secured stream.
import { ClientStream, openStream, type Address } from "../runner/stream.js";
import { escapeXml, show } from "../runner/xml.js";

const LIMIT_MS = 15_000;

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
