// XEP-0054: one vCard per account, set by its owner and readable by everybody (by contacts only with `public_vcards = false`).
// An account without a vCard and one that does not exist answer alike ("Viewing Another User's vCard").
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq } from "../core/feature.js";
import { mayseePresence } from "../roster/api.js";
import { StanzaError } from "../stanza/errors.js";
import type { Row } from "../storage/port.js";
import { NS } from "../xml/namespaces.js";
import { bytesIn, restored, stored } from "../xml/stored-xml.js";

const STORE = "vcard";

export function vcard(context: Context): Feature {
  return {
    name: "vcard",
    specs: [{ xep: 54, version: "1.3.0", status: "complete", since: "0.1.0" }],
    disco: { server: [NS.vcardTemp], account: [NS.vcardTemp] },
    stores: [{ name: STORE, data: "account" }],
    iq: {
      account: {
        "get vcard-temp vCard": (iq) => get(context, iq),
        "set vcard-temp vCard": (iq) => set(context, iq),
      },
    },
  };
}

function get(context: Context, { account, own, from }: Iq): Answer | (() => Promise<Answer>) {
  const none = new StanzaError(own ? "item-not-found" : "service-unavailable");
  if (!account) return none;
  const hidden = !own && !context.config.privacy.public_vcards && !mayseePresence(account, from);
  return async () => {
    const row = hidden || !account.exists ? undefined : await context.storage.get(STORE, account.jid.toString(), "");
    return row ? vcardOf(row) : none;
  };
}

/** An empty vCard takes the stored one away. */
function set(context: Context, { flow, account, own, payload }: Iq): Answer {
  if (!account || !own) return new StanzaError("forbidden");
  const place = { store: STORE, owner: account.jid.toString(), key: "" } as const;
  const text = stored(payload);
  if (bytesIn(text) > context.config.limits.vcard_bytes) return new StanzaError("policy-violation");
  if (payload.children.length === 0) flow.write({ op: "remove", ...place });
  else flow.write({ op: "put", ...place, doc: { v: 1, xml: text } });
  return [];
}

function vcardOf({ doc }: Row): Answer {
  const { xml } = doc;
  return typeof xml === "string" ? [restored(xml)] : new StanzaError("service-unavailable");
}
