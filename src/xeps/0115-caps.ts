// XEP-0115 "Stream Feature": the server's own capabilities as a hash in the stream features, so that clients need not ask each time.
import type { Context } from "../core/context.js";
import type { Feature } from "../core/feature.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { infoQuery, serverInfo } from "./0030-disco.api.js";
import { SOFTWARE_URI, verification } from "./0115-caps.api.js";

export function caps(context: Context): Feature {
  let ver: string | undefined; // the features do not change while the server runs
  const ownCaps = (): Element => {
    ver ??= verification(infoQuery(serverInfo(context.features()), undefined));
    return xml("c", { xmlns: NS.caps, hash: "sha-1", node: SOFTWARE_URI, ver });
  };
  return {
    name: "caps",
    specs: [
      { xep: 115, version: "1.6.0", status: "complete", since: "0.1.0", note: "stream feature; no caps optimization" },
    ],
    disco: { server: [NS.caps] },
    streamFeatures: (stream) => (stream.authenticated ? [ownCaps()] : []),
  };
}
