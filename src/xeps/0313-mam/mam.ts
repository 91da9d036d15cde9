// XEP-0313: an account's messages on the server, to be asked for by its clients (and only by them). What is kept is in keeping.ts, how it is
// read in reading.ts, what others may send in solicited.ts.
import type { Context } from "../../core/context.js";
import type { Feature, Iq } from "../../core/feature.js";
import { StanzaError } from "../../stanza/errors.js";
import { NS } from "../../xml/namespaces.js";
import type { ArchiveKind } from "./query.js";
import { ARCHIVE_FEATURES, archiveReading } from "./reading.js";
import { noteAnswer, noteQuery, refuseUnsolicited } from "./solicited.js";

export function mam(context: Context): Feature {
  const reading = archiveReading(context);
  return {
    name: "mam",
    specs: [
      { xep: 4, version: "2.13.2", status: "partial", since: "0.1.0", note: "in what is implemented here" },
      { xep: 59, version: "1.0", status: "partial", since: "0.1.0", note: "in archives; no pages by index" },
      { xep: 297, version: "1.0", status: "complete", since: "0.1.0" },
      { xep: 313, version: "1.1.3", status: "complete", since: "0.1.0" },
      { xep: 413, version: "0.2.1", status: "partial", since: "0.1.0", note: "in archives" },
      { xep: 431, version: "0.2.0", status: "complete", since: "0.1.0" },
    ],
    disco: { account: [...ARCHIVE_FEATURES, `${NS.mam}#groupchat-field`] },
    sent: { iq: { after: noteQuery } },
    received: { message: { guard: refuseUnsolicited }, iq: { after: noteAnswer } },
    iq: {
      account: {
        "set urn:xmpp:mam:2 query": (iq) => {
          const { own, flow, payload } = iq;
          return own && flow.session ? reading.query({ kind: kindOf(iq) }, flow.session, payload) : FORBIDDEN;
        },
        "get urn:xmpp:mam:2 query": (iq) => (iq.own ? reading.form(kindOf(iq)) : FORBIDDEN),
        "get urn:xmpp:mam:2 metadata": (iq) => (iq.own ? reading.metadata({ kind: kindOf(iq) }) : FORBIDDEN),
      },
    },
  };
}

/** "If a client requests access to an archive it does not have permissions for": the same whether there is one or not (R5). */
const FORBIDDEN = new StanzaError("forbidden");

function kindOf({ from }: Iq): ArchiveKind {
  return { owner: from.bare, of: "user" };
}
