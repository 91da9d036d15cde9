// What the TLS connections of the server are opened with: one secure context per certificate, chosen by the name that the client
// asks for (SNI), TLS 1.2 and 1.3 only, without renegotiation. SIGHUP replaces them all or, on any fault, none.
import { constants } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { SecureContext } from "node:tls";
import { domainToASCII } from "node:url";
import { covers } from "./certificate.js";
import type { CertifiedKey } from "./certificate.js";

/** What identifies the server on a connection. */
export interface TlsIdentity {
  readonly context: SecureContext;
  readonly pair: CertifiedKey;
}

/** Forward secrecy and authenticated encryption only; the names of TLS 1.3 stand first. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** The settings of every secure context beside its certificate and key. */
export const TLS_SETTINGS = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: CIPHERS,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
} as const;

export class TlsContexts {
  readonly #load: () => Promise<readonly CertifiedKey[]>;
  #identities: readonly TlsIdentity[] = [];
  /** Connections opened before the last reload ask about these. */
  #former: readonly TlsIdentity[] = [];
  #byName = new Map<string, TlsIdentity>();

  private constructor(load: () => Promise<readonly CertifiedKey[]>) {
    this.#load = load;
  }

  /** Loads the certificates for the first time. @throws what `load` throws, or the fault of a certificate that TLS refuses. */
  static async open(load: () => Promise<readonly CertifiedKey[]>): Promise<TlsContexts> {
    const contexts = new TlsContexts(load);
    await contexts.reload();
    return contexts;
  }

  /** Loads the certificates again, for connections from now on. If that throws, the old ones stay in use. */
  async reload(): Promise<void> {
    const pairs = await this.#load();
    const identities = pairs.map((pair) => ({ pair, context: contextOf(pair) }));
    if (identities.length === 0) throw new Error("no certificate for TLS");
    this.#former = this.#identities;
    this.#identities = identities;
    this.#byName = new Map();
  }

  /** The identity for a name, or that of the first certificate when none is made out for it. */
  for(name?: string): TlsIdentity {
    const asked = domainToASCII(name ?? "").replace(/\.$/, "");
    const known = this.#byName.get(asked);
    if (known !== undefined) return known;
    const found = this.#identities.find(({ pair }) => asked !== "" && covers(pair.leaf, asked)) ?? this.#first();
    if (this.#byName.size < MAX_NAMES) this.#byName.set(asked, found);
    return found;
  }

  /** For the option `SNICallback` of a TLS socket or server. */
  readonly sniCallback = (name: string, answer: (error: Error | null, context?: SecureContext) => void): void => {
    answer(null, this.for(name).context);
  };

  /** What channel bindings need of the certificate (DER) that was sent on a connection, if it is one of ours. */
  certificateOf(leafDer: Buffer): { readonly der: Buffer; readonly hash: string } | undefined {
    const identity = [...this.#identities, ...this.#former].find(({ pair }) => pair.leaf.raw.equals(leafDer));
    return identity && { der: leafDer, hash: identity.pair.endPointHash };
  }

  #first(): TlsIdentity {
    const [first] = this.#identities;
    if (first === undefined) throw new Error("no certificate for TLS");
    return first;
  }
}

/** Names that clients made up fill no memory. */
const MAX_NAMES = 1000;

function contextOf({ certificate, key }: CertifiedKey): SecureContext {
  return createSecureContext({ ...TLS_SETTINGS, cert: certificate, key });
}
