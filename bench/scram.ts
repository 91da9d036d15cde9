// SCRAM-SHA-1 as a client (RFC 5802), just enough to log load connections in on plain TCP; it shares no code with the server.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

export interface ScramClient {
  readonly first: string;
  /** The client's final message for the server's first. */
  final(serverFirst: string): string;
}

export function scramSha1(user: string, password: string): ScramClient {
  const bare = `n=${user.replace(/=/g, "=3D").replace(/,/g, "=2C")},r=${randomBytes(18).toString("base64url")}`;
  return { first: `n,,${bare}`, final: (serverFirst) => finalMessage(bare, serverFirst, password) };
}

function finalMessage(bare: string, serverFirst: string, password: string): string {
  const field = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(serverFirst)?.[1] ?? "";
  const salted = pbkdf2Sync(password, Buffer.from(field("s"), "base64"), Number(field("i")), 20, "sha1");
  const clientKey = hmac(salted, "Client Key");
  const storedKey = createHash("sha1").update(clientKey).digest();
  const withoutProof = `c=biws,r=${field("r")}`;
  const signature = hmac(storedKey, `${bare},${serverFirst},${withoutProof}`);
  const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha1", key).update(text).digest();
}
