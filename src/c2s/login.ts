// The login on one stream by SASL (RFC 6120 §6): from <auth/> to <success/>, or to one <failure/> too many.
import { type Element, xml } from "../xml/element.js";
import type { Fragment } from "../xml/fragment.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";
import { StreamError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import { Exchange, type LoginStep } from "./authentication.js";
import { mayLogIn, saslWire } from "./early.js";
import { PUBLIC_LANG } from "./header.js";
import type { C2SPorts } from "./ports.js";
import type { Transport } from "./transport.js";

/** What a login needs of its stream. */
export interface LoginStream {
  write(text: Wire): void;
  close(error: StreamError): void;
  /** Reads nothing more until the work is done; `abandon` gets its result if the stream has ended by then. */
  await<T>(work: Promise<T>, then: (result: T) => void, abandon: (result: T) => void): void;
  /** The peer is this user from now on. `<success/>` has been written. */
  authenticated(user: JID): void;
}

export class Login {
  readonly #ports: C2SPorts;
  readonly #transport: Transport;
  readonly #stream: LoginStream;
  #exchange: Exchange | undefined;
  #failures = 0;
  #temporary: JID | undefined; // an account that ends with the stream

  constructor(ports: C2SPorts, transport: Transport, stream: LoginStream) {
    this.#ports = ports;
    this.#transport = transport;
    this.#stream = stream;
  }

  /** Whether the peer has to go on with an exchange that it began. */
  get isUnderWay(): boolean {
    return this.#exchange !== undefined;
  }

  /** The account is there for this stream only. */
  get isTemporary(): boolean {
    return this.#temporary !== undefined;
  }

  /** Handles an element of SASL's namespace; false for one that must not come now. `domain`: the stream's. */
  handle(fragment: Fragment, domain: string): boolean {
    const exchange = this.#exchange;
    if (exchange) return this.#next(fragment, exchange);
    if (fragment.name === "auth") this.#begin(elementOf(fragment), domain);
    else this.#fail(fragment.name === "abort" ? "aborted" : "malformed-request"); // an answer to nothing
    return true;
  }

  /** The stream has ended, and with it a temporary account. Should its removal fail, the next start does it. */
  over(): void {
    if (this.#temporary) this.#removeTemporary(this.#temporary);
  }

  #begin(auth: Element, domain: string): void {
    if (!mayLogIn(this.#ports, this.#transport)) return this.#fail("encryption-required");
    const { address, security } = this.#transport;
    const exchange = this.#ports.authentication.begin(auth, { domain, address, security });
    if (!(exchange instanceof Exchange)) return this.#fail(exchange.failure);
    this.#exchange = exchange;
    this.#step(exchange, exchange.first());
  }

  #next(fragment: Fragment, exchange: Exchange): boolean {
    if (fragment.name === "response") this.#step(exchange, exchange.next(elementOf(fragment)));
    else if (fragment.name === "abort") this.#fail("aborted");
    else return false;
    return true;
  }

  #step(exchange: Exchange, step: Promise<LoginStep>): void {
    const abandoned = (result: LoginStep): void => {
      if (result.kind === "success" && result.temporary) this.#removeTemporary(result.user);
    };
    this.#stream.await(step, (result) => this.#answer(result, exchange), abandoned);
  }

  #answer(step: LoginStep, { mechanism }: Exchange): void {
    switch (step.kind) {
      case "challenge":
        return this.#stream.write(saslWire("challenge", step.data));
      case "failure":
        return this.#fail(step.condition, step.text);
      case "success":
        this.#ports.log.info({ ev: "auth.ok", jid: step.user.toString(), mechanism, ip: this.#transport.address });
        this.#exchange = undefined;
        if (step.temporary) this.#temporary = step.user;
        this.#stream.write(saslWire("success", step.data));
        return this.#stream.authenticated(step.user);
      default:
        step satisfies never;
    }
  }

  #fail(condition: string, text?: string): void {
    this.#exchange = undefined;
    const words = text === undefined ? [] : [xml("text", { "xml:lang": PUBLIC_LANG }, text)];
    this.#stream.write(elementToWire(xml("failure", { xmlns: NS.sasl }, xml(condition), ...words)));
    this.#ports.log.info({ ev: "auth.failed", condition, ip: this.#transport.address });
    if (++this.#failures >= this.#ports.config.limits.auth_failures)
      this.#stream.close(new StreamError("policy-violation", "too many failed logins"));
  }

  #removeTemporary(user: JID): void {
    const { users, log } = this.#ports;
    void users.remove(user).catch((error: unknown) => log.warn({ ev: "auth.temporary_account_left", err: error }));
  }
}
