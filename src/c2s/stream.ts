// A client's stream (RFC 6120 §4): one state, and one table of which element may come in which state. What is not in it is a stream error.
import { errorOf, resultOf } from "../stanza/build.js";
import { StanzaError, StreamError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { XmlFault } from "../xml/faults.js";
import { NS } from "../xml/namespaces.js";
import { Scanner, type Fragment, type StreamHead } from "../xml/scanner.js";
import { elementToWire } from "../xml/serialize.js";
import { type Wire, w, toWire } from "../xml/wire.js";
import type { StreamInfo, StreamPort } from "../core/feature.js";
import type { Session, Sink } from "../core/session.js";
import type { Timer } from "../core/clock.js";
import { networkOf } from "../core/network.js";
import { randomText } from "../core/random.js";
import { Exchange, type LoginStep } from "./authentication.js";
import { bindResource } from "./bind.js";
import type { Counted } from "./connections.js";
import { PUBLIC_LANG, readHeader, serverHeader } from "./header.js";
import { earlyLimits, fullLimits } from "./limits.js";
import { earlyAnswer, mayLogIn, orWait, saslWire, streamFeatures } from "./early.js";
import { Outbox } from "./outbox.js";
import type { C2SPorts } from "./ports.js";
import type { Transport, TransportListener } from "./transport.js";

type State =
  | { readonly at: "start" } // nobody has logged in
  | { readonly at: "sasl"; readonly exchange: Exchange }
  | { readonly at: "unbound"; readonly user: JID }
  | { readonly at: "bound"; readonly user: JID; readonly session: Session }
  | { readonly at: "ended" };

const WHITE_SPACE = " " as Wire;
const CLOSE_TAG = "</stream:stream>" as Wire;

export class ClientStream implements TransportListener, Sink, Counted {
  readonly #ports: C2SPorts;
  readonly #transport: Transport;
  readonly #scanner: Scanner;
  readonly #outbox: Outbox;
  #deadline: Timer; // to log in; later for the peer to go once we have closed
  #state: State = { at: "start" };
  #peerName: string | undefined; // what our header has to answer
  #headSent = false;
  #temporary: JID | undefined; // an account that ends with this stream
  #lang: string | undefined;
  #info: StreamInfo;
  #failures = 0;
  #closeSent = false;
  #lastHeard: number;

  constructor(ports: C2SPorts, transport: Transport) {
    const { limits } = ports.config;
    this.#ports = ports;
    this.#transport = transport;
    this.#info = {
      domain: "",
      secure: false,
      authenticated: false,
      address: networkOf(transport.address),
      registrations: 0,
    };
    this.#scanner = new Scanner(
      {
        head: (head) => this.#opened(head),
        fragment: (fragment) => this.#handle(fragment),
        end: () => this.#peerClosed(),
      },
      earlyLimits(limits),
    );
    this.#outbox = new Outbox(transport, ports.flusher, limits.outbox_bytes, () => this.#readerTooSlow());
    this.#lastHeard = ports.clock.now();
    this.#deadline = ports.clock.after(limits.preauth_deadline, () =>
      this.close(new StreamError("connection-timeout")),
    );
    ports.connections.add(this, transport.address);
  }

  // --- from the transport

  received(bytes: Buffer): void {
    if (this.#state.at === "ended") return;
    this.#lastHeard = this.#ports.clock.now();
    this.#read(() => this.#scanner.write(bytes));
  }

  #read(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (error instanceof XmlFault) return this.close(new StreamError(error.condition, error.message));
      this.#ports.log.error({ ev: "c2s.failed", err: error });
      this.close(new StreamError("internal-server-error"));
    }
  }

  closed(): void {
    this.#finish(false);
    this.#outbox.gone();
    this.#deadline.cancel();
    this.#ports.connections.remove(this);
  }

  // --- from the session

  send(stanza: Stanza): void {
    this.#write(stanza.toWire());
  }

  tell(element: Wire): void {
    this.#write(element);
  }

  drained(callback: (sent: boolean) => void): void {
    this.#outbox.onDrained(callback);
  }

  /** At once: what came in the same chunk waits as bytes, not as stanzas. */
  pause(): void {
    this.#scanner.suspend();
    this.#transport.pause();
  }

  resume(): void {
    if (this.#state.at === "ended") return;
    this.#transport.resume();
    this.#read(() => this.#scanner.resume());
  }

  /** Ends the stream from our side: the error, our closing tag, and the connection once the peer has answered or waited too long. */
  close(error?: StreamError, isGoodbye = false): void {
    if (this.#state.at === "ended") return;
    if (error) {
      this.#sendHead();
      this.#write(error.toWire());
      this.#ports.log.debug({ ev: "c2s.stream_error", condition: error.condition, ip: this.#transport.address });
    }
    this.#sendClose();
    this.#finish(isGoodbye);
    this.#deadline = this.#ports.clock.after(this.#ports.config.limits.close_timeout, () => this.#transport.destroy());
    this.#transport.resume();
    this.#transport.end();
  }

  // --- from the connections' sweep

  /** Probes silent peers with white space (RFC 6120 §4.6.1) and gives dead ones up. */
  sweep(now: number): void {
    const { idle_keepalive, idle_timeout } = this.#ports.config.limits;
    const { at } = this.#state;
    if (at !== "bound" && at !== "unbound") return;
    const silent = now - this.#lastHeard;
    if (silent > idle_timeout) this.close(new StreamError("connection-timeout"));
    else if (silent > idle_keepalive && at === "bound") this.#write(WHITE_SPACE);
  }

  shutDown(): void {
    this.close(new StreamError("system-shutdown"));
  }

  // --- the stream header (RFC 6120 §4.7)

  #opened(head: StreamHead): void {
    const { domain, from, lang, fault } = readHeader(head);
    this.#peerName = from;
    this.#headSent = false;
    this.#lang = lang;
    if (fault) return this.close(new StreamError(fault));
    if (!this.#ports.config.domains.includes(domain)) return this.close(new StreamError("host-unknown"));
    const isLoggedIn = this.#state.at === "unbound";
    if (this.#state.at === "unbound" && this.#state.user.domain !== domain)
      return this.close(new StreamError("not-authorized"));
    this.#info = { ...this.#info, domain, secure: this.#transport.security !== undefined, authenticated: isLoggedIn };
    this.#sendHead();
    this.#write(elementToWire(streamFeatures(this.#ports, this.#transport, this.#info)));
  }

  /** Ours goes out before anything else, even before the error about theirs (RFC 6120 §4.9.1.2). */
  #sendHead(): void {
    if (this.#headSent) return;
    this.#headSent = true;
    const domain = this.#info.domain || this.#ports.config.domain;
    this.#write(serverHeader(domain, this.#peerName, randomText(this.#ports.random)));
    this.#peerName = undefined;
  }

  // --- elements: state × name → what to do

  #handle(fragment: Fragment): void {
    const state = this.#state;
    const isStanza =
      fragment.ns === NS.client &&
      (fragment.name === "iq" || fragment.name === "message" || fragment.name === "presence");
    if (fragment.ns === NS.streams && fragment.name === "error") return this.close(); // §4.9.1.1: the peer is done
    const handler = this.#ports.elements.get(`{${fragment.ns}}${fragment.name}`);
    if (handler && state.at !== "sasl" && state.at !== "ended") return handler(fragment.element, this.#port(state));
    switch (state.at) {
      case "bound":
        return isStanza ? this.#stanza(fragment, state.session) : this.#unexpected(fragment);
      case "unbound":
        return fragment.name === "iq" && isStanza ? this.#bind(fragment, state.user) : this.#unexpected(fragment);
      case "start":
        if (fragment.ns === NS.tls && fragment.name === "starttls") return this.#startTls();
        if (fragment.ns === NS.sasl) return this.#beginSasl(fragment);
        return fragment.name === "iq" && isStanza ? this.#earlyIq(fragment) : this.#unexpected(fragment);
      case "sasl":
        return fragment.ns === NS.sasl ? this.#saslNext(fragment, state.exchange) : this.#unexpected(fragment);
      case "ended":
        return;
      default:
        state satisfies never;
    }
  }

  /** Rulings 18: stanzas before login or binding are `not-authorized`; anything else is no stanza type we know. */
  #unexpected(fragment: Fragment): void {
    const isEarly = this.#state.at !== "bound" && fragment.ns === NS.client;
    this.close(new StreamError(isEarly ? "not-authorized" : "unsupported-stanza-type"));
  }

  /** What a handler of an element may see and do. */
  #port(state: State): StreamPort {
    return {
      sink: this,
      user: state.at === "unbound" || state.at === "bound" ? state.user : undefined,
      session: state.at === "bound" ? state.session : undefined,
      isTemporary: this.#temporary !== undefined,
      tell: (element) => this.#write(element),
      close: (error) => this.close(error),
      wait: (work) => {
        const goesOn = (session: Session | undefined): void => {
          if (session) this.#state = { at: "bound", user: session.jid.bare, session };
        };
        const abandoned = (session: Session | undefined): void => {
          if (session) this.#ports.sessions.streamLost(session, this);
        };
        this.#async(work, goesOn, abandoned);
      },
    };
  }

  #stanza(fragment: Fragment, session: Session): void {
    const stanza = Stanza.read(fragment, this.#lang === undefined ? {} : { lang: this.#lang });
    if (!(stanza instanceof Stanza))
      return session.lane.acceptUnreadable(() => {
        if (stanza.answer) session.send(stanza.answer);
      });
    const from = stanza.from;
    if (from && !from.equals(session.jid) && !from.equals(session.jid.bare))
      return this.close(new StreamError("invalid-from"));
    session.lane.accept(stanza.readdress(session.jid, stanza.to));
  }

  /** A stanza, or undefined after having answered for it (malformed addresses, types, missing ids: RFC 6120 §8). */
  #parse(fragment: Fragment): Stanza | undefined {
    const parsed = Stanza.read(fragment, this.#lang === undefined ? {} : { lang: this.#lang });
    if (parsed instanceof Stanza) return parsed;
    if (parsed.answer) this.#write(parsed.answer.toWire());
    return undefined;
  }

  // --- STARTTLS (RFC 6120 §5)

  #startTls(): void {
    const { startTls } = this.#transport;
    if (!startTls) {
      this.#write(w`<failure xmlns='${toWire(NS.tls)}'/>`); // §5.4.2.2: and the stream ends
      return this.close();
    }
    this.#scanner.stop(); // RFC 6120 §5.4.3.3: what came with it in the clear is not read
    this.#scanner.restart();
    this.#write(w`<proceed xmlns='${toWire(NS.tls)}'/>`);
    this.#outbox.flush();
    startTls();
    this.#headSent = false;
  }

  // --- SASL (RFC 6120 §6)

  #beginSasl(fragment: Fragment): void {
    if (fragment.name === "auth") this.#authenticate(fragment);
    else this.#fail(fragment.name === "abort" ? "aborted" : "malformed-request"); // an answer to nothing
  }

  #authenticate(fragment: Fragment): void {
    if (!mayLogIn(this.#ports, this.#transport)) return this.#fail("encryption-required");
    const exchange = this.#ports.authentication.begin(fragment.element, {
      domain: this.#info.domain,
      address: this.#transport.address,
      security: this.#transport.security,
    });
    if (!(exchange instanceof Exchange)) return this.#fail(exchange.failure);
    this.#state = { at: "sasl", exchange };
    this.#step(exchange, exchange.first());
  }

  #saslNext(fragment: Fragment, exchange: Exchange): void {
    if (fragment.name === "response") this.#step(exchange, exchange.next(fragment.element));
    else if (fragment.name === "abort") this.#fail("aborted");
    else this.#unexpected(fragment);
  }

  #step(exchange: Exchange, step: Promise<LoginStep>): void {
    const abandoned = (result: LoginStep): void => {
      if (result.kind === "success" && result.temporary) this.#removeTemporary(result.user);
    };
    const answer = (result: LoginStep): void => {
      switch (result.kind) {
        case "challenge":
          return this.#write(saslWire("challenge", result.data));
        case "failure":
          return this.#fail(result.condition, result.text);
        case "success":
          this.#ports.log.info({
            ev: "auth.ok",
            jid: result.user.toString(),
            mechanism: exchange.mechanism,
            ip: this.#transport.address,
          });
          this.#write(saslWire("success", result.data));
          if (result.temporary) this.#temporary = result.user;
          return this.#authenticated(result.user);
        default:
          result satisfies never;
      }
    };
    this.#async(step, answer, abandoned);
  }

  #authenticated(user: JID): void {
    this.#state = { at: "unbound", user };
    this.#scanner.limits = fullLimits(this.#ports.config.limits);
    this.#scanner.restart();
    this.#headSent = false;
    this.#deadline.cancel();
    this.#ports.connections.authenticated(this);
  }

  #fail(condition: string, text?: string): void {
    this.#state = { at: "start" };
    const words = text === undefined ? [] : [xml("text", { "xml:lang": PUBLIC_LANG }, text)];
    this.#write(elementToWire(xml("failure", { xmlns: NS.sasl }, xml(condition), ...words)));
    this.#ports.log.info({ ev: "auth.failed", condition, ip: this.#transport.address });
    if (++this.#failures >= this.#ports.config.limits.auth_failures)
      this.close(new StreamError("policy-violation", "too many failed logins"));
  }

  // --- before there is a session: registration and binding (RFC 6120 §7)

  #earlyIq(fragment: Fragment): void {
    const stanza = this.#parse(fragment);
    if (!stanza) return;
    const answer = earlyAnswer(this.#ports, this.#transport, this.#info, stanza);
    if (!answer) return this.close(new StreamError("not-authorized"));
    this.#async(answer, (payloads) => this.#answer(stanza, payloads));
  }

  #bind(fragment: Fragment, user: JID): void {
    const stanza = this.#parse(fragment);
    if (!stanza) return;
    const request = stanza.type === "set" ? stanza.child("bind", NS.bind) : undefined;
    if (!request) return this.close(new StreamError("not-authorized"));
    const bound = (session: Session | StanzaError): void => {
      if (session instanceof StanzaError) return this.#answer(stanza, session);
      this.#state = { at: "bound", user, session };
      this.#answer(stanza, [xml("bind", { xmlns: NS.bind }, xml("jid", {}, session.jid.toString()))]);
    };
    const abandoned = (session: Session | StanzaError): void => {
      if (!(session instanceof StanzaError)) this.#ports.sessions.end(session);
    };
    this.#async(orWait(bindResource(request, user, this.#ports, this), this.#ports.log), bound, abandoned);
  }

  #answer(request: Stanza, answer: readonly (Element | Wire)[] | StanzaError): void {
    const stanza = answer instanceof StanzaError ? errorOf(request, answer) : resultOf(request, ...answer);
    if (stanza) this.#write(stanza.toWire());
  }

  /** Waits for a step of the negotiation; nothing more is read meanwhile, so that what follows finds the new state. */
  #async<T>(work: Promise<T>, then: (result: T) => void, abandon: (result: T) => void = () => undefined): void {
    this.#scanner.suspend();
    this.#transport.pause();
    work
      .then((result) => {
        if (this.#state.at === "ended") return abandon(result);
        then(result);
        this.#transport.resume();
        this.#read(() => this.#scanner.resume());
      })
      .catch((error: unknown) => {
        this.#ports.log.error({ ev: "c2s.negotiation_failed", err: error });
        this.close(new StreamError("internal-server-error"));
      });
  }

  // --- the end

  /** RFC 6120 §4.4: their closing tag is answered with ours. */
  #peerClosed(): void {
    this.close(undefined, true);
  }

  #readerTooSlow(): void {
    this.#ports.log.warn({ ev: "c2s.slow_reader", ip: this.#transport.address });
    this.#finish(false);
    this.#transport.destroy();
  }

  #sendClose(): void {
    if (this.#closeSent) return;
    this.#sendHead();
    this.#closeSent = true;
    this.#write(CLOSE_TAG);
    this.#outbox.close();
  }

  /** Only the client's closing tag (`isGoodbye`) ends a session that can be resumed (rulings 8). */
  #finish(isGoodbye: boolean): void {
    const state = this.#state;
    if (state.at === "ended") return;
    this.#state = { at: "ended" };
    this.#scanner.stop();
    this.#deadline.cancel();
    if (state.at === "bound" && isGoodbye) this.#ports.sessions.goodbye(state.session, this);
    else if (state.at === "bound") this.#ports.sessions.streamLost(state.session, this);
    if (this.#temporary) this.#removeTemporary(this.#temporary);
  }

  /** Should that fail, the next start does it. */
  #removeTemporary(user: JID): void {
    const { users, log } = this.#ports;
    void users.remove(user).catch((error: unknown) => log.warn({ ev: "auth.temporary_account_left", err: error }));
  }

  #write(text: Wire): void {
    this.#outbox.append(text);
  }
}
