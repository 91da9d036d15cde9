// XEP-0030: what the server and its accounts are, can do, and have. It only reads the manifests of the features and the services.
// Who may ask about an account is in mayAsk(): to all others it answers as if there were no such account (rulings 26).
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq } from "../core/feature.js";
import { mayseePresence } from "../roster/api.js";
import { StanzaError } from "../stanza/errors.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { accountInfo, infoQuery, itemsQuery, nodeOf, serverInfo } from "./0030-disco.api.js";
import { capsNode } from "./0115-caps.api.js";

export function disco(context: Context): Feature {
  return {
    name: "disco",
    specs: [
      { xep: 30, version: "2.5.0", status: "complete", since: "0.1.0" },
      { xep: 128, version: "1.0.1", status: "complete", since: "0.1.0" },
    ],
    disco: {
      server: [NS.discoInfo, NS.discoItems],
      account: [NS.discoInfo, NS.discoItems],
      serverIdentities: [{ category: "server", type: "im", name: "Rookery" }],
      accountIdentities: [{ category: "account", type: "registered" }],
    },
    iq: {
      server: {
        "get http://jabber.org/protocol/disco#info query": (iq) => aboutServer(context, iq),
        "get http://jabber.org/protocol/disco#items query": (iq) => itemsOfServer(context, iq),
      },
      account: {
        "get http://jabber.org/protocol/disco#info query": (iq) => aboutAccount(context, iq),
        "get http://jabber.org/protocol/disco#items query": itemsOfAccount,
      },
    },
  };
}

function aboutServer(context: Context, { payload }: Iq): Answer {
  const node = nodeOf(payload);
  const info = serverInfo(context.features());
  if (node && node !== capsNode(info)) return new StanzaError("item-not-found");
  return [infoQuery(info, node)];
}

function itemsOfServer(context: Context, { stanza, payload }: Iq): Answer {
  const node = nodeOf(payload);
  if (node) return new StanzaError("item-not-found");
  const domain = stanza.to?.domain ?? "";
  const own = context.services().filter((service) => service.domain.endsWith(`.${domain}`));
  const items = own.map(({ domain: jid, identity }) => xml("item", { jid, name: identity.name }));
  return [itemsQuery(items, node)];
}

function aboutAccount(context: Context, iq: Iq): Answer {
  if (!mayAsk(iq)) return new StanzaError("service-unavailable");
  const node = nodeOf(iq.payload);
  if (node) return new StanzaError("item-not-found");
  return [infoQuery(accountInfo(context.features()), node)];
}

/** XEP-0030 "Security Considerations": others are told of no items, whether the account exists or not. */
function itemsOfAccount(iq: Iq): Answer {
  const node = nodeOf(iq.payload);
  if (!mayAsk(iq)) return [itemsQuery([], node)];
  if (node) return new StanzaError("item-not-found");
  const available = [...(iq.account?.sessions.values() ?? [])].filter((session) => session.isAvailable);
  return [
    itemsQuery(
      available.map((session) => xml("item", { jid: session.jid.toString() })),
      node,
    ),
  ];
}

function mayAsk({ account, own, from }: Iq): boolean {
  return account?.exists === true && (own || mayseePresence(account, from));
}
