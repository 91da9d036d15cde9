// Certificates and their keys: read from the files that [tls] names, or made at first start and kept in data_dir. Nothing that
// is there is ever replaced because it cannot be read: each fault is one line that says what is wrong and what to do.
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock } from "../../core/clock.js";
import { type ForOperator, reasonOf, whyUnreadable } from "../../core/reason.js";
import { loadX509 } from "./x509.js";

/** A certificate chain with the key of its first certificate, as PEM, checked to belong together. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
  /** The file of the certificate, for messages. */
  readonly file: string;
  readonly leaf: X509Certificate;
  /** The hash that `tls-server-end-point` uses for this certificate (RFC 5929 §4.1), such as "sha256". */
  readonly endPointHash: string;
}

/** What a certificate is to be used for, and when. */
export interface CertificateUse {
  /** The domains that clients will ask for. */
  readonly domains: readonly string[];
  readonly clock: Clock;
}

/** Certificates that cannot be used; the message has one line for each fault. */
export class CertificateFault extends Error implements ForOperator {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "CertificateFault";
    this.problems = problems;
  }

  get forOperator(): readonly string[] {
    return this.problems;
  }
}

export interface ReadCertificates {
  readonly pairs: readonly CertifiedKey[];
  /** What will be trouble with clients: dates, names. One line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the files that [tls] names, in pairs.
 * @throws CertificateFault naming each file that cannot be used.
 */
export async function readCertificates(
  files: { readonly certificate: readonly string[]; readonly key: readonly string[] },
  use: CertificateUse,
): Promise<ReadCertificates> {
  const results = await Promise.all(
    files.certificate.map((file, at) => attempt(() => readPair(file, files.key[at] ?? ""))),
  );
  const problems = results.flatMap((one) => (typeof one === "string" ? [one] : []));
  if (problems.length > 0) throw new CertificateFault(problems);
  const pairs = results.flatMap((one) => (typeof one === "string" ? [] : [one]));
  return {
    pairs,
    warnings: [...pairs.flatMap((pair) => dateWarnings(pair, use.clock)), ...nameWarnings(pairs, use.domains)],
  };
}

async function attempt(read: () => Promise<CertifiedKey>): Promise<CertifiedKey | string> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CertificateFault) return error.message;
    throw error;
  }
}

/**
 * Reads one certificate chain and its key and checks that they belong together.
 * @throws CertificateFault with one line.
 */
export async function readPair(certificateFile: string, keyFile: string): Promise<CertifiedKey> {
  const certificate = readPem(certificateFile, "certificate");
  const key = readPem(keyFile, "private key");
  const leaf = parseLeaf(certificate, certificateFile);
  if (!leaf.checkPrivateKey(parseKey(key, keyFile)))
    throw fault(
      `${keyFile}: this is not the key of the certificate in ${certificateFile}: give the two that were made together`,
    );
  return { certificate, key, file: certificateFile, leaf, endPointHash: await endPointHash(leaf, certificateFile) };
}

function fault(problem: string): CertificateFault {
  return new CertificateFault([problem]);
}

function readPem(file: string, what: "certificate" | "private key"): string {
  const text = readText(file, what);
  const label = what === "certificate" ? "CERTIFICATE" : "PRIVATE KEY";
  if (text.includes(`${label}-----`)) return text;
  throw fault(`${file}: there is no ${what} in this file: it must be PEM, with a line "-----BEGIN ${label}-----"`);
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw fault(`${file}: the ${what} cannot be read: ${whyUnreadable(error)}`);
  }
}

function parseLeaf(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw fault(`${file}: the first certificate of this file is damaged: ${reasonOf(error)}`);
  }
}

function parseKey(pem: string, file: string): KeyObject {
  if (/ENCRYPTED/.test(pem))
    throw fault(
      `${file}: the private key is protected by a password: store it without one, readable by the server only`,
    );
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw fault(`${file}: the private key is damaged: ${reasonOf(error)}`);
  }
}

/** RFC 5929 §4.1: the hash of the certificate's signature, but SHA-256 in place of MD5 and SHA-1. */
async function endPointHash(leaf: X509Certificate, file: string): Promise<string> {
  const { X509Certificate: Parsed } = await loadX509();
  const algorithm: { readonly hash?: { readonly name?: string } } = new Parsed(leaf.raw).signatureAlgorithm;
  const name = algorithm.hash?.name?.toLowerCase().replace("-", "");
  if (name === undefined)
    throw fault(
      `${file}: the signature of this certificate (Ed25519?) has no hash for tls-server-end-point: use ECDSA or RSA`,
    );
  return name === "md5" || name === "sha1" ? "sha256" : name;
}

const DAY_MS = 86_400_000;

function dateWarnings({ leaf, file }: CertifiedKey, clock: Clock): string[] {
  const daysLeft = Math.floor((Date.parse(leaf.validTo) - clock.now()) / DAY_MS);
  if (Date.parse(leaf.validFrom) > clock.now())
    return [`${file}: the certificate is valid only from ${leaf.validFrom}: clients will refuse it until then`];
  if (daysLeft < 0)
    return [`${file}: the certificate expired on ${leaf.validTo}: clients will refuse it; renew it and send SIGHUP`];
  return daysLeft < 14 ? [`${file}: the certificate expires in ${daysLeft} days: renew it and send SIGHUP`] : [];
}

function nameWarnings(pairs: readonly CertifiedKey[], domains: readonly string[]): string[] {
  return domains
    .filter((domain) => !pairs.some(({ leaf }) => covers(leaf, domain)))
    .map(
      (domain) =>
        `tls.certificate: no certificate is made out for ${domain}: clients of that domain will refuse to connect`,
    );
}

/** Whether the certificate is made out for a domain, by its subjectAltNames only (RFC 9525). */
export function covers(leaf: X509Certificate, domain: string): boolean {
  return leaf.checkHost(domain, { subject: "never" }) !== undefined;
}
