// The grammar of SCRAM's client messages (RFC 5802 §7): pure readers, undefined for whatever does not fit.

/** `binding` is the channel binding type for the flag "p", else "". `text` is the header as sent, with its last comma. */
export interface Gs2Header {
  readonly flag: "n" | "y" | "p";
  readonly binding: string;
  readonly authzid: string;
  readonly text: string;
}

export interface ClientFirst {
  readonly gs2: Gs2Header;
  readonly username: string;
  readonly nonce: string;
  /** client-first-message-bare, as sent. */
  readonly bare: string;
}

export interface ClientFinal {
  /** Still base64. */
  readonly binding: string;
  readonly nonce: string;
  /** Still base64. */
  readonly proof: string;
  /** client-final-message-without-proof, as sent. */
  readonly withoutProof: string;
}

interface Attribute {
  readonly name: string;
  readonly value: string;
}

// COMPAT(gsasl 2.2): `a=` without a name, which the grammar does not allow, is taken as no authzid.
const GS2_HEADER = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,\0]*))?,/;
const ATTRIBUTE = /^([A-Za-z])=([^\0]+)$/;
const NONCE = /^[!-+\--~]{1,512}$/; // printable without comma; the length is generous, clients send 16 to 64

/** A mandatory extension (`m=`) is refused, as RFC 5802 §5.1 asks of who does not know it; others are skipped. */
export function readClientFirst(message: string): ClientFirst | undefined {
  const gs2 = readGs2Header(message);
  if (gs2 === undefined) return undefined;
  const bare = message.slice(gs2.text.length);
  const [user, nonce] = readAttributes(bare) ?? [];
  if (user?.name !== "n" || nonce?.name !== "r" || !NONCE.test(nonce.value)) return undefined;
  const username = readSaslName(user.value);
  return username === undefined ? undefined : { gs2, username, nonce: nonce.value, bare };
}

function readGs2Header(message: string): Gs2Header | undefined {
  const [text, plain, binding, name] = GS2_HEADER.exec(message) ?? [];
  if (text === undefined) return undefined;
  const authzid = name === undefined ? "" : readSaslName(name);
  if (authzid === undefined) return undefined;
  return { flag: plain === "n" || plain === "y" ? plain : "p", binding: binding ?? "", authzid, text };
}

export function readClientFinal(message: string): ClientFinal | undefined {
  const attributes = readAttributes(message);
  const [binding, nonce] = attributes ?? [];
  const proof = attributes?.at(-1);
  if (binding?.name !== "c" || nonce?.name !== "r" || proof?.name !== "p") return undefined;
  const withoutProof = message.slice(0, message.length - ",p=".length - proof.value.length);
  return { binding: binding.value, nonce: nonce.value, proof: proof.value, withoutProof };
}

function readAttributes(text: string): readonly Attribute[] | undefined {
  const attributes: Attribute[] = [];
  for (const part of text.split(",")) {
    const [, name, value] = ATTRIBUTE.exec(part) ?? [];
    if (name === undefined || value === undefined || name === "m") return undefined;
    attributes.push({ name, value });
  }
  return attributes;
}

/** `=2C` is a comma and `=3D` an equals sign; no other use of `=` is allowed. */
function readSaslName(text: string): string | undefined {
  if (/=(?!2C|3D)/i.test(text)) return undefined;
  return text.replace(/=2C/gi, ",").replace(/=3D/gi, "=");
}
