// A client's stream (RFC 6120 §4): one state, and one table of which element may come in which state. What is not in it is a stream error.
import { errorOf, resultOf } from "../stanza/build.js";
import { StanzaError, StreamError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { XmlFault } from "../xml/faults.js";
import { NS } from "../xml/namespaces.js";
import { type Fragment, Scanner, type StreamHead } from "../xml/scanner.js";
import { elementToWire } from "../xml/serialize.js";
import { type Wire, w, toWire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";
import type { StreamInfo, StreamPort } from "../core/feature.js";
import type { Session, Sink } from "../core/session.js";
import type { Timer } from "../core/clock.js";
import { networkOf } from "../core/network.js";
import { randomText } from "../core/random.js";
import { bindResource } from "./bind.js";
import type { Counted } from "./connections.js";
import { readHeader, serverHeader } from "./header.js";
import { earlyLimits, fullLimits } from "./limits.js";
import { earlyAnswer, orWait, streamFeatures } from "./early.js";
import { Ending } from "./ending.js";
import { Login } from "./login.js";
import { Outbox } from "./outbox.js";
import type { C2SPorts } from "./ports.js";
import type { Transport, TransportListener } from "./transport.js";

type State =
  | { readonly at: "start" } // nobody has logged in
  | { readonly at: "unbound"; readonly user: JID }
  | { readonly at: "bound"; readonly user: JID; readonly session: Session }
  | { readonly at: "leaving" } // the session is over, and the client may close the stream itself
  | { readonly at: "ended" }; // our closing tag has been sent

const WHITE_SPACE = " " as Wire;
/** For a client that has asked for the end of its account to close the stream itself: a few slow round trips. */
const LEAVE_MS = 1000;
/** What streams get of the 10 s that an orderly stop may take: half for closing tags, half for closed connections. */
const SHUTDOWN_MS = 2000;
const CLOSE_TAG = "</stream:stream>" as Wire;

export class ClientStream implements TransportListener, Sink, Counted {
  readonly #ports: C2SPorts;
  readonly #transport: Transport;
  readonly #scanner: Scanner;
  readonly #outbox: Outbox;
  readonly #login: Login;
  #ending: Ending | undefined; // once our closing tag has been sent
  #deadline: Timer; // to log in, or to leave
  #state: State = { at: "start" };
  #peerName: string | undefined; // what our header has to answer
  #headSent = false;
  #lang: string | undefined;
  #info: StreamInfo;
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
        end: () => this.#end(undefined, true, true),
      },
      earlyLimits(limits),
    );
    this.#outbox = new Outbox(transport, ports.flusher, limits.outbox_bytes, () => this.#readerTooSlow());
    this.#login = new Login(ports, transport, {
      write: (text) => this.#write(text),
      close: (error) => this.close(error),
      await: (work, then, abandon) => this.#async(work, then, abandon),
      authenticated: (user) => this.#authenticated(user),
    });
    this.#lastHeard = ports.clock.now();
    this.#deadline = ports.clock.after(limits.preauth_deadline, () =>
      this.close(new StreamError("connection-timeout")),
    );
    ports.connections.add(this, transport.address);
  }

  // --- from the transport

  received(bytes: Buffer): void {
    this.#lastHeard = this.#ports.clock.now();
    this.#read(() => this.#scanner.write(bytes));
  }

  #read(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (error instanceof XmlFault) return this.#end(new StreamError(error.condition, error.message), true);
      this.#ports.log.error({ ev: "c2s.failed", err: error });
      this.#end(new StreamError("internal-server-error"), true);
    }
  }

  closed(): void {
    this.#finish(false);
    this.#outbox.gone();
    this.#scanner.stop();
    this.#ending?.over();
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
    if (this.#state.at === "leaving" || this.#state.at === "ended") return;
    this.#scanner.suspend();
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
    this.#read(() => this.#scanner.resume());
  }

  close(error?: StreamError): void {
    this.#end(error, false);
  }

  /** Clients that close the stream after their request hear no error: COMPAT(Smack 4.5): after one it takes no closing tag any more. */
  dismiss(error: StreamError): void {
    if (this.#state.at !== "bound") return this.close(error);
    this.#ports.sessions.goodbye(this.#state.session, this);
    this.#state = { at: "leaving" };
    this.#deadline = this.#ports.clock.after(LEAVE_MS, () => this.close(error));
    this.#ports.clock.soon(() => this.resume());
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
    this.#ending?.hasten(SHUTDOWN_MS);
  }

  // --- the stream header (RFC 6120 §4.7)

  #opened(head: StreamHead): void {
    if (this.#state.at === "ended") return;
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
    const handler = isStanza ? undefined : this.#ports.elements.get(`{${fragment.ns}}${fragment.name}`);
    if (handler && !this.#login.isUnderWay && state.at !== "leaving" && state.at !== "ended")
      return handler(elementOf(fragment), this.#port(state));
    switch (state.at) {
      case "bound":
        return isStanza ? this.#stanza(fragment, state.session) : this.#unexpected(fragment);
      case "unbound":
        return fragment.name === "iq" && isStanza ? this.#bind(fragment, state.user) : this.#unexpected(fragment);
      case "start":
        if (fragment.ns === NS.sasl) return this.#sasl(fragment);
        if (this.#login.isUnderWay) return this.#unexpected(fragment);
        if (fragment.ns === NS.tls && fragment.name === "starttls") return this.#startTls();
        return fragment.name === "iq" && isStanza ? this.#earlyIq(fragment) : this.#unexpected(fragment);
      case "leaving": // RFC 6120 §4.4: only the closing tag still counts
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
      isTemporary: this.#login.isTemporary,
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

  #sasl(fragment: Fragment): void {
    if (!this.#login.handle(fragment, this.#info.domain)) this.#unexpected(fragment);
  }

  #authenticated(user: JID): void {
    this.#state = { at: "unbound", user };
    this.#scanner.limits = fullLimits(this.#ports.config.limits);
    this.#scanner.restart("after a gap"); // COMPAT(go-xmpp 0.3.1): <response/> and a line feed, against RFC 6120 §6.3.5
    this.#headSent = false;
    this.#deadline.cancel();
    this.#ports.connections.authenticated(this);
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

  // --- the end (RFC 6120 §4.4)

  /**
   * Says the error and our closing tag; the session ends now. Whatever the peer still sends is read, up to its closing tag, and dropped.
   * `peerIsDone`: its closing tag has come, or what it says cannot be read.
   */
  #end(error: StreamError | undefined, peerIsDone: boolean, isGoodbye = false): void {
    if (this.#state.at === "ended") {
      if (peerIsDone) this.#ending?.peerIsDone();
      return;
    }
    this.#sendHead();
    if (error) {
      this.#write(error.toWire());
      this.#ports.log.debug({ ev: "c2s.stream_error", condition: error.condition, ip: this.#transport.address });
    }
    this.#write(CLOSE_TAG);
    this.#outbox.close();
    this.#finish(isGoodbye);
    this.#ending = new Ending(this.#ports.clock, this.#transport, this.#ports.config.limits.close_timeout);
    if (peerIsDone) this.#ending.peerIsDone();
    else this.#ending.waitForPeer();
    this.#ports.clock.soon(() => this.resume());
  }

  #readerTooSlow(): void {
    this.#ports.log.warn({ ev: "c2s.slow_reader", ip: this.#transport.address });
    this.#finish(false);
    this.#transport.destroy();
  }

  /** Only the client's closing tag (`isGoodbye`) ends a session that can be resumed (rulings 8). */
  #finish(isGoodbye: boolean): void {
    const state = this.#state;
    if (state.at === "ended") return;
    this.#state = { at: "ended" };
    this.#deadline.cancel();
    if (state.at === "bound" && isGoodbye) this.#ports.sessions.goodbye(state.session, this);
    else if (state.at === "bound") this.#ports.sessions.streamLost(state.session, this);
    this.#login.over();
  }

  #write(text: Wire): void {
    this.#outbox.append(text);
  }
}
