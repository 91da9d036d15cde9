// slixmpp (PyPI) as a peer, over STARTTLS with certificate verification; installed into a virtual environment outside the checkout.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing, type Part, type Surroundings } from "../part.js";
import { EchoSuite } from "./echo.js";
import { type Login, type Mode, Peer, type PeerProgram } from "./peer.js";
import { install, programIn } from "./venv.js";

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
  const python = pythonWithSlixmpp(around);
  if ("trouble" in python) return python.trouble;
  return {
    name: "slixmpp",
    uses: "starttls",
    start: (login, mode) =>
      new Peer([python.program, SCRIPT, ...commandLine(login, mode)], { ...process.env, PYTHONUNBUFFERED: "1" }),
  };
}

/** A Python that has slixmpp, or why there is none. */
export function pythonWithSlixmpp(around: Surroundings): { readonly program: string } | { readonly trouble: string } {
  const environment = join(around.tools, `slixmpp-${VERSION}`);
  const trouble = install(environment, `slixmpp==${VERSION}`, ["python3", "-c", "import slixmpp"]);
  return trouble === undefined ? { program: programIn(environment, "python3") } : { trouble };
}

/** What peers take: the mode, then `--name value` for everything else. */
export function commandLine(login: Login, mode: Mode): readonly string[] {
  const { mode: name, ...options } = mode;
  return [name, ...named({ ...login, ...options })];
}

export function named(options: object): readonly string[] {
  return Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
}
