// SCRAM-SHA-1, -256, -512 and their -PLUS forms (RFC 5802, RFC 7677): the server's side of one exchange.
import { type ChannelBindingType, isChannelBindingType } from "./channel-binding.js";
import { type Keys, keysFor } from "./credentials.js";
import { equalBytes, HASH_BYTES, type ScramHash } from "./crypto.js";
import { decodeBase64, decodeUtf8 } from "./encoding.js";
import { Exchange } from "./exchange.js";
import { accountName, isOwnIdentity } from "./identity.js";
import { failure, type Mechanism, type SaslContext, type SaslStep } from "./mechanism.js";
import { checkProof } from "./proof.js";
import {
  type ClientFinal,
  type ClientFirst,
  type Gs2Header,
  readClientFinal,
  readClientFirst,
} from "./scram-messages.js";

const NONCE_BYTES = 18; // 144 bits, and base64 without padding

/** What the server remembers between its challenge and the client's proof. */
interface Challenge {
  readonly account: string;
  readonly keys: Keys;
  readonly nonce: string;
  readonly binding: Buffer;
  /** client-first-message-bare and server-first-message, joined by a comma. */
  readonly messages: string;
}

/** `name` is the mechanism as the client named it; those ending in -PLUS need channel binding. */
export function scram(name: string, hash: ScramHash, context: SaslContext): Mechanism {
  let challenge: Challenge | undefined;
  const first = async (message: Buffer): Promise<SaslStep> => {
    const client = readClientFirst(decodeUtf8(message) ?? "");
    if (client === undefined) return failure("malformed-request");
    const refusal = refuseHeader(client.gs2, name.endsWith("-PLUS"), context);
    if (refusal !== undefined) return refusal;
    const account = accountName(client.username);
    if (!isOwnIdentity(client.gs2.authzid, account, context.domain)) return failure("invalid-authzid");
    const claimed = account ?? client.username;
    if (!context.attempts.mayTry(claimed)) return failure("temporary-auth-failure");
    const credentials = account === undefined ? undefined : await context.findCredentials(account);
    const keys = keysFor(claimed, hash, credentials, context);
    const nonce = client.nonce + context.randomBytes(NONCE_BYTES).toString("base64");
    const serverFirst = `r=${nonce},s=${keys.salt.toString("base64")},i=${keys.iterations}`;
    challenge = {
      account: claimed,
      keys,
      nonce,
      binding: bindingOf(client, context),
      messages: `${client.bare},${serverFirst}`,
    };
    return { challenge: Buffer.from(serverFirst) };
  };
  const final = (message: Buffer): Promise<SaslStep> => Promise.resolve(prove(message, hash, context, challenge));
  return new Exchange(name, [first, final]);
}

/** RFC 5802 §6: the flag must fit the mechanism, and a client that saw no -PLUS where we offered one was deceived. */
function refuseHeader(gs2: Gs2Header, plus: boolean, context: SaslContext): SaslStep | undefined {
  switch (gs2.flag) {
    case "n":
      return plus ? failure("malformed-request") : undefined;
    case "y":
      if (plus) return failure("malformed-request");
      return context.offered.some((name) => name.endsWith("-PLUS")) ? failure("not-authorized") : undefined;
    case "p":
      if (!plus) return failure("malformed-request");
      return bindingData(gs2.binding, context) === undefined ? failure("malformed-request") : undefined;
    default:
      return gs2.flag satisfies never;
  }
}

/** The bytes that the attribute `c` of the last message must hold: the header, then the channel binding data. */
function bindingOf(client: ClientFirst, context: SaslContext): Buffer {
  const data = client.gs2.flag === "p" ? bindingData(client.gs2.binding, context) : undefined;
  return Buffer.concat([Buffer.from(client.gs2.text), data ?? Buffer.alloc(0)]);
}

function bindingData(type: string, context: SaslContext): Buffer | undefined {
  return isChannelBindingType(type) ? context.channelBindings.get(type satisfies ChannelBindingType) : undefined;
}

function prove(message: Buffer, hash: ScramHash, context: SaslContext, challenge: Challenge | undefined): SaslStep {
  const client = readClientFinal(decodeUtf8(message) ?? "");
  if (client === undefined || challenge === undefined) return failure("malformed-request");
  const proof = decodeBase64(client.proof);
  const binding = decodeBase64(client.binding);
  if (proof === undefined || binding === undefined) return failure("incorrect-encoding");
  if (proof.length !== HASH_BYTES[hash]) return failure("malformed-request");
  if (!context.attempts.mayTry(challenge.account)) return failure("temporary-auth-failure");
  return decide(client, proof, binding, challenge, hash, context);
}

/** Everything is computed and compared before anything is decided, so that each failure costs the same. */
function decide(
  client: ClientFinal,
  proof: Buffer,
  binding: Buffer,
  challenge: Challenge,
  hash: ScramHash,
  { crypto, attempts }: SaslContext,
): SaslStep {
  const { account, keys } = challenge;
  const authMessage = `${challenge.messages},${client.withoutProof}`;
  const { matches, signature } = checkProof(crypto, hash, keys, authMessage, proof);
  const sameNonce = equalBytes(Buffer.from(client.nonce), Buffer.from(challenge.nonce));
  const sameBinding = equalBytes(binding, challenge.binding);
  if (!(keys.known && matches && sameNonce && sameBinding)) {
    attempts.failed(account);
    return failure("not-authorized");
  }
  attempts.succeeded(account);
  return { success: account, extra: Buffer.from(`v=${signature.toString("base64")}`) };
}
