// What a SASL mechanism is to the rest of the server: a state machine of messages, without sockets or stores of its own.
import type { ChannelBindingType } from "./channel-binding.js";
import type { Credentials } from "./credentials.js";
import type { SaslCrypto } from "./crypto.js";
import type { Attempts } from "./failures.js";

/** RFC 6120 §6.5. */
export type SaslCondition =
  | "aborted"
  | "account-disabled"
  | "credentials-expired"
  | "encryption-required"
  | "incorrect-encoding"
  | "invalid-authzid"
  | "invalid-mechanism"
  | "malformed-request"
  | "mechanism-too-weak"
  | "not-authorized"
  | "temporary-auth-failure";

/** `success` is the normalised localpart; `extra` goes into the success element. */
export type SaslStep =
  | { readonly challenge: Buffer }
  | { readonly success: string; readonly extra?: Buffer }
  | { readonly failure: SaslCondition; readonly text?: string };

/** One attempt to log in. After success or failure it is used up and answers `malformed-request`. */
export interface Mechanism {
  readonly name: string;
  /** `initial` is undefined when the client sent no initial response, empty when it sent "=". */
  start(initial?: Buffer): Promise<SaslStep>;
  /** The client's answer to the last challenge. Rejects only when findCredentials does. */
  next(response: Buffer): Promise<SaslStep>;
}

/** What a mechanism may know of its connection and of the server. */
export interface SaslContext {
  /** The host the stream is for; an authzid is compared with `username@domain`. */
  readonly domain: string;
  /** TLS, or what the configuration counts as that. */
  readonly secure: boolean;
  /** The mechanism names sent in this connection's features. */
  readonly offered: readonly string[];
  readonly channelBindings: ReadonlyMap<ChannelBindingType, Buffer>;
  /** Made once per installation and kept: the salts of unknown users are derived from it and must not change. */
  readonly fakeSecret: Buffer;
  /** The configured iteration count and earlier ones: unknown users are given one of them. */
  readonly iterationCounts: readonly number[];
  readonly attempts: Attempts;
  readonly crypto: SaslCrypto;
  /** Cryptographically strong. */
  randomBytes(size: number): Buffer;
  /** `username` is a normalised localpart. */
  findCredentials(username: string): Promise<Credentials | undefined>;
}

export function failure(condition: SaslCondition, text?: string): SaslStep {
  return text === undefined ? { failure: condition } : { failure: condition, text };
}
