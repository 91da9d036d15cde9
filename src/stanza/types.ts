// Kinds and types of stanzas, RFC 6121 §5.2.2 and §4.7.1, RFC 6120 §8.2.3.
import { StanzaError } from "./errors.js";

export type StanzaKind = "message" | "presence" | "iq";
export type MessageType = "chat" | "error" | "groupchat" | "headline" | "normal";
/** Available presence has no type. */
export type PresenceType =
  "error" | "probe" | "subscribe" | "subscribed" | "unavailable" | "unsubscribe" | "unsubscribed";
export type IqType = "error" | "get" | "result" | "set";
export type StanzaType = MessageType | PresenceType | IqType;

const MESSAGE_TYPES: ReadonlySet<string> = new Set(["chat", "error", "groupchat", "headline", "normal"]);
const PRESENCE_TYPES: ReadonlySet<string> = new Set([
  "error",
  "probe",
  "subscribe",
  "subscribed",
  "unavailable",
  "unsubscribe",
  "unsubscribed",
]);
const IQ_TYPES: ReadonlySet<string> = new Set(["error", "get", "result", "set"]);

export function isStanzaKind(name: string): name is StanzaKind {
  return name === "message" || name === "presence" || name === "iq";
}

/** The type that a written one stands for. Throws StanzaError `bad-request` where an unknown one may not be taken for another. */
export function typeOf(kind: StanzaKind, written: string | undefined): StanzaType | undefined {
  switch (kind) {
    case "message":
      return written !== undefined && MESSAGE_TYPES.has(written) ? (written as MessageType) : "normal";
    case "presence":
      if (written === undefined || PRESENCE_TYPES.has(written)) return written as PresenceType | undefined;
      break;
    case "iq":
      if (written !== undefined && IQ_TYPES.has(written)) return written as IqType;
      break;
    default:
      kind satisfies never;
  }
  throw new StanzaError("bad-request", "modify", `not a type of ${kind}`);
}
