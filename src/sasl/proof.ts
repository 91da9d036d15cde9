// The two signatures at the heart of SCRAM (RFC 5802 §3), as one pure step.
import type { Keys } from "./credentials.js";
import { equalBytes, type SaslCrypto, type ScramHash, xor } from "./crypto.js";

/** Whether ClientProof shows the ClientKey behind StoredKey, and the ServerSignature; both are always computed. */
export function checkProof(
  crypto: SaslCrypto,
  hash: ScramHash,
  keys: Pick<Keys, "storedKey" | "serverKey">,
  authMessage: string,
  proof: Buffer,
): { readonly matches: boolean; readonly signature: Buffer } {
  const clientKey = xor(proof, crypto.hmac(hash, keys.storedKey, authMessage));
  const matches = equalBytes(crypto.hash(hash, clientKey), keys.storedKey);
  return { matches, signature: crypto.hmac(hash, keys.serverKey, authMessage) };
}
