// XEP-0092: name and version of the server's software. The operating system is never told (XEP-0092 "Security Considerations").
import type { Context } from "../core/context.js";
import type { Feature } from "../core/feature.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

export function version(context: Pick<Context, "software">): Feature {
  const answer = () => {
    const { name, version } = context.software;
    return [xml("query", { xmlns: NS.version }, xml("name", {}, name), xml("version", {}, version))];
  };
  return {
    name: "version",
    specs: [{ xep: 92, version: "1.1", status: "complete", since: "0.1.0" }],
    disco: { server: [NS.version] },
    iq: { server: { "get jabber:iq:version query": answer } },
  };
}
