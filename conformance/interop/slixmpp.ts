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
  const environment = join(around.tools, `slixmpp-${VERSION}`);
  const trouble = install(environment, `slixmpp==${VERSION}`, ["python3", "-c", "import slixmpp"]);
  if (trouble !== undefined) return trouble;
  return {
    name: "slixmpp",
    uses: "starttls",
    start: (login, mode) =>
      new Peer([programIn(environment, "python3"), SCRIPT, ...commandLine(login, mode)], {
        ...process.env,
        PYTHONUNBUFFERED: "1",
      }),
  };
}

/** What peers take: the mode, then `--name value` for everything else. */
export function commandLine(login: Login, mode: Mode): readonly string[] {
  const { mode: name, ...options } = mode;
  return [name, ...Object.entries({ ...login, ...options }).flatMap(([key, value]) => [`--${key}`, String(value)])];
}
