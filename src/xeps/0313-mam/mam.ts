// XEP-0313: an account's messages on the server, to be asked for by its clients (and only by them). What is kept is in keeping.ts, what can
// be asked in query.ts, the pages in view.ts, what is sent in results.ts, what others may send in solicited.ts.
import type { Context } from "../../core/context.js";
import type { Answer, Feature, Iq } from "../../core/feature.js";
import { idToText, timeOf } from "../../core/ids.js";
import type { Session } from "../../core/session.js";
import { attempt } from "../../stanza/attempt.js";
import { timestamp } from "../../stanza/delay.js";
import { StanzaError } from "../../stanza/errors.js";
import type { LogRow } from "../../storage/port.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { orderByFeature } from "../0413-order-by.api.js";
import { Positions } from "./positions.js";
import { type ArchiveQuery, queryForm, queryOf } from "./query.js";
import { fin, type Sending, sendPage, withStanzaId } from "./results.js";
import { noteAnswer, noteQuery, refuseUnsolicited } from "./solicited.js";
import { Turns } from "./turns.js";
import { type ArchivePage, ArchiveView } from "./view.js";

type Later = () => Promise<Answer>;

export function mam(context: Context): Feature {
  const turns = new Turns(context);
  const positions = new Positions(context);
  const viewOf = ({ from }: Iq): ArchiveView => new ArchiveView(context, positions, { owner: from.bare, of: "user" });
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
    disco: {
      account: [
        NS.mam,
        `${NS.mam}#extended`,
        `${NS.mam}#groupchat-field`,
        NS.rsm,
        NS.orderBy,
        orderByFeature(NS.mam),
        "urn:xmpp:fulltext:0",
      ],
    },
    sent: { iq: { after: noteQuery } },
    received: { message: { guard: refuseUnsolicited }, iq: { after: noteAnswer } },
    iq: {
      account: {
        "set urn:xmpp:mam:2 query": (iq) => query(context, turns, viewOf(iq), iq),
        "get urn:xmpp:mam:2 query": (iq) => owned(iq) ?? [queryForm({ owner: iq.from.bare, of: "user" })],
        "get urn:xmpp:mam:2 metadata": (iq) => owned(iq) ?? (() => metadata(viewOf(iq))),
      },
    },
  };
}

/** "If a client requests access to an archive it does not have permissions for": the same whether there is one or not (R5). */
function owned({ own }: Iq): StanzaError | undefined {
  return own ? undefined : new StanzaError("forbidden");
}

function query(context: Context, turns: Turns, view: ArchiveView, iq: Iq): StanzaError | Later {
  const { session } = iq.flow;
  if (!iq.own || !session) return new StanzaError("forbidden");
  const wanted = attempt(() => queryOf(iq.payload, view.kind));
  if (wanted instanceof StanzaError) return wanted;
  return () => turns.ofSession(session, () => answer(context, turns, view, session, wanted));
}

/** The results go out before the answer. */
async function answer(
  context: Context,
  turns: Turns,
  view: ArchiveView,
  session: Session,
  wanted: ArchiveQuery,
): Promise<Answer> {
  if (!session.open || session.management?.isWaiting) return GONE;
  const read = (): Promise<ArchivePage | StanzaError> => view.page(wanted);
  const page = await (wanted.filter.text === undefined ? read() : turns.search(read));
  if (page instanceof StanzaError) return page;
  const { owner } = view.kind;
  const sending: Sending = { session, from: owner, present: withStanzaId(owner), log: context.log, pace: turns.pace };
  return (await sendPage(sending, page, wanted)) ? [fin(page)] : GONE;
}

/** Nobody takes the results now; a client that comes back to its session is told so, and asks again. */
const GONE = new StanzaError("recipient-unavailable");

/** "Archive metadata" */
async function metadata(view: ArchiveView): Promise<Answer> {
  const ends = await view.ends();
  return [xml("metadata", { xmlns: NS.mam }, ...(ends ? [end("start", ends.start), end("end", ends.end)] : []))];
}

function end(name: "start" | "end", { id }: LogRow): Element {
  return xml(name, { id: idToText(id), timestamp: timestamp(timeOf(id)) });
}
