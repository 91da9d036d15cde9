// GNU SASL as an independent client of the mechanisms, with GnuTLS at the other end of the channel binding. Its command line
// speaks IMAP only, so the mechanisms answer behind the few lines of IMAP that a login takes.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TLSSocket } from "node:tls";
import { channelBindings, type ChannelBindingType } from "#rookery/sasl/channel-binding.js";
import { type Credentials, deriveCredentials } from "#rookery/sasl/credentials.js";
import { nodeCrypto } from "#rookery/sasl/crypto.js";
import { decodeBase64 } from "#rookery/sasl/encoding.js";
import type { Mechanism, SaslContext, SaslStep } from "#rookery/sasl/mechanism.js";
import { Checks, missing, type Part } from "../part.js";
import { certificateIn } from "../servers/certificate.js";
import { createMechanism, offeredMechanisms } from "#rookery/sasl/mechanisms.js";

const PASSWORD = "wherefore art thou";
const TIME_LIMIT_MS = 20_000;

interface Attempt {
  readonly mechanism: string;
  readonly password: string;
  /** -PLUS is used with it; gsasl takes a mechanism without -PLUS only when told not to bind. */
  readonly binding: boolean;
  readonly succeeds: boolean;
}

const ATTEMPTS: readonly Attempt[] = [
  { mechanism: "SCRAM-SHA-256-PLUS", password: PASSWORD, binding: true, succeeds: true },
  { mechanism: "SCRAM-SHA-256-PLUS", password: "wrong", binding: true, succeeds: false },
  { mechanism: "SCRAM-SHA-1-PLUS", password: PASSWORD, binding: true, succeeds: true },
  { mechanism: "SCRAM-SHA-256", password: PASSWORD, binding: false, succeeds: true },
  { mechanism: "SCRAM-SHA-1", password: PASSWORD, binding: false, succeeds: true },
  { mechanism: "SCRAM-SHA-1", password: "wrong", binding: false, succeeds: false },
  { mechanism: "PLAIN", password: PASSWORD, binding: false, succeeds: true },
  { mechanism: "PLAIN", password: "wrong", binding: false, succeeds: false },
  { mechanism: "ANONYMOUS", password: "none", binding: false, succeeds: true },
];

interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** One client's connection: IMAP's CAPABILITY, STARTTLS and AUTHENTICATE. */
class Connection {
  readonly #identity: Identity;
  readonly #juliet: Credentials;
  #socket: Socket;
  #bindings: ReadonlyMap<ChannelBindingType, Buffer> = new Map();
  #mechanism: Mechanism | undefined;
  #tag = "";
  #proven = false;

  constructor(socket: Socket, identity: Identity, juliet: Credentials) {
    this.#identity = identity;
    this.#juliet = juliet;
    this.#socket = socket;
    this.#read(socket);
    this.#send("* OK ready");
  }

  #read(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", (line) => void this.#line(line).catch(() => socket.destroy()));
  }

  async #line(line: string): Promise<void> {
    if (this.#socket.destroyed) return;
    if (line.endsWith(" LOGOUT")) return void this.#socket.end(); // gsasl waits for that
    if (this.#proven) return this.#send(`${this.#tag} OK logged in`);
    if (this.#mechanism) return this.#answer(await this.#mechanism.next(decodeBase64(line) ?? Buffer.alloc(0)));
    const [tag = "", command = "", name = ""] = line.split(" ");
    this.#tag = tag;
    if (command === "CAPABILITY")
      this.#send(`* CAPABILITY IMAP4rev1 STARTTLS ${this.#capabilities()}\r\n${tag} OK done`);
    else if (command === "STARTTLS") this.#secure();
    else if (command === "AUTHENTICATE") await this.#begin(name);
    else this.#send(`${tag} OK done`);
  }

  #capabilities(): string {
    return this.#offered()
      .map((name) => `AUTH=${name}`)
      .join(" ");
  }

  #offered(): readonly string[] {
    const bindings = { secure: true, requireTls: true, channelBindings: this.#bindings };
    return offeredMechanisms({ ...bindings, anonymous: true });
  }

  #secure(): void {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    this.#send(`${this.#tag} OK begin`);
    const secured = new TLSSocket(plain, { isServer: true, ...this.#identity });
    this.#socket = secured;
    secured.once("secure", () => {
      this.#bindings = channelBindings({
        protocol: secured.getProtocol() ?? "",
        exportKey: (length, label) => secured.exportKeyingMaterial(length, label, Buffer.alloc(0)),
        certificate: { der: new X509Certificate(this.#identity.cert).raw, hash: "sha256" },
      });
    });
    this.#read(secured);
  }

  async #begin(name: string): Promise<void> {
    const context: SaslContext = {
      domain: "localhost",
      secure: true,
      offered: this.#offered(),
      channelBindings: this.#bindings,
      fakeSecret: Buffer.from("secret"),
      iterationCounts: [4096],
      attempts: { mayTry: () => true, failed: () => undefined, succeeded: () => undefined },
      crypto: nodeCrypto,
      randomBytes,
      findCredentials: (username) => Promise.resolve(username === "juliet" ? this.#juliet : undefined),
    };
    this.#mechanism = createMechanism(name, context);
    if (name === "ANONYMOUS") return this.#send("+ "); // XMPP may do without the client's message (XEP-0175), IMAP not
    this.#answer((await this.#mechanism?.start()) ?? { failure: "invalid-mechanism" });
  }

  /** IMAP has no data with success: it goes into a last challenge, which the client answers with an empty line. */
  #answer(step: SaslStep): void {
    if ("challenge" in step) return this.#send(`+ ${step.challenge.toString("base64")}`);
    if ("failure" in step) return this.#send(`${this.#tag} NO ${step.failure}`);
    this.#proven = true;
    this.#send(step.extra ? `+ ${step.extra.toString("base64")}` : `${this.#tag} OK logged in`);
  }

  #send(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }
}

function makeIdentity(): Identity {
  const folder = mkdtempSync(join(tmpdir(), "gsasl-"));
  const cert = Buffer.from(certificateIn(folder, "localhost"));
  const key = readFileSync(join(folder, "key.pem"));
  rmSync(folder, { recursive: true });
  return { cert, key };
}

/** Whether gsasl says that it is logged in. It checks the server's signature itself. */
async function logIn(
  server: Server,
  attempt: Attempt,
): Promise<{ readonly loggedIn: boolean; readonly output: string }> {
  const { port } = server.address() as AddressInfo;
  const options = ["--imap", `--connect=127.0.0.1:${port}`, "--x509-ca-file=", ...(attempt.binding ? [] : ["--no-cb"])];
  const user = ["-m", attempt.mechanism, "-a", "juliet", "-z", "", "-p", attempt.password, "-n", "trace"];
  const client = spawn("gsasl", [...options, ...user], { stdio: ["ignore", "pipe", "pipe"], timeout: TIME_LIMIT_MS });
  let output = "";
  for (const stream of [client.stdout, client.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  await once(client, "close");
  return { loggedIn: output.includes("OK logged in") && !output.includes("error"), output };
}

export const gsaslPart: Part = {
  name: "gsasl",
  shows: ["1.4"],
  run: async (around) => {
    if (spawnSync("gsasl", ["--version"]).status !== 0) return missing("gsasl is not installed", around);
    const identity = makeIdentity();
    const juliet = await deriveCredentials(PASSWORD, 4096, randomBytes);
    const server = createServer((socket) => new Connection(socket, identity, juliet)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const checks = new Checks();
    for (const attempt of ATTEMPTS) await checks.shows(titleOf(attempt), () => meets(server, attempt));
    server.close();
    return checks.outcome;
  },
};

function titleOf({ mechanism, password }: Attempt): string {
  if (mechanism === "ANONYMOUS") return "gsasl ANONYMOUS";
  return `gsasl ${mechanism}, ${password === PASSWORD ? "right" : "wrong"} password`;
}

async function meets(server: Server, attempt: Attempt): Promise<void> {
  const { loggedIn, output } = await logIn(server, attempt);
  if (!(attempt.succeeds ? loggedIn : output.includes("NO not-authorized"))) throw new Error(output);
}
