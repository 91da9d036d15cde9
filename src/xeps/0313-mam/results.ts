// XEP-0313 "Query results": the entries of a page as messages, in chunks that wait for the reader's socket, and the <fin/> after them.
import type { Log } from "../../core/log.js";
import { idToText, timeOf } from "../../core/ids.js";
import type { Session } from "../../core/session.js";
import { message } from "../../stanza/build.js";
import { forwarded } from "../../stanza/forward.js";
import type { JID } from "../../stanza/jid.js";
import { pageSet } from "../../stanza/rsm.js";
import { Stanza } from "../../stanza/stanza.js";
import type { LogRow } from "../../storage/port.js";
import { parseElement } from "../../xml/document.js";
import { type Element, xml } from "../../xml/element.js";
import { escapeAttribute } from "../../xml/escape.js";
import { UNLIMITED } from "../../xml/limits.js";
import { NS } from "../../xml/namespaces.js";
import { toWire, type Wire, w } from "../../xml/wire.js";
import { noteShown } from "../0160-offline/api.js";
import { stanzaId, withoutStanzaIds } from "../0359-stable-ids.api.js";
import { chunks, drained, type Pace } from "../pacing.js";
import type { ArchiveQuery } from "./query.js";
import type { ArchivePage } from "./view.js";

/** A stored stanza as the archive's readers see it. */
export type Present = (stanza: Stanza, row: LogRow) => Stanza;

export interface Sending {
  readonly session: Session;
  /** The archive's address. */
  readonly from: JID;
  readonly present: Present;
  readonly log: Log;
  /** One for all who read. */
  readonly pace: Pace;
}

const MAM = escapeAttribute(NS.mam);

/** Sends the page. False if the session's stream ended before it had all. */
export async function sendPage(sending: Sending, page: ArchivePage, query: ArchiveQuery): Promise<boolean> {
  const { session, pace } = sending;
  for (const chunk of chunks(query.flipped ? page.rows.toReversed() : page.rows)) {
    await pace.turn();
    if (!session.open) return false;
    for (const row of chunk) sendOne(sending, row, query.queryId);
    if (!(await drained(session))) return false;
  }
  return session.open;
}

/** A damaged entry is no reason to keep the others back. */
function sendOne({ session, from, present, log }: Sending, row: LogRow, queryId: string | undefined): void {
  try {
    const stanza = present(Stanza.of(parseElement(row.stanza, UNLIMITED), {}), row);
    session.overtake(message({ from, to: session.jid }, resultOf(row.id, stanza, queryId)), noteShown(session, row));
  } catch (error) {
    log.error({ ev: "archive.entry_damaged", jid: from, id: row.id, err: error });
  }
}

function resultOf(id: number, stanza: Stanza, queryId: string | undefined): Wire {
  const echo = queryId === undefined ? ("" as Wire) : w` queryid='${escapeAttribute(queryId)}'`;
  return w`<result xmlns='${MAM}'${echo} id='${idText(id)}'>${forwarded(stanza, timeOf(id))}</result>`;
}

/** "The final <iq/> result response": which page it was. Entries are never added below others, so what was sent is stable. */
export function fin({ rows, complete, index, count }: ArchivePage): Element {
  const first = rows[0];
  const last = rows.at(-1);
  return xml(
    "fin",
    { xmlns: NS.mam, complete: complete ? "true" : undefined, stable: "true" },
    pageSet({ first: first && idToText(first.id), last: last && idToText(last.id), index, count }),
  );
}

/** In an account's archive each message carries the stanza-id it was delivered with (XEP-0359), and no other by the account. */
export function withStanzaId(owner: JID): Present {
  return (stanza, row) => withoutStanzaIds(stanza, owner).plus(stanzaId(owner, row.id));
}

function idText(id: number): Wire {
  return toWire(idToText(id));
}
