// How a client learns what the server has taken over: by XEP-0198 where it is announced, else by the answer to a ping, which one session's
// order places behind everything sent before it. Pure: elements in, what they acknowledge out.
import type { Tree } from "../runner/xml.js";
import type { Proof } from "./ledger.js";

export const NS_SM = "urn:xmpp:sm:3";

/** A stanza on its way, as it was sent. */
export interface Outgoing {
  readonly xml: string;
  /** The message it is; undefined for IQs and presence. */
  readonly message?: string;
  /** Called when it is acknowledged. */
  readonly done?: () => void;
}

export interface Acknowledging {
  readonly proof: Proof;
  /** Sent and not acknowledged, in order. */
  readonly open: readonly Outgoing[];
  /** To be called for each stanza before it is sent. */
  sent(stanza: Outgoing): void;
  /** What to send to be told how far the server is. */
  request(): string;
  /** What an element that arrives acknowledges, in order; undefined if it is no acknowledgement. */
  take(tree: Tree): readonly Outgoing[] | undefined;
}

/** Without XEP-0198: pings. */
export class ByOrder implements Acknowledging {
  readonly proof = "order";
  #open: Outgoing[] = [];
  #acknowledged = 0;
  #pings = 0;
  /** For each ping under way: how many stanzas were sent before it, in all. */
  readonly #before = new Map<string, number>();

  get open(): readonly Outgoing[] {
    return this.#open;
  }

  sent(stanza: Outgoing): void {
    this.#open.push(stanza);
  }

  request(): string {
    const id = `order-${++this.#pings}`;
    this.#before.set(id, this.#acknowledged + this.#open.length);
    return `<iq type='get' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`;
  }

  /** Only a result acknowledges (rulings 7: a refused IQ is an answer, too, but it says that the server cannot now). */
  take({ name, attributes }: Tree): readonly Outgoing[] | undefined {
    const id = attributes.get("id") ?? "";
    const before = this.#before.get(id);
    if (name !== "iq" || before === undefined) return undefined;
    this.#before.delete(id);
    if (attributes.get("type") !== "result" || before <= this.#acknowledged) return [];
    const done = this.#open.splice(0, before - this.#acknowledged);
    this.#acknowledged = before;
    return done;
  }
}

/** A server that acknowledges what it cannot have, or takes back what it has acknowledged. */
export class WrongCount extends Error {}

const MODULUS = 2 ** 32;

/** XEP-0198: counters of both directions, which outlive the connection. */
export class ByManagement implements Acknowledging {
  readonly proof = "h";
  #open: Outgoing[] = [];
  /** The server's last `h`. */
  #h = 0;
  /** Stanzas of the server that we have handled: our `h`. */
  handled = 0;
  /** Counting has begun: `<enabled/>` has arrived. */
  enabled = false;
  /** Set if the server lets the session be resumed. */
  id: string | undefined;

  get open(): readonly Outgoing[] {
    return this.#open;
  }

  get answer(): string {
    return `<a xmlns='${NS_SM}' h='${this.handled}'/>`;
  }

  sent(stanza: Outgoing): void {
    this.#open.push(stanza);
  }

  request(): string {
    return `<r xmlns='${NS_SM}'/>`;
  }

  /** A stanza of the server has arrived. */
  counted(): void {
    if (this.enabled) this.handled = (this.handled + 1) % MODULUS;
  }

  /** Throws WrongCount. */
  take({ name, ns, attributes }: Tree): readonly Outgoing[] | undefined {
    if (ns !== NS_SM || (name !== "a" && name !== "resumed" && name !== "failed")) return undefined;
    const text = attributes.get("h");
    if (text === undefined) return [];
    const h = Number(text);
    const newly = (((h - this.#h) % MODULUS) + MODULUS) % MODULUS;
    if (!Number.isInteger(h) || newly > MODULUS / 2) throw new WrongCount(`h went from ${this.#h} to ${text}`);
    if (newly > this.#open.length) throw new WrongCount(`h=${text} acknowledges more than was sent`);
    this.#h = h;
    return this.#open.splice(0, newly);
  }
}
