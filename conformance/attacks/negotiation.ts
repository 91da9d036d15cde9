// Attacks on STARTTLS, on what may be done before it, and on channel binding: rows A1, A2, A6 and X11 over real sockets and real TLS.
import { createHash } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { logIn, type ClientOptions } from "#rookery/sasl/client.test.support.js";
import { failure, type Mechanism, type SaslCondition, type SaslStep } from "#rookery/sasl/mechanism.js";
import type { RunningServer } from "../servers/server.js";
import { auth, header, Line, SASL, STARTTLS } from "./line.js";
import { type Attack, expectThat } from "./suite.js";

export const PASSWORD = "correct horse";

const trust = ({ ca, domain }: RunningServer, more: ConnectionOptions = {}): ConnectionOptions => ({
  ca,
  servername: domain,
  ...more,
});

async function opened(server: RunningServer): Promise<Line> {
  const line = await Line.open({ port: server.port });
  line.send(header(server.domain));
  await line.until(/<\/stream:features>/);
  return line;
}

/** A stream on TLS whose features have come. */
async function secured(server: RunningServer, more: ConnectionOptions = {}): Promise<Line> {
  const line = await opened(server);
  line.send(STARTTLS);
  await line.until(/<proceed /);
  await line.secure(trust(server, more));
  line.send(header(server.domain));
  await line.until(/<\/stream:features>/);
  return line;
}

const injections: readonly (readonly [string, (server: RunningServer) => string])[] = [
  ["a stanza", () => "<message to='juliet@localhost'><body>injected</body></message>"],
  ["a stream header and a login", ({ domain }) => header(domain) + auth("PLAIN", `\0romeo\0${PASSWORD}`)],
  ["half a stream header", ({ domain }) => header(domain).slice(0, 60)],
  ["half a login", () => auth("PLAIN", `\0romeo\0${PASSWORD}`).slice(0, -10)],
  ["white space", () => " ".repeat(2000)],
  ["rubbish", () => "\0\x01\xff".repeat(100)],
];

const starttls: readonly Attack[] = [
  ...injections.map(([what, text]) => ({
    name: `nothing survives the handshake that came in the clear with <starttls/>: ${what} @A1`,
    run: async (server: RunningServer) => {
      const line = await opened(server);
      line.send(STARTTLS + text(server));
      await line.until(/<proceed /);
      await line.secure(trust(server));
      line.send(header(server.domain));
      await line.until(/<mechanisms [^]*<\/stream:features>/);
      expectThat(!/<success|<failure|<stream:error|injected/.test(line.heard), `it survived: ${line.heard}`);
      line.send(auth("PLAIN", `\0romeo\0${PASSWORD}`));
      await line.until(/<success/);
      line.destroy();
    },
  })),
  {
    name: "what comes in the clear after <proceed/> breaks the handshake, and the server goes on @A1",
    run: async (server) => {
      const line = await opened(server);
      line.send(STARTTLS);
      await line.until(/<proceed /);
      line.send(header(server.domain) + auth("PLAIN", `\0romeo\0${PASSWORD}`));
      await line.closed();
      expectThat(!line.heard.includes("<success"), "it was read as XML");
      (await secured(server)).destroy();
    },
  },
  {
    name: "a handshake that is never begun, or never finished, ends at the deadline @A1 @X6",
    run: async (server) => {
      for (const start of ["", "\x16\x03\x01\x02\x00\x01"]) {
        const line = await opened(server);
        line.send(STARTTLS);
        await line.until(/<proceed /);
        line.send(Buffer.from(start, "latin1"));
        await line.closed();
      }
      for (const start of ["", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\n\r\n"]) {
        const line = await Line.open({ port: server.directTlsPort });
        line.send(Buffer.from(start, "latin1"));
        await line.closed();
      }
    },
  },
  {
    name: "who has been sent the end of the stream and does not close is cut off @X6",
    run: async (server) => {
      const line = await Line.open({ port: server.port, halfOpen: true });
      line.send(header(server.domain) + "<!-- -->");
      await line.until(/<restricted-xml[^]*<\/stream:stream>/);
      const pulse = setInterval(() => line.send(" "), 50);
      try {
        await line.closed();
      } finally {
        clearInterval(pulse);
      }
    },
  },
];

const register =
  "<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>mallory</username><password>x</password></query></iq>";
const early: readonly (readonly [string, string, RegExp])[] = [
  ["log in by PLAIN", auth("PLAIN", `\0romeo\0${PASSWORD}`), /<encryption-required\/>/],
  ["log in by SCRAM", auth("SCRAM-SHA-1", "n,,n=romeo,r=abc"), /<encryption-required\/>/],
  ["register", register, /<not-authorized [^]*<\/stream:stream>/],
  [
    "bind",
    "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    /<not-authorized [^]*<\/stream:stream>/,
  ],
  ["send a message", "<message to='romeo@localhost'/>", /<not-authorized [^]*<\/stream:stream>/],
  [
    "compress",
    "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
    /<unsupported-stanza-type [^]*<\/stream:stream>/,
  ],
];

const clear: readonly Attack[] = early.map(([what, xml, refusal]) => ({
  name: `where TLS is required nobody can ${what} without it @A2${what === "compress" ? " @X11" : ""}`,
  run: async (server) => {
    const line = await opened(server);
    expectThat(
      /<stream:features><starttls [^>]*><required\/><\/starttls><\/stream:features>/.test(line.heard),
      line.heard,
    );
    line.send(xml);
    await line.until(refusal);
    line.destroy();
  },
}));

const compression: Attack = {
  name: "compression is not offered on TLS either, and refused @X11",
  run: async (server) => {
    const line = await secured(server);
    expectThat(!line.heard.includes("compress"), "it is offered");
    line.send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>");
    await line.until(/<unsupported-stanza-type [^]*<\/stream:stream>/);
    await line.closed();
  },
};

/** The server's mechanism at the other end of the line, for the tests' own SCRAM client. */
function remote(line: Line, name: string): Mechanism {
  const answer = async (xml: string): Promise<SaslStep> => {
    const before = line.heard.length;
    line.send(xml);
    const [, kind, content = ""] = await line.until(
      new RegExp(`^[^]{${before}}[^]*?<(challenge|success|failure)[^>]*>([^]*?)</\\1>`),
    );
    const data = Buffer.from(content, "base64");
    if (kind === "challenge") return { challenge: data };
    if (kind === "success") return { success: "", extra: data };
    return failure((/<([a-z-]+)\/>/.exec(content)?.[1] ?? "") as SaslCondition);
  };
  const response = (data: Buffer): string => `<response xmlns='${SASL}'>${data.toString("base64")}</response>`;
  return {
    name,
    start: (initial = Buffer.alloc(0)) => answer(auth(name, initial.toString())),
    next: (data) => answer(response(data)),
  };
}

const exporter = ({ tls }: Line): Buffer => tls.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
const endPoint = ({ tls }: Line): Buffer => createHash("sha256").update(tls.getPeerCertificate().raw).digest();

interface Binding {
  readonly what: string;
  readonly gs2: string;
  readonly data: (line: Line, other: Line) => Buffer;
  readonly outcome: SaslCondition | "success";
  readonly plain?: true;
}

const none = (): Buffer => Buffer.alloc(0);
const bindings: readonly Binding[] = [
  { what: "the right exporter", gs2: "p=tls-exporter,,", data: exporter, outcome: "success" },
  { what: "the right end point", gs2: "p=tls-server-end-point,,", data: endPoint, outcome: "success" },
  {
    what: "another connection's exporter",
    gs2: "p=tls-exporter,,",
    data: (_, other) => exporter(other),
    outcome: "not-authorized",
  },
  {
    what: "the end point in place of the exporter",
    gs2: "p=tls-exporter,,",
    data: endPoint,
    outcome: "not-authorized",
  },
  {
    what: "the exporter in place of the end point",
    gs2: "p=tls-server-end-point,,",
    data: exporter,
    outcome: "not-authorized",
  },
  { what: "a type that is not offered", gs2: "p=tls-unique,,", data: exporter, outcome: "malformed-request" },
  { what: "no binding where it is offered, honestly", gs2: "n,,", data: none, outcome: "success", plain: true },
  { what: "a client that was told there is none", gs2: "y,,", data: none, outcome: "not-authorized", plain: true },
];

const channelBinding: readonly Attack[] = [
  ...bindings.map(({ what, gs2, data, outcome, plain }) => ({
    name: `channel binding with ${what}: ${outcome} @A6`,
    run: async (server: RunningServer) => {
      const [line, other] = [await secured(server), await secured(server)];
      const options: ClientOptions = {
        digest: "sha256",
        username: "romeo",
        password: PASSWORD,
        gs2,
        binding: data(line, other),
      };
      const { step, serverProven } = await logIn(remote(line, plain ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS"), options);
      const got = "failure" in step ? step.failure : serverProven ? "success" : "no proof of the server";
      line.destroy();
      other.destroy();
      expectThat(got === outcome, `the server said ${got}`);
    },
  })),
  {
    name: "on TLS 1.2 only the end point binds @A6",
    run: async (server) => {
      const line = await secured(server, { maxVersion: "TLSv1.2" });
      expectThat(!line.heard.includes("tls-exporter"), "the exporter is offered");
      const options: ClientOptions = {
        digest: "sha256",
        username: "romeo",
        password: PASSWORD,
        gs2: "p=tls-server-end-point,,",
        binding: endPoint(line),
      };
      const { serverProven } = await logIn(remote(line, "SCRAM-SHA-256-PLUS"), options);
      line.destroy();
      expectThat(serverProven, "the end point does not bind");
    },
  },
];

export const NEGOTIATION: readonly Attack[] = [...starttls, ...clear, compression, ...channelBinding];
