// XEP-0199: the server answers pings to itself, and those of an account to its own bare JID (also when they have no `to`).
// Anybody else's ping to a bare JID is refused as if the account did not exist (rulings 26).
import type { Feature } from "../core/feature.js";
import { StanzaError } from "../stanza/errors.js";
import { NS } from "../xml/namespaces.js";

export const ping: Feature = {
  name: "ping",
  specs: [{ xep: 199, version: "2.0.1", status: "complete", since: "0.1.0" }],
  disco: { server: [NS.ping], account: [NS.ping] },
  iq: {
    server: { "get urn:xmpp:ping ping": () => [] },
    account: { "get urn:xmpp:ping ping": ({ own }) => (own ? [] : new StanzaError("service-unavailable")) },
  },
};
