// The cryptographic functions SASL needs, as a port so that tests can count the work done; and Node's own behind it.
import { createHash, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** The hash functions of the SCRAM family, as the mechanisms name them. */
export const SCRAM_HASHES = ["sha-1", "sha-256", "sha-512"] as const;
export type ScramHash = (typeof SCRAM_HASHES)[number];

export interface SaslCrypto {
  /** Hi() of RFC 5802 §2.2; must not block the event loop. */
  derive(hash: ScramHash, password: Buffer, salt: Buffer, iterations: number): Promise<Buffer>;
  hmac(hash: ScramHash, key: Buffer, message: Buffer | string): Buffer;
  hash(hash: ScramHash, message: Buffer): Buffer;
}

/** Length of a hash in bytes. */
export const HASH_BYTES: Readonly<Record<ScramHash, number>> = { "sha-1": 20, "sha-256": 32, "sha-512": 64 };

const DIGESTS: Readonly<Record<ScramHash, string>> = { "sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512" };
const pbkdf2Async = promisify(pbkdf2);

export const nodeCrypto: SaslCrypto = {
  derive: (hash, password, salt, iterations) =>
    pbkdf2Async(password, salt, iterations, HASH_BYTES[hash], DIGESTS[hash]),
  hmac: (hash, key, message) => createHmac(DIGESTS[hash], key).update(message).digest(),
  hash: (hash, message) => createHash(DIGESTS[hash]).update(message).digest(),
};

/** In a time that depends on the lengths only. */
export function equalBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Bytes of equal length combined by exclusive or. */
export function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}
