// RFC 6121 §8.5 "Local User" as a pure table: what becomes of a stanza addressed to an account of ours. Nothing is looked up or done here.
import type { StanzaCondition } from "../stanza/errors.js";

/** What the core does with the stanza. `handle` (IQ and subscription presence to a bare JID): the server answers for the account. */
export type Verdict =
  | { readonly kind: "resource" } // to exactly the addressed session
  | { readonly kind: "non-negative" } // to all sessions with a non-negative priority
  | { readonly kind: "available" } // to all sessions that are available
  | { readonly kind: "store" } // no session may have it now: keep it
  | { readonly kind: "handle" }
  | { readonly kind: "refuse"; readonly condition: StanzaCondition }
  | { readonly kind: "drop" };

/** The facts about the recipient that the table needs. */
export interface Recipient {
  /** There is such an account. */
  readonly exists: boolean;
  /** The address has a resource. */
  readonly full: boolean;
  /** A session is bound to that very resource. */
  readonly resourceBound: boolean;
  /** At least one session is available with a priority of zero or more. */
  readonly nonNegative: boolean;
}

export type MessageType = "normal" | "chat" | "headline" | "groupchat" | "error";

const RESOURCE: Verdict = { kind: "resource" };
const NON_NEGATIVE: Verdict = { kind: "non-negative" };
const AVAILABLE: Verdict = { kind: "available" };
const STORE: Verdict = { kind: "store" };
const HANDLE: Verdict = { kind: "handle" };
const DROP: Verdict = { kind: "drop" };
const UNAVAILABLE: Verdict = { kind: "refuse", condition: "service-unavailable" };

/** RFC 6121 §8.5.2.1.1, §8.5.2.2.1, §8.5.3.1, §8.5.3.2.1 for messages, with the choices the RFC leaves open made for never losing one. */
export function messageVerdict(type: MessageType, to: Recipient): Verdict {
  if (!to.exists) return type === "error" || type === "headline" ? DROP : UNAVAILABLE;
  if (to.full && to.resourceBound) return RESOURCE;
  if (to.full) return messageToGoneResource(type, to.nonNegative);
  switch (type) {
    case "normal":
    case "chat":
      return to.nonNegative ? NON_NEGATIVE : STORE;
    case "headline":
      return to.nonNegative ? NON_NEGATIVE : DROP;
    case "groupchat":
      return UNAVAILABLE;
    case "error":
      return DROP;
  }
}

function messageToGoneResource(type: MessageType, nonNegative: boolean): Verdict {
  switch (type) {
    case "chat":
      return nonNegative ? NON_NEGATIVE : STORE;
    case "normal":
    case "groupchat":
      return UNAVAILABLE;
    case "headline":
    case "error":
      return DROP;
  }
}

/** RFC 6121 §8.5 for presence: notifications go to the sessions, subscription stanzas and probes are the server's to handle. */
export function presenceVerdict(type: string | undefined, to: Recipient): Verdict {
  if (type !== undefined && type !== "unavailable" && type !== "error") return HANDLE;
  if (!to.exists) return DROP;
  if (!to.full) return AVAILABLE;
  return to.resourceBound ? RESOURCE : DROP;
}

/**
 * RFC 6121 §8.5 for IQs: the server answers for a bare JID; a resource that is not there cannot. One that is there gets the IQ from
 * anybody. §8.5.3.1 says SHOULD NOT for somebody without a subscription and directed presence, lest presence leak; here it is passed on:
 * - Clients rely on it: they ask each other what they can do, ping and offer files without a subscription. Prosody passes it on as well
 *   (conformance/scenes/iq.scene).
 * - It would close no leak: a message of type normal to the same full JID must be delivered, and to one that nobody has bound it is
 *   refused, so whoever guesses a resource learns as much from the message as from the IQ (src/xeps/strangers.test.ts).
 * A guess that fails is answered with the same error as for an account that does not exist (rulings 26).
 */
export function iqVerdict(type: string | undefined, to: Recipient): Verdict {
  const answers = type === "result" || type === "error";
  if (!to.full) return answers ? DROP : HANDLE;
  if (to.resourceBound) return RESOURCE;
  return answers ? DROP : UNAVAILABLE;
}
