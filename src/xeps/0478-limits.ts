// XEP-0478: what the server takes in one element of this stream, and how long the stream may be silent. Less before login.
import type { Context } from "../core/context.js";
import type { Feature, StreamInfo } from "../core/feature.js";
import type { Limits } from "../core/limits.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

export function limits(context: Pick<Context, "config">): Feature {
  return {
    name: "limits",
    specs: [{ xep: 478, version: "0.2.0", status: "complete", since: "0.1.0" }],
    streamFeatures: (stream) => [advertised(context.config.limits, stream)],
  };
}

function advertised(limits: Limits, { authenticated }: StreamInfo): Element {
  return authenticated
    ? advert(limits.stanza_bytes, limits.idle_timeout)
    : advert(limits.preauth_bytes, limits.preauth_deadline);
}

/** A limit that is off is not told. */
function advert(bytes: number, idleMs: number): Element {
  const maxBytes = bytes === Infinity ? [] : [xml("max-bytes", {}, String(bytes))];
  const idleSeconds = idleMs === Infinity ? [] : [xml("idle-seconds", {}, String(Math.floor(idleMs / 1000)))];
  return xml("limits", { xmlns: NS.streamLimits }, ...maxBytes, ...idleSeconds);
}
