// slixmpp (PyPI) as a peer, over STARTTLS with certificate verification; installed into a virtual environment outside the checkout.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing, type Part, type Surroundings } from "../part.js";
import { EchoSuite } from "./echo.js";
import { type Login, type Mode, Peer, type PeerProgram } from "./peer.js";

const VERSION = "1.17.0";
const SCRIPT = fileURLToPath(new URL("../../../conformance/interop/slixmpp_peer.py", import.meta.url));

export const slixmppPart: Part = {
  name: "slixmpp",
  shows: ["1.show1"],
  run: (around) => {
    const program = slixmpp(around);
    if (typeof program === "string") return Promise.resolve(missing(program, around));
    return new EchoSuite(around, program, program).run();
  },
};

/** The peer, or why it cannot be had. */
export function slixmpp(around: Surroundings): PeerProgram | string {
  const environment = join(around.tools, `slixmpp-${VERSION}`);
  const python = join(environment, "bin", "python3");
  const trouble = install(environment, python);
  if (trouble !== undefined) return trouble;
  return {
    name: "slixmpp",
    uses: "starttls",
    start: (login, mode) =>
      new Peer([python, SCRIPT, ...commandLine(login, mode)], { ...process.env, PYTHONUNBUFFERED: "1" }),
  };
}

/** What peers take: the mode, then `--name value` for everything else. */
export function commandLine(login: Login, mode: Mode): readonly string[] {
  const { mode: name, ...options } = mode;
  return [name, ...Object.entries({ ...login, ...options }).flatMap(([key, value]) => [`--${key}`, String(value)])];
}

function install(environment: string, python: string): string | undefined {
  const done = (): boolean => spawnSync(python, ["-c", "import slixmpp"], { stdio: "ignore" }).status === 0;
  if (existsSync(python) && done()) return undefined;
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(environment, { recursive: true });
  const made = spawnSync("python3", ["-m", "venv", environment], { encoding: "utf8" });
  if (made.status !== 0)
    return `no virtual environment for slixmpp: ${made.error?.message ?? made.stdout + made.stderr}`;
  const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", `slixmpp==${VERSION}`];
  const installed = spawnSync(python, pip, { encoding: "utf8" });
  return installed.status === 0 && done() ? undefined : `slixmpp cannot be installed: ${installed.stderr}`;
}
