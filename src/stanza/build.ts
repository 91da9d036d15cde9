// Building stanzas of our own and answers to others.
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";
import type { StanzaError } from "./errors.js";
import { Stanza, type StanzaHead } from "./stanza.js";
import type { IqType, MessageType, PresenceType } from "./types.js";

/** A child: a tree, or wire text in which elements of the content namespace declare none. */
export type Child = Element | Wire;

type HeadOf<Type> = Omit<StanzaHead, "type"> & { readonly type?: Type | undefined };

export function message(head: HeadOf<MessageType>, ...children: readonly Child[]): Stanza {
  return Stanza.make("message", head, childrenToWire(children));
}

/** Without a type it is available presence. */
export function presence(head: HeadOf<PresenceType>, ...children: readonly Child[]): Stanza {
  return Stanza.make("presence", head, childrenToWire(children));
}

export function iq(
  head: Omit<StanzaHead, "type"> & { readonly type: IqType; readonly id: string },
  ...children: readonly Child[]
): Stanza {
  return Stanza.make("iq", head, childrenToWire(children));
}

/** The answer to an iq request, addressed back to its sender. */
export function resultOf(request: Stanza, ...children: readonly Child[]): Stanza {
  const head = { from: request.to, to: request.from, id: request.id, type: "result" as const };
  return Stanza.make("iq", head, childrenToWire(children));
}

/**
 * The error for a stanza, addressed back to its sender, without the original content (RFC 6120 §8.3.1 leaves that open) but what
 * `repeated` has of it. Undefined for errors and results, which are never answered.
 */
export function errorOf(request: Stanza, error: StanzaError, ...repeated: readonly Child[]): Stanza | undefined {
  if (request.type === "error" || request.type === "result") return undefined;
  const head = { from: request.to, to: request.from, id: request.id, type: "error" as const };
  return Stanza.make(request.kind, head, childrenToWire([...repeated, error.toWire()]));
}

function childrenToWire(children: readonly Child[]): Wire {
  let out = "";
  for (const child of children) out += typeof child === "string" ? child : elementToWire(child, NS.client);
  return out as Wire;
}
