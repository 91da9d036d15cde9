// What is stored instead of a password (RFC 5802 §3: salt, StoredKey, ServerKey), how it is made, and what an unknown
// user is given in its place, so that nobody can tell the two apart (attack A7).
import { opaqueString, PrecisError } from "../stanza/precis.js";
import { equalBytes, HASH_BYTES, nodeCrypto, SCRAM_HASHES, type SaslCrypto, type ScramHash } from "./crypto.js";

/** Base64 text, so that it can lie in a document as it is. */
export interface ScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

export interface Credentials {
  readonly scram?: Partial<Readonly<Record<ScramHash, ScramKeys>>>;
}

/** ScramKeys as bytes; `known` is false for those invented for an unknown user. */
export interface Keys {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
  readonly known: boolean;
}

// RFC 5802 §5.1 wants at least 4096; above the maximum a login would keep a thread busy for seconds.
export const MIN_ITERATIONS = 4096;
export const MAX_ITERATIONS = 1_000_000;
const SALT_BYTES = 16;

/** The one hash that PLAIN is checked with: the same for every account, so that all do the same work. */
const PLAIN_HASH: ScramHash = "sha-256";

/**
 * Keys for every SCRAM hash from a password, which is not kept. Throws PrecisError when the password is not allowed
 * (RFC 8265 §4.2: empty, control characters) and RangeError for an iteration count outside the bounds.
 */
export async function deriveCredentials(
  password: string,
  iterations: number,
  randomBytes: (size: number) => Buffer,
  crypto: SaslCrypto = nodeCrypto,
): Promise<Credentials> {
  if (!isIterationCount(iterations)) throw new RangeError(`iterations: ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`);
  const secret = Buffer.from(opaqueString(password));
  const derive = async (hash: ScramHash): Promise<readonly [ScramHash, ScramKeys]> => {
    const salt = randomBytes(SALT_BYTES);
    const salted = await crypto.derive(hash, secret, salt, iterations);
    const storedKey = crypto.hash(hash, crypto.hmac(hash, salted, "Client Key"));
    const serverKey = crypto.hmac(hash, salted, "Server Key");
    return [hash, { salt: base64(salt), iterations, storedKey: base64(storedKey), serverKey: base64(serverKey) }];
  };
  return { scram: Object.fromEntries(await Promise.all(SCRAM_HASHES.map(derive))) };
}

/** What unknown users' keys are invented from. */
export interface Disguise {
  readonly fakeSecret: Buffer;
  /** Those that stored keys may have: the configured iteration count, and what it was before. */
  readonly iterationCounts: readonly number[];
}

/** What keysFor needs. */
export interface KeySource extends Disguise {
  readonly crypto: SaslCrypto;
}

/**
 * The stored keys of an account or, for one unknown or without this hash, invented ones: the same at every attempt,
 * different for each name and hash. They are invented for known accounts too, which makes the work equal.
 */
export function keysFor(
  username: string,
  hash: ScramHash,
  credentials: Credentials | undefined,
  source: KeySource,
): Keys {
  const invented = inventKeys(username, hash, source);
  const stored = credentials?.scram?.[hash];
  return (stored && readKeys(stored, hash)) ?? invented;
}

function inventKeys(username: string, hash: ScramHash, source: KeySource): Keys {
  const part = (name: string): Buffer =>
    source.crypto.hmac("sha-512", source.fakeSecret, `${name} ${hash} ${username}`);
  const length = HASH_BYTES[hash];
  return {
    salt: part("salt").subarray(0, SALT_BYTES),
    iterations: inventCount(username, source),
    storedKey: part("stored").subarray(0, length),
    serverKey: part("server").subarray(0, length),
    known: false,
  };
}

/**
 * Accounts keep the count of the day their password was set, for all hashes, so a name is given one of those there have been. The one with the highest
 * digest: when a count is added, a name keeps its own or moves to the new one, as an account does whose password is changed.
 */
function inventCount(username: string, { crypto, fakeSecret, iterationCounts: counts }: KeySource): number {
  const digests = counts.map((count) =>
    crypto.hmac("sha-512", fakeSecret, `count ${count} ${username}`).toString("hex"),
  );
  const highest = digests.reduce((best, digest) => (digest > best ? digest : best), "");
  return counts[digests.indexOf(highest)] ?? MIN_ITERATIONS;
}

/** Undefined for keys that no login may rely on, such as imported ones with one iteration. */
function readKeys(keys: ScramKeys, hash: ScramHash): Keys | undefined {
  const storedKey = Buffer.from(keys.storedKey, "base64");
  const serverKey = Buffer.from(keys.serverKey, "base64");
  const salt = Buffer.from(keys.salt, "base64");
  const whole = storedKey.length === HASH_BYTES[hash] && serverKey.length === HASH_BYTES[hash] && salt.length > 0;
  if (!whole || !isIterationCount(keys.iterations)) return undefined;
  return { salt, iterations: keys.iterations, storedKey, serverKey, known: true };
}

/** Whether the password is the account's; the same derivation is done for unknown users and impossible passwords. */
export async function verifyPassword(
  username: string,
  password: string,
  credentials: Credentials | undefined,
  source: KeySource,
): Promise<boolean> {
  const keys = keysFor(username, PLAIN_HASH, credentials, source);
  const allowed = allowedPassword(password);
  const secret = Buffer.from(allowed ?? password);
  const salted = await source.crypto.derive(PLAIN_HASH, secret, keys.salt, keys.iterations);
  const clientKey = source.crypto.hmac(PLAIN_HASH, salted, "Client Key");
  const matches = equalBytes(source.crypto.hash(PLAIN_HASH, clientKey), keys.storedKey);
  return matches && keys.known && allowed !== undefined;
}

function allowedPassword(password: string): string | undefined {
  try {
    return opaqueString(password);
  } catch (error) {
    if (error instanceof PrecisError) return undefined;
    throw error;
  }
}

function isIterationCount(count: number): boolean {
  return Number.isInteger(count) && count >= MIN_ITERATIONS && count <= MAX_ITERATIONS;
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64");
}
