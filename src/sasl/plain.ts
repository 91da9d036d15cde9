// PLAIN (RFC 4616), on secure connections only: checked against the stored SCRAM keys, off the main thread.
import { verifyPassword } from "./credentials.js";
import { decodeUtf8 } from "./encoding.js";
import { Exchange } from "./exchange.js";
import { accountName, isOwnIdentity } from "./identity.js";
import { failure, type Mechanism, type SaslContext, type SaslStep } from "./mechanism.js";

const MESSAGE = /^([^\0]*)\0([^\0]+)\0([^\0]+)$/;

export function plain(context: SaslContext): Mechanism {
  return new Exchange("PLAIN", [(message) => answer(message, context)]);
}

async function answer(message: Buffer, context: SaslContext): Promise<SaslStep> {
  if (!context.secure) return failure("encryption-required");
  const [, authzid, username, password] = MESSAGE.exec(decodeUtf8(message) ?? "") ?? [];
  if (authzid === undefined || username === undefined || password === undefined) return failure("malformed-request");
  const account = accountName(username);
  if (!isOwnIdentity(authzid, account, context.domain)) return failure("invalid-authzid");
  const claimed = account ?? username;
  if (!context.attempts.mayTry(claimed)) return failure("temporary-auth-failure");
  const credentials = account === undefined ? undefined : await context.findCredentials(account);
  if (await verifyPassword(claimed, password, credentials, context)) {
    context.attempts.succeeded(claimed);
    return { success: claimed };
  }
  context.attempts.failed(claimed);
  return failure("not-authorized");
}
