// One client connection of the runner: TCP or TLS, an XML stream on it, and an inbox of what has arrived in order.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Way } from "./notation/scene.js";
import { StreamReader, child, show, type StreamEvent, type Tree } from "./xml.js";

/** Where the server under test is; see RunningServer. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly directTlsPort: number;
  readonly domain: string;
  readonly ca: string;
}

/** What arrived: an event of the XML stream, or the end of the connection. */
export type Arrival = StreamEvent | { readonly kind: "closed" };

/** Nothing arrived in time. */
export class TooLate extends Error {}

/** A stream header, or what may stand before one. */
const OPENS_DOCUMENT = /^\s*<(\?xml|(\w+:)?stream\s)/;
const NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls";

export class ClientStream {
  readonly #address: Address;
  readonly #localAddress: string | undefined;
  readonly #inbox: Arrival[] = [];
  readonly #said: string[] = [];
  #wanted: ((arrival: Arrival) => void) | undefined;
  #socket: Socket | TLSSocket | undefined;
  #reader = new StreamReader(() => undefined);
  readonly #awaited = new Map<string, (reply: Tree) => void>();
  #open = false;
  /** Drops what a scene ignores before it reaches the inbox. */
  ignores: (tree: Tree) => boolean = () => false;

  constructor(address: Address, localAddress?: string) {
    this.#address = address;
    this.#localAddress = localAddress;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** The last lines said on this connection, `>` ours and `<` the server's. */
  get transcript(): readonly string[] {
    return this.#said.slice(-12);
  }

  /** Begins the transcript here: what came before is of no interest to a reader. */
  forgetTranscript(): void {
    this.#said.length = 0;
  }

  /** What has arrived and was not taken yet. */
  get waiting(): readonly Arrival[] {
    return this.#inbox;
  }

  async connect(direct: boolean): Promise<void> {
    const { host, port, directTlsPort } = this.#address;
    const local = this.#localAddress === undefined ? {} : { localAddress: this.#localAddress };
    const socket = connect({ host, port: direct ? directTlsPort : port, noDelay: true, ...local });
    await once(socket, "connect");
    if (direct) await this.#secure(socket);
    else this.#attach(socket);
  }

  /** The TLS handshake of STARTTLS, after `<proceed/>`. */
  async startTls(): Promise<void> {
    const socket = this.#socket;
    if (!socket) throw new Error("not connected");
    socket.removeAllListeners("data");
    socket.removeAllListeners("close");
    await this.#secure(socket);
  }

  /** Sends text as UTF-8; a stream header in it begins a new document on the way back as well. */
  send(text: string): void {
    this.#remember(">", text);
    if (OPENS_DOCUMENT.test(text)) this.#restart();
    this.#socket?.write(text);
  }

  /** Sends a text whose characters are the bytes. */
  sendBytes(text: string): void {
    if (OPENS_DOCUMENT.test(text)) this.#restart();
    this.#remember(">", text);
    this.#socket?.write(text, "latin1");
  }

  /** A stream header to the domain under test. */
  open(): void {
    const { domain } = this.#address;
    this.send(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}' version='1.0'>`,
    );
  }

  /** The next arrival. Throws TooLate. */
  async next(limitMs: number): Promise<Arrival> {
    const first = this.#inbox.shift();
    if (first) return first;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wanted = undefined;
        reject(new TooLate(`nothing arrived within ${limitMs} ms`));
      }, limitMs);
      this.#wanted = (arrival) => {
        clearTimeout(timer);
        this.#wanted = undefined;
        resolve(arrival);
      };
    });
  }

  /** Returns arrivals that somebody took and does not want; they come first again. */
  putBack(arrivals: readonly Arrival[]): void {
    this.#inbox.unshift(...arrivals);
  }

  /** Forgets what has arrived. */
  clear(): void {
    this.#inbox.length = 0;
  }

  /** The next element. Throws TooLate, or an Error when something else arrives. */
  async nextElement(limitMs: number): Promise<Tree> {
    const arrival = await this.next(limitMs);
    if (arrival.kind === "element") return arrival.tree;
    throw new Error(`expected an element, arrived: ${describeArrival(arrival)}`);
  }

  /** Sends an IQ, or a message to oneself, and returns what comes back with its id; whatever else arrives meanwhile stays in the inbox. */
  async ask(id: string, xml: string, limitMs: number): Promise<Tree> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#awaited.delete(id);
        reject(new TooLate(`no answer within ${limitMs} ms to ${xml}`));
      }, limitMs);
      this.#awaited.set(id, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
      if (this.#open) this.#socket?.write(xml);
      else this.#awaited.get(id)?.({ name: "closed", ns: "", attributes: new Map(), children: [] });
    });
  }

  /** Breaks the connection without a word. */
  destroy(): void {
    this.#socket?.destroy();
  }

  /** Ends our side of the connection. */
  end(): void {
    this.#socket?.end();
  }

  async #secure(socket: Socket): Promise<void> {
    const { domain, ca } = this.#address;
    const tls = connectTls({ socket, servername: domain, ALPNProtocols: ["xmpp-client"], ca });
    await once(tls, "secureConnect");
    this.#attach(tls);
  }

  #attach(socket: Socket | TLSSocket): void {
    const decoder = new StringDecoder("utf8");
    this.#socket = socket;
    this.#open = true;
    socket.on("data", (data: Buffer) => this.#reader.write(decoder.write(data)));
    socket.on("error", () => undefined); // "close" follows and is what the scene sees
    socket.on("close", () => this.#arrived({ kind: "closed" }));
  }

  #restart(): void {
    this.#reader = new StreamReader((event) => this.#arrived(event));
  }

  #arrived(arrival: Arrival): void {
    if (arrival.kind === "closed") this.#closed();
    if (arrival.kind === "element") {
      const answered = this.#awaited.get(arrival.tree.attributes.get("id") ?? "");
      const { name, attributes } = arrival.tree;
      const answer = name === "message" || (name === "iq" && /^(result|error)$/.test(attributes.get("type") ?? ""));
      if (answered && answer) {
        this.#awaited.delete(arrival.tree.attributes.get("id") ?? "");
        return answered(arrival.tree);
      }
    }
    this.#remember("<", describeArrival(arrival));
    if (arrival.kind === "element" && this.ignores(arrival.tree)) return;
    if (this.#wanted) this.#wanted(arrival);
    else this.#inbox.push(arrival);
  }

  #closed(): void {
    this.#open = false;
    for (const answered of this.#awaited.values())
      answered({ name: "closed", ns: "", attributes: new Map(), children: [] });
    this.#awaited.clear();
  }

  #remember(side: string, text: string): void {
    this.#said.push(`${side} ${text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text}`);
  }
}

/** An arrival as text for people. */
export function describeArrival(arrival: Arrival): string {
  switch (arrival.kind) {
    case "head":
      return show(arrival.tree).replace(/\/>$/, ">");
    case "element":
      return show(arrival.tree);
    case "end":
      return "</stream:stream>";
    case "closed":
      return "(the connection was closed)";
    case "fault":
      return `(no XML: ${arrival.message})`;
  }
}

/** STARTTLS on a stream whose features have been read. */
export async function negotiateTls(stream: ClientStream, limitMs: number): Promise<void> {
  stream.send(`<starttls xmlns='${NS_TLS}'/>`);
  const reply = await stream.nextElement(limitMs);
  if (reply.name !== "proceed" || reply.ns !== NS_TLS) throw new Error(`STARTTLS was answered with ${show(reply)}`);
  await stream.startTls();
}

/** Connects and opens a stream the given way; returns with the features of the (secured) stream. */
export async function openStream(stream: ClientStream, way: Way, limitMs: number): Promise<Tree> {
  await stream.connect(way === "direct tls");
  const first = await greet(stream, limitMs);
  if (way !== "tls") return first;
  await negotiateTls(stream, limitMs);
  return greet(stream, limitMs);
}

/** Sends our header, takes the server's and its features. */
export async function greet(stream: ClientStream, limitMs: number): Promise<Tree> {
  stream.open();
  const head = await stream.next(limitMs);
  if (head.kind !== "head") throw new Error(`expected a stream header, arrived: ${describeArrival(head)}`);
  const features = await stream.nextElement(limitMs);
  if (features.name !== "features") throw new Error(`expected stream features, arrived: ${show(features)}`);
  return features;
}

/** Whether features or an error hold a child of that name. */
export function offers(features: Tree, name: string, ns: string): boolean {
  return child(features, name, ns) !== undefined;
}
