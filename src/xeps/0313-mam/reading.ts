// XEP-0313 "Querying an archive": answers those who may read an archive, a user's or a room's. Who may is the caller's to decide; what can be
// asked is in query.ts, the pages are in view.ts, what is sent in results.ts.
import type { Context } from "../../core/context.js";
import type { Answer } from "../../core/feature.js";
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
import { type ArchiveKind, type ArchiveQuery, queryForm, queryOf } from "./query.js";
import { fin, type Present, type Sending, sendPage, withStanzaId } from "./results.js";
import { Turns } from "./turns.js";
import { type ArchivePage, ArchiveView } from "./view.js";

/** What is told of an address that has an archive. */
export const ARCHIVE_FEATURES: readonly string[] = [
  NS.mam,
  `${NS.mam}#extended`,
  NS.rsm,
  NS.orderBy,
  orderByFeature(NS.mam),
  "urn:xmpp:fulltext:0",
];

/** An archive as it is open to one reader. */
export interface OpenArchive {
  readonly kind: ArchiveKind;
  /** Entries as this reader may see them; each with its stanza-id in any case. */
  readonly present?: Present;
  /** Why they may not read it any more; asked when a page has been read, before any of it is sent. */
  readonly denial?: () => Promise<StanzaError | undefined>;
}

type Later = () => Promise<Answer>;

/** Nobody takes the results now; a client that comes back to its session is told so, and asks again. */
const GONE = new StanzaError("recipient-unavailable");

export class ArchiveReading {
  readonly #context: Context;
  readonly #turns: Turns;
  readonly #positions: Positions;

  constructor(context: Context) {
    this.#context = context;
    this.#turns = new Turns(context);
    this.#positions = new Positions(context);
  }

  /** "Retrieving form fields" */
  form(kind: ArchiveKind): Answer {
    return [queryForm(kind)];
  }

  /** Refused at once, or answered later: the results go to the session before the answer. */
  query(archive: OpenArchive, session: Session, request: Element): StanzaError | Later {
    const wanted = attempt(() => queryOf(request, archive.kind));
    if (wanted instanceof StanzaError) return wanted;
    return () => this.#turns.ofSession(session, () => this.#answer(archive, session, wanted));
  }

  /** "Archive metadata" */
  metadata({ kind, denial }: OpenArchive): Later {
    return async () => {
      const ends = await this.#view(kind).ends();
      const denied = await denial?.();
      if (denied) return denied;
      return [xml("metadata", { xmlns: NS.mam }, ...(ends ? [end("start", ends.start), end("end", ends.end)] : []))];
    };
  }

  async #answer(archive: OpenArchive, session: Session, wanted: ArchiveQuery): Promise<Answer> {
    if (!session.open || session.management?.isWaiting) return GONE;
    const page = await this.#page(archive.kind, wanted);
    if (page instanceof StanzaError) return page;
    const denied = await archive.denial?.();
    if (denied) return denied;
    return (await sendPage(this.#sending(archive, session), page, wanted)) ? [fin(page)] : GONE;
  }

  #page(kind: ArchiveKind, wanted: ArchiveQuery): Promise<ArchivePage | StanzaError> {
    const read = (): Promise<ArchivePage | StanzaError> => this.#view(kind).page(wanted);
    return wanted.filter.text === undefined ? read() : this.#turns.search(read);
  }

  #sending({ kind: { owner }, present = asIs }: OpenArchive, session: Session): Sending {
    const stamped = withStanzaId(owner);
    return {
      session,
      from: owner,
      present: (stanza, row) => stamped(present(stanza, row), row),
      log: this.#context.log,
      pace: this.#turns.pace,
    };
  }

  #view(kind: ArchiveKind): ArchiveView {
    return new ArchiveView(this.#context, this.#positions, kind);
  }
}

const readings = new WeakMap<Context, ArchiveReading>();

/** The one of this server: all who read, whatever archive, take turns with each other. */
export function archiveReading(context: Context): ArchiveReading {
  const known = readings.get(context) ?? new ArchiveReading(context);
  readings.set(context, known);
  return known;
}

function asIs(stanza: Parameters<Present>[0]): ReturnType<Present> {
  return stanza;
}

function end(name: "start" | "end", { id }: LogRow): Element {
  return xml(name, { id: idToText(id), timestamp: timestamp(timeOf(id)) });
}
