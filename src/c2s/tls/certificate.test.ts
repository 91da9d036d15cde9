import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createHash, generateKeyPairSync } from "node:crypto";
import type { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "../../core/fake-clock.js";
import { systemRandom } from "../../core/random.js";
import { CertificateFault, readCertificates } from "./certificate.js";
import type { CertifiedKey } from "./certificate.js";
import { TLS_SETTINGS, TlsContexts } from "./contexts.js";
import { ownCertificate, ownFiles } from "./own-certificate.js";

const DAY_MS = 86_400_000;
let folder = "";
// The system's checks of a certificate use the system's time, so the fake clock starts there.
const clock = () => new FakeClock(Math.floor(performance.timeOrigin));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rookery-tls-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const make = (names: readonly string[], directory = folder, time = clock()) =>
  ownCertificate({ directory, names, clock: time, random: systemRandom });

async function problemsOf(act: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await act();
  } catch (error) {
    if (error instanceof CertificateFault) return error.problems;
    throw error;
  }
  return [];
}

/** The data of tls-server-end-point (RFC 5929 §4.1) for a certificate that was sent. */
function endPoint(contexts: TlsContexts, leaf: Buffer): Buffer | undefined {
  const known = contexts.certificateOf(leaf);
  return known && createHash(known.hash).update(known.der).digest();
}

/** A TLS server with these contexts on a free port of loopback, and what `act` finds out with it. */
async function serve<T>(contexts: TlsContexts, act: (port: number) => Promise<T>): Promise<T> {
  const server = createServer({ ...TLS_SETTINGS, SNICallback: contexts.sniCallback }, (socket) => {
    socket.on("error", () => undefined);
    const leaf = (socket.getX509Certificate() as X509Certificate).raw;
    socket.end(endPoint(contexts, leaf) ?? "");
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await act((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

interface Seen {
  readonly protocol: string | null;
  readonly endPoint: Buffer;
  readonly raw: Buffer;
}

function look(port: number, options: ConnectionOptions): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket: TLSSocket = connect({ port, host: "127.0.0.1", ...options });
    let raw = Buffer.alloc(0);
    let protocol: string | null = null;
    socket.on("secureConnect", () => {
      raw = socket.getPeerCertificate().raw;
      protocol = socket.getProtocol();
    });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve({ protocol, raw, endPoint: Buffer.concat(chunks) }));
  });
}

describe("the certificate made at first start", () => {
  it("is P-256, for all its names, for two years, with a key that only its owner can read @1.1 @1.3", async () => {
    const { pair, made } = await make(["localhost", "conference.localhost", "grüße.example"]);
    expect(made).toBe("first start");
    expect(pair.leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(pair.leaf.subjectAltName).toBe("DNS:localhost, DNS:conference.localhost, DNS:xn--gre-6ka8l.example");
    expect(pair.leaf.ca).toBe(false);
    expect(pair.leaf.verify(pair.leaf.publicKey)).toBe(true);
    expect(Date.parse(pair.leaf.validTo) - clock().now()).toBeGreaterThan(729 * DAY_MS);
    expect(pair.endPointHash).toBe("sha256");
    expect(statSync(ownFiles(folder).key).mode & 0o777).toBe(0o600);
  });

  it("is kept as long as it is good @1.1", async () => {
    const first = await make(["localhost"]);
    const again = await make(["localhost"]);
    expect(again.made).toBeUndefined();
    expect(again.pair.certificate).toBe(first.pair.certificate);
  });

  it("is made anew with the same key when it is about to expire, or for other names @1.3", async () => {
    const first = await make(["localhost"]);
    const later = clock();
    later.advance(701 * DAY_MS);
    const renewed = await make(["localhost"], folder, later);
    expect(renewed).toMatchObject({ made: "about to expire", pair: { key: first.pair.key } });
    expect((await make(["a.example"])).made).toBe("other names");
  });

  it("is never written over what cannot be read @1.bad", async () => {
    const files = ownFiles(folder);
    await make(["localhost"]);
    writeFileSync(files.key, "garbage");
    expect(await problemsOf(() => make(["a.example"]))).toEqual([
      expect.stringContaining(`${files.key}: there is no private key in this file`),
    ]);
    expect(readFileSync(files.key, "utf8")).toBe("garbage");
    rmSync(files.key);
    expect(await problemsOf(() => make(["a.example"]))).toEqual([expect.stringContaining("is missing: put it back")]);
    expect(existsSync(files.key)).toBe(false);
    rmSync(files.certificate);
    writeFileSync(
      files.key,
      generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }),
    );
    expect(await problemsOf(() => make(["a.example"]))).toEqual([
      expect.stringContaining("this key was not made by the server"),
    ]);
  });

  it("ends in one line when its folder cannot be made @1.bad", async () => {
    writeFileSync(join(folder, "file"), "");
    const problems = await problemsOf(() => make(["localhost"], join(folder, "file", "data")));
    expect(problems).toEqual([
      expect.stringMatching(/certificate\.pem: the server's certificate cannot be made: (ENOTDIR|EEXIST)/),
    ]);
  });
});

describe("a configured certificate", () => {
  const files = (certificate: string, key: string) => ({
    certificate: [join(folder, certificate)],
    key: [join(folder, key)],
  });
  const use = (domains = ["localhost"], time = clock()) => ({ domains, clock: time });

  beforeEach(async () => {
    await make(["localhost"]);
  });

  it("is read with its key @1.3", async () => {
    const { pairs, warnings } = await readCertificates(files("certificate.pem", "key.pem"), use());
    expect(pairs).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it.each([
    [
      "is missing",
      "nothing.pem",
      "key.pem",
      "nothing.pem: the certificate cannot be read: there is no such file: correct",
    ],
    [
      "has no key",
      "certificate.pem",
      "nothing.pem",
      "nothing.pem: the private key cannot be read: there is no such file: correct",
    ],
    ["is not PEM", "text.txt", "key.pem", "text.txt: there is no certificate in this file: it must be PEM"],
    ["is damaged", "damaged.pem", "key.pem", "damaged.pem: the first certificate of this file is damaged: "],
    ["has a damaged key", "certificate.pem", "damaged-key.pem", "damaged-key.pem: the private key is damaged: "],
    [
      "has a key with a password",
      "certificate.pem",
      "locked.pem",
      "locked.pem: the private key is protected by a password",
    ],
    ["has another's key", "certificate.pem", "other.pem", "other.pem: this is not the key of the certificate in "],
  ])("that %s ends in one clear line @1.bad", async (_, certificate, key, line) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const put = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text);
    put("text.txt", "hello");
    put("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    put("damaged-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    put("locked.pem", privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }));
    put("other.pem", privateKey.export({ type: "pkcs8", format: "pem" }));
    const problems = await problemsOf(() => readCertificates(files(certificate, key), use()));
    expect(problems).toEqual([expect.stringContaining(line)]);
    expect(problems[0]).not.toContain("\n");
  });

  it("that only others may read ends in one clear line @1.bad", async () => {
    chmodSync(join(folder, "key.pem"), 0);
    const problems = await problemsOf(() => readCertificates(files("certificate.pem", "key.pem"), use()));
    // The superuser may read everything.
    expect(problems).toEqual(
      process.getuid?.() === 0
        ? []
        : [
            expect.stringContaining(
              "key.pem: the private key cannot be read: the server's user may not read it: allow",
            ),
          ],
    );
  });

  it("that has expired, soon will, or is for other domains is a warning @1.bad", async () => {
    const at = async (days: number) => {
      const time = clock();
      time.advance(days * DAY_MS);
      return (await readCertificates(files("certificate.pem", "key.pem"), use(["localhost"], time))).warnings;
    };
    expect(await at(731)).toEqual([expect.stringMatching(/certificate\.pem: the certificate expired on /)]);
    expect(await at(720)).toEqual([expect.stringMatching(/certificate\.pem: the certificate expires in \d+ days/)]);
    expect(await at(-10)).toEqual([expect.stringContaining("is valid only from")]);
    expect((await readCertificates(files("certificate.pem", "key.pem"), use(["x.example"]))).warnings).toEqual([
      "tls.certificate: no certificate is made out for x.example: clients of that domain will refuse to connect",
    ]);
  });
});

describe("the TLS contexts", () => {
  const pairFor = async (name: string): Promise<CertifiedKey> => (await make([name], join(folder, name))).pair;

  it("show each client the certificate of the name it asks for, which verifies @1.3", async () => {
    const [a, b] = [await pairFor("a.example"), await pairFor("b.example")];
    const contexts = await TlsContexts.open(() => Promise.resolve([a, b]));
    await serve(contexts, async (port) => {
      for (const [pair, name] of [
        [a, "a.example"],
        [b, "b.example"],
      ] as const) {
        const seen = await look(port, { servername: name, ca: pair.certificate });
        expect(seen).toMatchObject({ raw: pair.leaf.raw, protocol: "TLSv1.3" });
        expect(seen.endPoint).toEqual(createHash("sha256").update(pair.leaf.raw).digest());
      }
      await expect(look(port, { servername: "b.example", ca: a.certificate })).rejects.toMatchObject({
        code: "DEPTH_ZERO_SELF_SIGNED_CERT",
      });
      expect((await look(port, { servername: "c.example", rejectUnauthorized: false })).raw).toEqual(a.leaf.raw);
    });
  });

  it("speak TLS 1.2 and 1.3 and nothing older @1.3", async () => {
    const pair = await pairFor("a.example");
    const contexts = await TlsContexts.open(() => Promise.resolve([pair]));
    await serve(contexts, async (port) => {
      const older = {
        servername: "a.example",
        ca: pair.certificate,
        minVersion: "TLSv1",
        ciphers: "DEFAULT@SECLEVEL=0",
      } as const;
      expect((await look(port, { ...older, maxVersion: "TLSv1.2" })).protocol).toBe("TLSv1.2");
      await expect(look(port, { ...older, maxVersion: "TLSv1.1" })).rejects.toThrow(
        /protocol version|unsupported protocol/,
      );
    });
  });

  it("refuse to renegotiate @1.3", async () => {
    const pair = await pairFor("a.example");
    const contexts = await TlsContexts.open(() => Promise.resolve([pair]));
    const server = createServer({ ...TLS_SETTINGS, SNICallback: contexts.sniCallback }, (socket) =>
      socket.on("error", () => undefined),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const refused = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, servername: "a.example", ca: pair.certificate, maxVersion: "TLSv1.2" }, () => {
        socket.renegotiate({}, (error) => resolve(error !== null));
        socket.write("sent behind the request, which leaves with it");
      });
      socket.on("error", () => resolve(true));
    });
    await new Promise((resolve) => {
      server.close(resolve);
    });
    expect(refused).toBe(true);
  });

  it("take new certificates at a reload, and keep the old ones if those are faulty @1.3 @1.bad", async () => {
    const [old, renewed] = [await pairFor("a.example"), (await make(["a.example"], join(folder, "other"))).pair];
    let load = (): Promise<readonly CertifiedKey[]> => Promise.resolve([old]);
    const contexts = await TlsContexts.open(() => load());
    load = () => Promise.reject(new CertificateFault(["gone"]));
    await expect(contexts.reload()).rejects.toThrow("gone");
    load = () => Promise.resolve([]);
    await expect(contexts.reload()).rejects.toThrow("no certificate");
    load = () => Promise.resolve([{ ...renewed, key: old.key }]);
    await expect(contexts.reload()).rejects.toThrow(/mismatch/);
    expect(contexts.for("a.example").pair).toBe(old);
    load = () => Promise.resolve([renewed]);
    await contexts.reload();
    expect(contexts.for("a.example").pair).toBe(renewed);
    expect(endPoint(contexts, old.leaf.raw)).toHaveLength(32);
    await serve(contexts, async (port) => {
      expect((await look(port, { servername: "a.example", ca: renewed.certificate })).raw).toEqual(renewed.leaf.raw);
    });
  });
});
