// Which mechanisms a connection is offered, strongest first, and the making of the one the client chose.
import { anonymous } from "./anonymous.js";
import type { ChannelBindingType } from "./channel-binding.js";
import type { ScramHash } from "./crypto.js";
import type { Mechanism, SaslContext } from "./mechanism.js";
import { plain } from "./plain.js";
import { scram } from "./scram.js";

const SCRAM: readonly (readonly [string, ScramHash])[] = [
  ["SCRAM-SHA-512", "sha-512"],
  ["SCRAM-SHA-256", "sha-256"],
  ["SCRAM-SHA-1", "sha-1"],
];

export interface OfferConditions {
  readonly secure: boolean;
  /** With it a connection that is not secure is offered nothing at all (attack A2). */
  readonly requireTls: boolean;
  readonly channelBindings: ReadonlyMap<ChannelBindingType, Buffer>;
  readonly anonymous: boolean;
}

/** Names for the mechanisms element, in order of strength. */
export function offeredMechanisms(conditions: OfferConditions): readonly string[] {
  if (!conditions.secure && conditions.requireTls) return [];
  const names = SCRAM.map(([name]) => name);
  const plus = conditions.channelBindings.size > 0 ? names.map((name) => `${name}-PLUS`) : [];
  return [...plus, ...names, ...(conditions.secure ? ["PLAIN"] : []), ...(conditions.anonymous ? ["ANONYMOUS"] : [])];
}

/** Undefined for a mechanism that this connection was not offered: the answer is `invalid-mechanism`. */
export function createMechanism(name: string, context: SaslContext): Mechanism | undefined {
  if (!context.offered.includes(name)) return undefined;
  if (name === "PLAIN") return plain(context);
  if (name === "ANONYMOUS") return anonymous(context);
  const hash = SCRAM.find(([known]) => known === name.replace(/-PLUS$/, ""))?.[1];
  return hash && scram(name, hash, context);
}
