// Errors on the wire: stanza errors (RFC 6120 §8.3) and stream errors (§4.9).
import { type Element, xml } from "../xml/element.js";
import type { StreamCondition } from "../xml/faults.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";

export type { StreamCondition } from "../xml/faults.js";

/** What the sender may do about it (§8.3.2). */
export type StanzaErrorType = "auth" | "cancel" | "continue" | "modify" | "wait";

/** The defined conditions of §8.3.3 with the type each should have. */
const DEFAULT_TYPES = {
  "bad-request": "modify",
  conflict: "cancel",
  "feature-not-implemented": "cancel",
  forbidden: "auth",
  gone: "cancel",
  "internal-server-error": "cancel",
  "item-not-found": "cancel",
  "jid-malformed": "modify",
  "not-acceptable": "modify",
  "not-allowed": "cancel",
  "not-authorized": "auth",
  "policy-violation": "modify",
  "recipient-unavailable": "wait",
  redirect: "modify",
  "registration-required": "auth",
  "remote-server-not-found": "cancel",
  "remote-server-timeout": "wait",
  "resource-constraint": "wait",
  "service-unavailable": "cancel",
  "subscription-required": "auth",
  "undefined-condition": "modify",
  "unexpected-request": "wait",
} as const satisfies Record<string, StanzaErrorType>;

export type StanzaCondition = keyof typeof DEFAULT_TYPES;

/** All defined conditions of stanza errors. */
export const STANZA_CONDITIONS = Object.keys(DEFAULT_TYPES) as readonly StanzaCondition[];

/** An error that the peer is told. It is no fault of ours, and made for each stanza refused: a stack would cost more than all the rest. */
class ToldError extends Error {
  constructor(message: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
  }
}

/** The answer to a stanza that cannot be done; returned by features, thrown only where a stanza is read. */
export class StanzaError extends ToldError {
  override readonly name = "StanzaError";
  readonly condition: StanzaCondition;
  readonly type: StanzaErrorType;
  /** English, for people; undefined when the condition says it all. */
  readonly text: string | undefined;
  /** An application-specific condition (§8.3.4). */
  readonly extra: Element | undefined;

  constructor(condition: StanzaCondition, type?: StanzaErrorType, text?: string, extra?: Element) {
    super(text ?? condition);
    this.condition = condition;
    this.type = type ?? DEFAULT_TYPES[condition];
    this.text = text;
    this.extra = extra;
  }

  /** `<error/>` as the child of a stanza: it inherits the stanza's namespace. */
  toElement(): Element {
    return xml("error", { type: this.type }, ...contents(this, NS.stanzaErrors));
  }

  toWire(): Wire {
    return elementToWire(this.toElement());
  }
}

/** The last word on a stream before it is closed. */
export class StreamError extends ToldError {
  override readonly name = "StreamError";
  readonly condition: StreamCondition;
  readonly text: string | undefined;
  /** An application-specific condition (§4.9.4). */
  readonly extra: Element | undefined;

  constructor(condition: StreamCondition, text?: string, extra?: Element) {
    super(text ?? condition);
    this.condition = condition;
    this.text = text;
    this.extra = extra;
  }

  toElement(): Element {
    return xml("stream:error", {}, ...contents(this, NS.streamErrors));
  }

  /** `<stream:error/>`; `standsAlone` declares the prefix, for frames without a stream head around them (RFC 7395). */
  toWire(standsAlone = false): Wire {
    const element = this.toElement();
    if (standsAlone) element.attrs["xmlns:stream"] = NS.streams;
    return elementToWire(element);
  }
}

function contents(error: StanzaError | StreamError, xmlns: string): Element[] {
  const found = [xml(error.condition, { xmlns })];
  if (error.text !== undefined) found.push(xml("text", { xmlns, "xml:lang": "en" }, error.text));
  if (error.extra !== undefined) found.push(error.extra);
  return found;
}
