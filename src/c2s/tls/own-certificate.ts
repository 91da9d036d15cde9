// The certificate that the server makes for itself at first start: self-signed, P-256, for its domains. It lets clients that
// are given the file verify the server, and everybody else encrypt; for the public a certificate of an authority belongs in [tls].
import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import type { Clock } from "../../core/clock.js";
import type { Random } from "../../core/random.js";
import { reasonOf } from "../../core/reason.js";
import { CertificateFault, covers, readPair } from "./certificate.js";
import type { CertifiedKey } from "./certificate.js";
import { loadX509 } from "./x509.js";

/** Under the 825 days that Apple's systems allow. */
const VALID_MS = 730 * 86_400_000;
const RENEW_MS = 30 * 86_400_000;
/** Clocks differ: the certificate is valid a day before it was made. */
const BACKDATE_MS = 86_400_000;

export interface OwnCertificateOptions {
  /** data_dir; made if it is missing. */
  readonly directory: string;
  /** The names it is made out for; the first is also its subject. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

export interface OwnCertificate {
  readonly pair: CertifiedKey;
  /** Whether it was made just now, and why. */
  readonly made?: "first start" | "about to expire" | "other names";
}

/** The files of the certificate and the key in a data folder. */
export function ownFiles(directory: string): { readonly certificate: string; readonly key: string } {
  return { certificate: join(directory, "certificate.pem"), key: join(directory, "key.pem") };
}

/**
 * The server's own certificate: the one in the folder, or a new one when there is none, it has less than 30 days left, or it is
 * not made out for one of the names. A new one keeps the key.
 * @throws CertificateFault if what is there cannot be used; it is not touched then.
 */
export async function ownCertificate(options: OwnCertificateOptions): Promise<OwnCertificate> {
  const files = ownFiles(options.directory);
  const present = existsSync(files.certificate);
  if (present && !existsSync(files.key))
    throw new CertificateFault([
      `${files.key}: the key of ${files.certificate} is missing: put it back, or remove the certificate to have both made anew`,
    ]);
  const old = present ? await readPair(files.certificate, files.key) : undefined;
  const reason = old === undefined ? "first start" : reasonToRenew(old, options);
  if (old !== undefined && reason === undefined) return { pair: old };
  await make(options);
  return { pair: await readPair(files.certificate, files.key), ...(reason && { made: reason }) };
}

function reasonToRenew({ leaf }: CertifiedKey, { names, clock }: OwnCertificateOptions): OwnCertificate["made"] {
  if (Date.parse(leaf.validTo) - clock.now() < RENEW_MS) return "about to expire";
  return names.every((name) => covers(leaf, asciiName(name))) ? undefined : "other names";
}

async function make(options: OwnCertificateOptions): Promise<void> {
  const files = ownFiles(options.directory);
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const key = existsSync(files.key) ? oldKey(files.key) : newKey(files.key);
    const pem = await selfSigned(key, options);
    writeFileSync(`${files.certificate}.new`, pem, { mode: 0o644 });
    renameSync(`${files.certificate}.new`, files.certificate);
  } catch (error) {
    if (error instanceof CertificateFault) throw error;
    throw new CertificateFault([`${files.certificate}: the server's certificate cannot be made: ${reasonOf(error)}`]);
  }
}

function newKey(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  return privateKey;
}

function oldKey(file: string): KeyObject {
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  throw new CertificateFault([
    `${file}: this key was not made by the server: name it and its certificate in [tls], or move it away`,
  ]);
}

async function selfSigned(key: KeyObject, { names, clock, random }: OwnCertificateOptions): Promise<string> {
  const x509 = await loadX509();
  const keys = await cryptoKeys(key);
  const ascii = names.map(asciiName);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(random),
      // A subject longer than 64 characters is not allowed (RFC 5280 §A.1); nobody looks for the name there.
      name: `CN=${(ascii[0] ?? "").slice(0, 64)}`,
      notBefore: new Date(clock.now() - BACKDATE_MS),
      notAfter: new Date(clock.now() + VALID_MS),
      keys,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension(ascii.map((value) => ({ type: "dns", value }))),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return certificate.toString("pem") + "\n";
}

async function cryptoKeys(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const [pkcs8, spki] = [
    key.export({ type: "pkcs8", format: "der" }),
    createPublicKey(key).export({ type: "spki", format: "der" }),
  ];
  return {
    privateKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, curve, false, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("spki", spki, curve, true, ["verify"]),
  };
}

/** 127 random bits, positive and without a leading zero byte (RFC 5280 §4.1.2.2). */
function serialNumber(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** The form in which a domain stands in a certificate: an internationalised one by its A-labels. */
function asciiName(name: string): string {
  return domainToASCII(name) || name;
}
