// What a feature is: a manifest of plain data and pure functions. The core reads it once at start; features.ts lists them in order.
import type { z } from "zod";
import type { Element } from "../xml/element.js";
import type { Wire } from "../xml/wire.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { StanzaError, StreamError } from "../stanza/errors.js";
import type { StoreSpec } from "../storage/port.js";
import type { Json } from "../storage/writes.js";
import type { Account } from "./account.js";
import type { Flow } from "./flow.js";
import type { Spelling } from "./management.js";
import type { Phase } from "./phases.js";
import type { Session, Sink } from "./session.js";

/** A decision about the flow's current stanza: go on, stop here (handled or dropped), or refuse. Synchronous. */
export type Step = (flow: Flow, account: Account) => void | "stop" | StanzaError;

export type Steps = { readonly [phase in Phase]?: Step };

export interface StepTable {
  readonly message?: Steps;
  readonly presence?: Steps;
  readonly iq?: Steps;
}

export type Child = Element | Wire;

/** An IQ get or set that the server answers, for itself or on behalf of an account. */
export interface Iq {
  readonly flow: Flow;
  readonly stanza: Stanza;
  /** The one child of the request. */
  readonly payload: Element;
  readonly from: JID;
  /** The account addressed by its bare JID (it may not exist: see `exists`); undefined for requests to the server itself. */
  readonly account: Account | undefined;
  /** The requester is the addressed account itself. */
  readonly own: boolean;
}

export type Answer = readonly Child[] | StanzaError;

/**
 * Answers at once, or returns a function that is run at release and answers later without holding the lane, or nothing if it has
 * answered itself (`flow.reply`), so that more can follow the answer.
 */
export type IqHandler = (iq: Iq) => Answer | (() => Promise<Answer>) | void;

/** Keyed by "get urn:xmpp:ping ping": type, namespace and name of the payload. */
export type IqTable = Readonly<Record<`${"get" | "set"} ${string}`, IqHandler>>;

/** What a stream tells a feature that wants to add to `<stream:features/>` or to answer before login. */
export interface StreamInfo {
  readonly domain: string;
  readonly secure: boolean;
  readonly authenticated: boolean;
  /** The peer's network (`networkOf`), for limits. */
  readonly address: string;
  /** How many accounts were registered on this stream. */
  registrations: number;
}

/** Answers an IQ before authentication (only in-band registration uses it). */
export type EarlyIqHandler = (payload: Element, type: "get" | "set", stream: StreamInfo) => Promise<Answer>;

/** A stream as the handler of an element that is no stanza sees it. */
export interface StreamPort {
  /** Where its session's stanzas go. */
  readonly sink: Sink;
  /** Who has logged in; undefined before. */
  readonly user: JID | undefined;
  /** Undefined before a resource is bound. */
  readonly session: Session | undefined;
  /** The account is there for this stream only. */
  readonly isTemporary: boolean;
  tell(element: Wire): void;
  /** Ends the stream. */
  close(error: StreamError): void;
  /** Reads nothing until the work is done. A session that comes of it is the stream's from then on. */
  wait(work: Promise<Session | undefined>): void;
}

/** Handles an element of a stream that is no stanza. Synchronous, but for `stream.wait`. */
export type ElementHandler = (element: Element, stream: StreamPort) => void;

export interface DiscoIdentity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
}

export interface Disco {
  /** Features of the server's domain. */
  readonly server?: readonly string[];
  /** Features of every account's bare JID. */
  readonly account?: readonly string[];
  readonly serverIdentities?: readonly DiscoIdentity[];
  readonly accountIdentities?: readonly DiscoIdentity[];
  /** Extended information (XEP-0128) in the answer for the server's domain. */
  readonly serverForms?: () => readonly Element[];
}

/** What doap.xml and the documentation say of an implemented specification. */
export interface Spec {
  readonly xep: number;
  readonly version: string;
  readonly status: "complete" | "partial";
  readonly since: string;
  readonly note?: string;
}

/** A store that a feature keeps documents in. */
export interface FeatureStore extends StoreSpec {
  /** Loaded with the account, for an `AccountSlot`; else read by handlers. */
  readonly withAccount?: true;
  /**
   * Whose its documents are. `account`: of the account under whose bare JID they lie; with it they are erased and exported. `room`: of the room
   * under whose address they lie.
   * `nobody`: they say nothing about a person.
   */
  readonly data: "account" | "room" | "nobody";
  /** The look-up field with the bare JID of whom a document is about, where that is not its owner: it is exported with that account, too. */
  readonly about?: string;
}

/** What the client of a session that outlived the process may not have had. */
export interface Missed {
  /** Of its account's log: all that lies above this position, and what waits there. */
  readonly after: number;
  /** Entries of the log that it is sent all the same. */
  readonly held: ReadonlySet<number>;
}

/** How a feature's state of a session outlives the process (rulings 3). Each part may be left out. */
export interface SessionState {
  /** What is stored of it; undefined: nothing. Of what the session has sent and is told to be handled it must show the effect. */
  readonly save?: (session: Session) => Json | undefined;
  /** The session goes on in this process, without a stream as yet. Features before this one have done so. */
  readonly restore?: (session: Session, saved: Json | undefined) => void;
  /** Whether its client can be told all that it may have missed of this feature; else it must begin anew. */
  readonly canCatchUp?: (session: Session) => boolean;
  /** Tells its client, which has come back, what it may have missed. Live stanzas of others wait until what it returns has ended. */
  readonly catchUp?: (flow: Flow, session: Session, missed: Missed) => Promise<void> | undefined;
}

export interface Feature {
  readonly name: string;
  readonly specs: readonly Spec[];
  /** Its section of the configuration; unknown keys are errors. */
  readonly config?: z.ZodObject;
  readonly disco?: Disco;
  /** Children of `<stream:features/>` at this point of the stream. */
  readonly streamFeatures?: (stream: StreamInfo) => readonly Element[];
  /** Steps on stanzas that a session of ours sends; `account` is the sender's. */
  readonly sent?: StepTable;
  /** Steps on stanzas for an account of ours; `account` is the recipient's. */
  readonly received?: StepTable;
  readonly iq?: {
    /** Requests to the server's domain. */
    readonly server?: IqTable;
    /** Requests to a bare JID of ours, from anybody; the handler looks after privacy (`own`, `account.exists`). */
    readonly account?: IqTable;
  };
  /** Elements of a stream beside stanzas, also before login, keyed by "{namespace}name" (XEP-0198 `<r/>`). */
  readonly elements?: Readonly<Record<`{${string}}${string}`, ElementHandler>>;
  readonly earlyIq?: Readonly<Record<string, EarlyIqHandler>>;
  /** Stores it keeps documents in. */
  readonly stores?: readonly FeatureStore[];
  /** How acknowledgements are written; one feature says so. */
  readonly spelling?: Spelling;
  /** What it keeps of a session that can be resumed, and how that goes on in another process. */
  readonly session?: SessionState;
  /** The server stops; clients can still be told. What it returns is awaited for a while. */
  readonly closing?: () => Promise<void>;
  /**
   * A session has been bound, or its client comes back to it after a crash. What it returns is awaited before its client is told, so
   * before anything that it sends; it must come to an end, and never rejects.
   */
  readonly bound?: (session: Session) => Promise<void> | undefined;
  /** A session ended, or goes on without a stream, and its client has not closed the stream in order: it may send again what it sent. */
  readonly sessionLost?: (session: Session) => void;
  /** The account is being removed: what others must be told. Its own data (see `FeatureStore.data`) is erased by the core. */
  readonly removed?: (flow: Flow, account: Account) => void;
}
