// XEP-0313 "Querying an archive": what a <query/> asks for, with the fields of the form, the page (XEP-0059), the order (XEP-0413)
// and the full text (XEP-0431). Everything in it is checked here; ids are positions in the log from here on.
import { idFromText } from "../../core/ids.js";
import { timeOfText } from "../../stanza/datetime.js";
import { StanzaError } from "../../stanza/errors.js";
import { type Field, form, Submission, unacceptable } from "../../stanza/forms.js";
import type { JID } from "../../stanza/jid.js";
import { type PageRequest, pageRequestOf, pageSize } from "../../stanza/rsm.js";
import type { LogRange } from "../../storage/port.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { ordersOf } from "../0413-order-by.api.js";

/** Whose archive it is: what the fields mean depends on it a little. */
export interface ArchiveKind {
  readonly owner: JID;
  /** A user's archive, which has messages from and to the owner; else a room's, with messages from its occupants. */
  readonly of: "user" | "room";
}

export interface ArchiveQuery {
  /** Which entries are meant: always shown ones. */
  readonly filter: LogRange;
  /** Ids that must be in the archive; hidden entries count, their ids were given to clients too. */
  readonly anchors: readonly number[];
  /** Most entries on the page. */
  readonly limit: number;
  /** The page begins behind this entry, in the wanted order. */
  readonly after: number | undefined;
  /** The page ends before this entry, or at the end of the list. Paging backwards. */
  readonly before: number | "end" | undefined;
  /** The list is in falling order. */
  readonly newestFirst: boolean;
  /** The page is sent from its end. */
  readonly flipped: boolean;
  readonly queryId: string | undefined;
}

const DEFAULT_PAGE = 100; // what clients ask for if they say so
const MAX_PAGE = 500; // a page is read in slices and bounded in bytes too, so this only saves round trips
const MAX_IDS = 1000;
const MAX_TEXT = 256; // characters: a sentence to look for
const MAX_QUERY_ID = 256; // it is repeated in every result
const PER_MS = 1024; // ids in a millisecond (core/ids.ts)

const FULL_TEXT = "{urn:xmpp:fulltext:0}fulltext";
const WITH_TEXT = "withtext"; // COMPAT(clients of other servers): the same before XEP-0431
const GROUPCHAT = "include-groupchat";
const OPEN_LIST = xml(
  "validate",
  { xmlns: "http://jabber.org/protocol/xdata-validate", datatype: "xs:string" },
  xml("open"),
);

const FIELDS: readonly Field[] = [
  { var: "with", type: "jid-single" },
  { var: "start", type: "text-single" },
  { var: "end", type: "text-single" },
  { var: "before-id", type: "text-single" },
  { var: "after-id", type: "text-single" },
  { var: "ids", type: "list-multi", extra: [OPEN_LIST] },
  { var: FULL_TEXT, type: "text-single" },
  { var: WITH_TEXT, type: "text-single" },
];
const USER_FIELDS: readonly Field[] = [...FIELDS, { var: GROUPCHAT, type: "boolean" }];

/** "Retrieving form fields": all that can be asked for. */
export function queryForm(kind: ArchiveKind): Element {
  return xml("query", { xmlns: NS.mam }, form("form", NS.mam, fieldsOf(kind)));
}

/** Throws StanzaError for a query that is malformed, asks for what is not there, or wants what nobody here knows. */
export function queryOf(request: Element, kind: ArchiveKind): ArchiveQuery {
  if (request.attrs["node"] !== undefined) throw new StanzaError("feature-not-implemented");
  const wanted = Submission.of(request, NS.mam);
  const page = pageRequestOf(request);
  if (page.index !== undefined)
    throw new StanzaError("feature-not-implemented", "cancel", "ask for pages by id, not by index");
  const bounds = boundsOf(wanted);
  const after = page.after === undefined ? undefined : positionOf(page.after);
  const before = endOf(page);
  return {
    filter: filterOf(wanted, bounds, kind),
    anchors: [bounds.afterId, bounds.beforeId, after, before].filter((id) => typeof id === "number"),
    limit: pageSize(page, DEFAULT_PAGE, MAX_PAGE),
    after,
    before,
    newestFirst: ordersOf(request)[0]?.descending === true, // no two entries are of the same time: the first order decides
    flipped: request.getChild("flip-page", NS.mam) !== undefined,
    queryId: queryIdOf(request),
  };
}

/** The `queryid` by which a client knows the results of its query. Throws StanzaError `bad-request` if it is too long. */
function queryIdOf({ attrs }: Element): string | undefined {
  const queryId: unknown = attrs["queryid"];
  if (typeof queryId !== "string") return undefined;
  if (queryId.length > MAX_QUERY_ID) throw new StanzaError("bad-request", "modify", "queryid is too long");
  return queryId;
}

function fieldsOf({ of }: ArchiveKind): readonly Field[] {
  return of === "user" ? USER_FIELDS : FIELDS;
}

function endOf({ before }: PageRequest): number | "end" | undefined {
  return before === undefined ? undefined : before === "" ? "end" : positionOf(before);
}

interface Bounds {
  readonly afterId: number | undefined;
  readonly beforeId: number | undefined;
  /** The lowest and highest id of the timespan. */
  readonly lowest: number;
  readonly highest: number;
}

function boundsOf(wanted: Submission | undefined): Bounds {
  const afterId = wanted?.text("after-id");
  const beforeId = wanted?.text("before-id");
  const start = Math.ceil(timeIn(wanted, "start") ?? 0);
  const end = Math.floor(timeIn(wanted, "end") ?? Number.MAX_SAFE_INTEGER);
  return {
    afterId: afterId === undefined ? undefined : positionOf(afterId),
    beforeId: beforeId === undefined ? undefined : positionOf(beforeId),
    lowest: safe(start * PER_MS),
    highest: safe(end * PER_MS + PER_MS - 1),
  };
}

/** The range of ids, exclusive at both ends, and the other conditions. */
function filterOf(wanted: Submission | undefined, bounds: Bounds, kind: ArchiveKind): LogRange {
  checkNames(wanted, kind);
  const after = Math.max(bounds.lowest - 1, bounds.afterId ?? -1);
  const before = Math.min(safe(bounds.highest + 1), bounds.beforeId ?? Infinity);
  const ids = wanted && idsIn(wanted);
  const text = wanted && textIn(wanted);
  return {
    shown: true,
    ...(after >= 0 ? { after } : {}),
    ...(before < Number.MAX_SAFE_INTEGER ? { before } : {}),
    ...withIn(wanted, kind),
    ...(ids ? { ids } : {}),
    ...(text === undefined ? {} : { text }),
  };
}

/** "If a client includes a form field that the server does not recognise, the server MUST respond with a 'feature-not-implemented' error." */
function checkNames(wanted: Submission | undefined, kind: ArchiveKind): void {
  const known = new Set(fieldsOf(kind).map((field) => field.var));
  for (const name of wanted?.names ?? [])
    if (!known.has(name)) throw new StanzaError("feature-not-implemented", "cancel", "a field that is not known");
  wanted?.boolean(GROUPCHAT); // no archive of a user has groupchat messages: with or without them it is the same
}

/** "Filtering by JID". Messages to oneself are found by either address, whatever the resource. */
function withIn(wanted: Submission | undefined, { owner, of }: ArchiveKind): Pick<LogRange, "with" | "resource"> {
  const jid = wanted?.jid("with");
  if (!jid) return {};
  const other = jid.bare.toString();
  return jid.isBare || (of === "user" && jid.bare.equals(owner))
    ? { with: other }
    : { with: other, resource: jid.resource };
}

function idsIn(wanted: Submission): readonly number[] | undefined {
  const texts = wanted.all("ids");
  if (texts.length > MAX_IDS) throw unacceptable("ids", `has more than ${MAX_IDS} values`);
  return texts.length === 0 ? undefined : [...new Set(texts.map(positionOf))];
}

function textIn(wanted: Submission): string | undefined {
  const texts = [FULL_TEXT, WITH_TEXT].flatMap((name) => wanted.text(name) ?? []);
  const text = texts.join(" ");
  if (text.length > MAX_TEXT) throw unacceptable("fulltext", `is longer than ${MAX_TEXT} characters`);
  return text === "" ? undefined : text;
}

function timeIn(wanted: Submission | undefined, name: "start" | "end"): number | undefined {
  const text = wanted?.text(name);
  const time = text === undefined ? undefined : timeOfText(text);
  if (text !== undefined && time === undefined) throw unacceptable(name, "is not a XEP-0082 DateTime");
  return time;
}

/** What is not an id of ours cannot be in the archive. */
function positionOf(text: string): number {
  const id = idFromText(text);
  if (id === undefined) throw new StanzaError("item-not-found");
  return id;
}

function safe(id: number): number {
  return Math.min(Math.max(id, 0), Number.MAX_SAFE_INTEGER);
}
