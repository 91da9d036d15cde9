// ANONYMOUS (RFC 4505) as XEP-0175 advises: a random UUID as temporary user name, trace data read by nobody.
import { failure, type Mechanism, type SaslContext, type SaslStep } from "./mechanism.js";

const MAX_TRACE_BYTES = 1020; // RFC 4505 §2: 255 characters of at most four bytes

export function anonymous(context: Pick<SaslContext, "randomBytes">): Mechanism {
  let used = false;
  const answer = (trace?: Buffer): Promise<SaslStep> => {
    const refused = used || (trace?.length ?? 0) > MAX_TRACE_BYTES;
    used = true;
    return Promise.resolve(refused ? failure("malformed-request") : { success: uuid(context.randomBytes(16)) });
  };
  return { name: "ANONYMOUS", start: answer, next: answer };
}

/** RFC 9562 §5.4, version 4. */
function uuid(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  const variant = ((bytes.readUInt8(8) & 0x3f) | 0x80).toString(16);
  const tail = variant + hex.slice(18, 20);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, tail, hex.slice(20)].join("-");
}
