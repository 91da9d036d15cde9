// A connection of an attacker: raw bytes over TCP, TLS when asked, and everything that came back; nobody sleeps, everything is waited for.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";

const PATIENCE_MS = 30_000;

export interface LineOptions {
  readonly port: number;
  /** An address of 127/8 to come from. */
  readonly from?: string;
  /** Goes on sending when the server has said that it is done. */
  readonly halfOpen?: boolean;
}

export class Line {
  #socket: Socket;
  #tls: TLSSocket | undefined;
  #heard = "";
  #isEnded = false;
  #isClosed = false;
  #changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static open({ port, from, halfOpen = false }: LineOptions): Promise<Line> {
    const options = { port, host: "127.0.0.1", noDelay: true, allowHalfOpen: halfOpen };
    const socket = connectTcp(from === undefined ? options : { ...options, localAddress: from });
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Line(socket)));
    });
  }

  get heard(): string {
    return this.#heard;
  }

  /** The server has ended its side. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The connection under TLS. */
  get tls(): TLSSocket {
    if (this.#tls === undefined) throw new Error("there is no TLS on this line");
    return this.#tls;
  }

  send(bytes: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Resolves when `pattern` is in what has come since the last TLS handshake; rejects when it cannot come any more. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#waitFor(
      () => pattern.exec(this.#heard) ?? undefined,
      () => `no ${pattern.source} in: ${this.#heard.slice(-500)}`,
    );
  }

  /** Resolves when the connection is over, whichever way. */
  async closed(): Promise<void> {
    await this.#waitFor(
      () => (this.#isClosed ? true : undefined),
      () => `the connection is still open after: ${this.#heard.slice(-500)}`,
    );
  }

  /** Becomes the client's side of TLS; rejects if the handshake fails. What was heard before is forgotten. */
  async secure(options: ConnectionOptions): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners("data").removeAllListeners("end").removeAllListeners("close");
    const secure = connectTls({ ...options, socket: plain });
    await new Promise<void>((resolve, reject) => {
      secure.once("error", reject);
      secure.once("close", () => reject(new Error("closed during the handshake")));
      secure.once("secureConnect", resolve);
    });
    this.#heard = "";
    this.#socket = secure;
    this.#tls = secure;
    this.#listen(secure);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (bytes: Buffer) => {
      this.#heard += bytes.toString("latin1");
      this.#changed();
    });
    socket.on("error", () => this.#changed()); // a reset is one way to be told; "close" follows
    socket.once("end", () => {
      this.#isEnded = true;
      this.#changed();
    });
    socket.once("close", () => {
      this.#isEnded = true;
      this.#isClosed = true;
      this.#changed();
    });
  }

  #waitFor<T>(look: () => T | undefined, complaint: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error(complaint()))), PATIENCE_MS);
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        this.#changed = () => undefined;
        done();
      };
      this.#changed = () => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#isClosed) settle(() => reject(new Error(complaint())));
      };
      this.#changed();
    });
  }
}

export function header(domain: string): string {
  return `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
}

export const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
export const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

export function auth(mechanism: string, message: string): string {
  return `<auth xmlns='${SASL}' mechanism='${mechanism}'>${Buffer.from(message).toString("base64")}</auth>`;
}
