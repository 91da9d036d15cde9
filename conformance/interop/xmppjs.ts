// xmpp.js (@xmpp/client) as a peer, over direct TLS; also in one conversation with slixmpp.
import { fileURLToPath } from "node:url";
import { missing, type Part, plus } from "../part.js";
import { EchoSuite } from "./echo.js";
import { Peer, type PeerProgram } from "./peer.js";
import { commandLine, slixmpp } from "./slixmpp.js";

const SCRIPT = fileURLToPath(new URL("xmppjs_peer.js", import.meta.url));

/** Trust is set by the environment, because xmpp.js passes no TLS options on; it is read when the process starts. */
export const xmppjs: PeerProgram = {
  name: "xmpp.js",
  uses: "direct TLS",
  start: (login, mode) =>
    new Peer([process.execPath, SCRIPT, ...commandLine(login, mode)], {
      ...process.env,
      NODE_EXTRA_CA_CERTS: login.ca,
    }),
};

export const xmppjsPart: Part = {
  name: "xmpp.js",
  shows: ["1.show1"],
  run: async (around) => {
    const alone = await new EchoSuite(around, xmppjs, xmppjs).run();
    const other = slixmpp(around);
    if (typeof other === "string") return plus(alone, missing(other, around));
    return plus(alone, await new EchoSuite(around, other, xmppjs).run());
  },
};
