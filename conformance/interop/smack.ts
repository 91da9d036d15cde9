// Smack's integration tests (Maven Central) through the folder that ROOKERY_SMACK names; which classes must pass is the list below.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningServer } from "../servers/server.js";
import { missing, type Outcome, type Part, say, type Surroundings } from "../part.js";

/** Classes of Smack 4.5.0-beta5 that must pass, with the number of their test methods: 94 in all, of which LEAST have to pass. */
export const REQUIRED: Readonly<Record<string, number>> = {
  ChatTest: 2,
  LoginIntegrationTest: 1,
  WaitForClosingStreamElementTest: 1,
  XmppConnectionIntegrationTest: 1,
  ModularXmppClientToServerConnectionLowLevelIntegrationTest: 2,
  SimpleXmppConnectionIntegrationTest: 1,
  IncomingMessageListenerIntegrationTest: 1,
  OutgoingMessageListenerIntegrationTest: 1,
  LowLevelRosterIntegrationTest: 1,
  RosterIntegrationTest: 7,
  EntityCapsTest: 4,
  ChatStateIntegrationTest: 1,
  AdHocCommandIntegrationTest: 4,
  FileTransferIntegrationTest: 2, // its two methods disturb each other on any server; alone, in the retry, each passes
  IoTControlIntegrationTest: 1,
  IoTDataIntegrationTest: 1,
  VersionIntegrationTest: 1,
  PingIntegrationTest: 2,
  SoftwareInfoIntegrationTest: 1,
  FormTest: 1,
  StreamManagementTest: 1,
  MamIntegrationTest: 2,
  // All of XEP-0045's. One method is not counted: mucTestForDiscoveringRoomItems wants a stranger to be told who is in a room. The XEP
  // leaves that open and advises against it ("Querying for Room Items"); our rooms tell it to nobody.
  MultiUserChatEntityIntegrationTest: 5,
  MultiUserChatIntegrationTest: 6,
  MultiUserChatLowLevelIntegrationTest: 1,
  MultiUserChatOccupantIntegrationTest: 21,
  MultiUserChatRolesAffiliationsPrivilegesIntegrationTest: 18,
  ParticipantStatusIntegrationTest: 2,
  UserStatusIntegrationTest: 2,
};
const LEAST = 93; // one may fail
const LIMIT_MS = 600_000; // the download from Maven Central included

const PROPERTIES = ["-Dsinttest.retry=2"];

/** One line of results.tsv. FLAKY: passed when tried again alone. IMPOSSIBLE_CLASS: a whole class, as the server lacks a feature. */
interface Row {
  readonly status: "PASS" | "FLAKY" | "FAIL" | "IMPOSSIBLE" | "IMPOSSIBLE_CLASS" | "ABORTED";
  readonly className: string;
  readonly test: string;
  readonly why: string;
}

export const smackPart: Part = {
  name: "Smack",
  shows: ["1.show2", "2.2", "2.4", "3.show1"],
  run: async (around) => {
    const suite = process.env["ROOKERY_SMACK"];
    if (suite === undefined || !existsSync(join(suite, "run.sh")))
      return missing("ROOKERY_SMACK does not name the folder of Smack's suite", around);
    return withServer(around, (server, folder) => runSuite(suite, server, folder));
  },
};

async function withServer(
  around: Surroundings,
  use: (server: RunningServer, folder: string) => Promise<Outcome>,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "rookery-smack-"));
  try {
    const server = await around.server(join(folder, "server")).start();
    return await use(server, folder).finally(() => server.stop());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runSuite(suite: string, server: RunningServer, folder: string): Promise<Outcome> {
  const out = join(folder, "smack");
  const parameters = [join(suite, "run.sh"), server.host, String(server.port), server.domain, ...PROPERTIES];
  const child = spawn("bash", parameters, {
    env: { ...process.env, SMACK_OUT: out },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  let printed = "";
  const keep = (text: string): void => void (printed = (printed + text).slice(-4000));
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  await new Promise((resolve) => child.once("close", resolve).once("error", resolve));
  const results = join(out, "results.tsv");
  if (existsSync(results)) return judge(parse(readFileSync(results, "utf8")), say);
  say(`FAILED  Smack's suite did not end: ${printed}`);
  return { passed: 0, failed: 1, skipped: 0 };
}

export function parse(table: string): readonly Row[] {
  const lines = table.split("\n").filter(Boolean);
  return lines.map((line) => {
    const [status = "", , className = "", test = "", , , why = ""] = line.split("\t");
    return { status: status as Row["status"], className, test, why };
  });
}

/** Prints a line per class and why tests failed; counts the methods of the required classes, the others as skipped. */
export function judge(rows: readonly Row[], print: (line: string) => void): Outcome {
  let passed = 0;
  let failed = 0;
  for (const [className, methods] of Object.entries(REQUIRED)) {
    const good = tally(
      className,
      rows.filter((row) => row.className === className),
      print,
    );
    passed += good;
    failed += Math.max(0, methods - good);
  }
  const others = [...new Set(rows.map((row) => row.className))].filter((name) => REQUIRED[name] === undefined);
  for (const className of others)
    tally(
      `(later) ${className}`,
      rows.filter((row) => row.className === className),
      print,
    );
  if (passed < LEAST) print(`FAILED  only ${passed} methods of the required classes passed, ${LEAST} are needed`);
  return { passed, failed, skipped: others.length };
}

function tally(title: string, rows: readonly Row[], print: (line: string) => void): number {
  const count = (...statuses: readonly Row["status"][]): number =>
    rows.filter((row) => statuses.includes(row.status)).length;
  const good = count("PASS", "FLAKY");
  const again = count("FLAKY") > 0 ? ` (${count("FLAKY")} when tried again)` : "";
  const [bad, impossible] = [count("FAIL", "ABORTED"), count("IMPOSSIBLE", "IMPOSSIBLE_CLASS")];
  print(`${title}: ${good} passed${again}, ${bad} failed, ${impossible} impossible`);
  for (const row of rows)
    if (row.status !== "PASS" && row.status !== "FLAKY") print(`    ${row.test}: ${row.why.slice(0, 200)}`);
  return good;
}
