// RFC 3921 §3, obsolete since RFC 6121: older clients still ask for a session after binding. It is announced as optional and granted.
import type { Feature, IqHandler } from "../core/feature.js";
import { StanzaError } from "../stanza/errors.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

const grant: IqHandler = ({ account, own }) => (account && !own ? new StanzaError("service-unavailable") : []);

export const session: Feature = {
  name: "session",
  specs: [],
  streamFeatures: ({ authenticated }) =>
    authenticated ? [xml("session", { xmlns: NS.session }, xml("optional"))] : [],
  iq: {
    server: { "set urn:ietf:params:xml:ns:xmpp-session session": grant },
    account: { "set urn:ietf:params:xml:ns:xmpp-session session": grant },
  },
};
