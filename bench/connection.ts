// A client connection as cheap as Node allows: text in, text out, as latin1 strings of the raw bytes; no XML tree.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { scramSha1 } from "./scram.js";

/** Where to connect; `ca` set means direct TLS, verified. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  readonly ca?: string;
}

const STEP_MS = 30_000;
const BUFFER_BYTES = 65_536;
const shared = Buffer.allocUnsafeSlow(BUFFER_BYTES); // one read buffer for all plain connections

export class Connection {
  readonly #socket: Socket;
  #waiting = "";
  #onText: (text: string) => void = (text) => void (this.#waiting += text);

  private constructor(target: Target, opened: (error?: Error) => void) {
    const receive = (text: string): void => this.#onText(text);
    this.#socket = target.ca === undefined ? plainSocket(target, receive) : tlsSocket(target, target.ca, receive);
    this.#socket.once(target.ca === undefined ? "connect" : "secureConnect", () => opened());
    this.#socket.once("error", opened);
  }

  /** Connects; with `ca` the server's certificate is verified. */
  static open(target: Target): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const connection: Connection = new Connection(target, (error) => (error ? reject(error) : resolve(connection)));
    });
  }

  write(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** From now on every piece of text goes to `handler`; `closed` is called once when the peer or the network ends the connection. */
  listen(handler: (text: string) => void, closed: (error?: Error) => void): void {
    this.#onText = handler;
    this.#socket.once("error", closed).once("close", () => closed());
    const text = this.#waiting;
    this.#waiting = "";
    if (text !== "") handler(text);
  }

  /** Reads until `pattern` matches and answers the match; throws after STEP_MS or when the connection ends. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (): void => settle(() => reject(new Error(`no ${pattern.source} in: ${this.#waiting.slice(-500)}`)));
      const timer = setTimeout(fail, STEP_MS);
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        this.#socket.off("close", fail);
        this.#onText = (text) => void (this.#waiting += text);
        done();
      };
      const look = (): void => {
        const match = pattern.exec(this.#waiting);
        if (match === null) return;
        this.#waiting = this.#waiting.slice(match.index + match[0].length);
        settle(() => resolve(match));
      };
      this.#onText = (text) => {
        this.#waiting += text;
        look();
      };
      this.#socket.once("close", fail);
      look();
    });
  }

  /** Opens a stream and reads its features. */
  async openStream(domain: string): Promise<string> {
    this.write(
      `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    return (await this.until(/<stream:features[^]*?(?:<\/stream:features>|\/>)/))[0];
  }

  /** SCRAM-SHA-1, binding and initial presence; answers the full JID. */
  async login(domain: string, user: string, password: string, resource = "load"): Promise<string> {
    await this.openStream(domain);
    const scram = scramSha1(user, password);
    const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>${base64(scram.first)}</auth>`;
    this.write(auth);
    const [, challenge = ""] = await this.until(/<challenge[^>]*>([^<]*)<\/challenge>/);
    const final = scram.final(Buffer.from(challenge, "base64").toString());
    this.write(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${base64(final)}</response>`);
    await this.until(/<success[^]*?(?:<\/success>|\/>)/);
    await this.openStream(domain);
    this.write(
      `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`,
    );
    const [, jid = ""] = await this.until(/<jid>([^<]*)<\/jid>[^]*?<\/iq>/);
    if (resource === "load") this.write("<presence/>");
    return jid;
  }

  /** Says good-bye and closes. */
  close(): void {
    this.#socket.end("</stream:stream>");
    this.#socket.unref();
  }
}

function plainSocket(target: Target, receive: (text: string) => void): Socket {
  const onread = {
    buffer: shared,
    callback: (bytes: number): boolean => {
      receive(shared.toString("latin1", 0, bytes));
      return true;
    },
  };
  return connectTcp({ host: target.host, port: target.port, noDelay: true, onread });
}

function tlsSocket(target: Target, ca: string, receive: (text: string) => void): Socket {
  const socket = connectTls({
    host: target.host,
    port: target.port,
    servername: target.domain,
    ca,
    ALPNProtocols: ["xmpp-client"],
  });
  socket.setNoDelay(true);
  return socket.on("data", (bytes: Buffer) => receive(bytes.toString("latin1")));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
