// For tests: a SCRAM client of its own (nothing shared with the server's code) and contexts to run mechanisms in.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { ChannelBindingType } from "./channel-binding.js";
import type { Credentials } from "./credentials.js";
import { nodeCrypto, type SaslCrypto } from "./crypto.js";
import type { Mechanism, SaslContext, SaslStep } from "./mechanism.js";

export const ITERATIONS = 4096;

export interface Work {
  derive: number;
  hmac: number;
  hash: number;
}

/** Node's functions, counted. */
export function counting(work: Work): SaslCrypto {
  return {
    derive: (...all) => {
      work.derive++;
      return nodeCrypto.derive(...all);
    },
    hmac: (...all) => {
      work.hmac++;
      return nodeCrypto.hmac(...all);
    },
    hash: (...all) => {
      work.hash++;
      return nodeCrypto.hash(...all);
    },
  };
}

export function contextWith(
  accounts: Readonly<Record<string, Credentials>>,
  changes: Partial<SaslContext> = {},
): SaslContext {
  return {
    domain: "localhost",
    secure: true,
    offered: ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"],
    channelBindings: new Map<ChannelBindingType, Buffer>(),
    fakeSecret: Buffer.from("a secret of the installation"),
    iterationCounts: [ITERATIONS],
    attempts: { mayTry: () => true, failed: () => undefined, succeeded: () => undefined },
    crypto: nodeCrypto,
    randomBytes,
    findCredentials: (username) => Promise.resolve(accounts[username]),
    ...changes,
  };
}

/** Random bytes that read as `text` in base64, for vectors whose nonces are not base64. */
export function bytesReading(text: string): Buffer {
  const bytes = Buffer.alloc(1);
  bytes.toString = () => text;
  return bytes;
}

export interface ClientOptions {
  readonly digest: "sha1" | "sha256" | "sha512";
  readonly username: string;
  readonly password: string;
  /** Default "n,,". */
  readonly gs2?: string;
  readonly binding?: Buffer;
  readonly nonce?: string;
  /** Changes the last message before it is sent; the proof is that of the unchanged one. */
  readonly tamper?: (final: string) => string;
}

export interface Outcome {
  readonly step: SaslStep;
  /** What the server sent first, if it came to that. */
  readonly challenge: string | undefined;
  /** Whether the server proved to know the account. */
  readonly serverProven: boolean;
}

const unchanged = (final: string): string => final;

/** Logs in by RFC 5802 §3 and tells how it went. */
export async function logIn(mechanism: Mechanism | undefined, options: ClientOptions): Promise<Outcome> {
  if (mechanism === undefined) throw new Error("no such mechanism");
  const { digest, username, password, gs2 = "n,,", binding = Buffer.alloc(0), tamper = unchanged } = options;
  const bare = `n=${username},r=${options.nonce ?? randomBytes(12).toString("hex")}`;
  const first = await mechanism.start(Buffer.from(gs2 + bare));
  if (!("challenge" in first)) return { step: first, challenge: undefined, serverProven: false };
  const challenge = first.challenge.toString();
  const [, nonce = "", salt = "", count = ""] = /^r=(.*),s=(.*),i=(\d+)$/.exec(challenge) ?? [];
  const length = createHash(digest).digest().length;
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(count), length, digest);
  const clientKey = createHmac(digest, salted).update("Client Key").digest();
  const withoutProof = `c=${Buffer.concat([Buffer.from(gs2), binding]).toString("base64")},r=${nonce}`;
  const message = `${bare},${challenge},${withoutProof}`;
  const storedKey = createHash(digest).update(clientKey).digest();
  const signature = createHmac(digest, storedKey).update(message).digest();
  const proof = Buffer.from(Array.from(clientKey, (byte, index) => byte ^ signature.readUInt8(index)));
  const step = await mechanism.next(Buffer.from(tamper(`${withoutProof},p=${proof.toString("base64")}`)));
  const serverKey = createHmac(digest, salted).update("Server Key").digest();
  const expected = `v=${createHmac(digest, serverKey).update(message).digest("base64")}`;
  return { step, challenge, serverProven: "success" in step && step.extra?.toString() === expected };
}
