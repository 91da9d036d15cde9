// Archives for tests: entries in a store in memory, queries as a client writes them.
import { FakeClock } from "../../core/fake-clock.js";
import { Ids, idToText } from "../../core/ids.js";
import { attempt } from "../../stanza/attempt.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID } from "../../stanza/jid.js";
import { MemoryDisk } from "../../storage/memory/disk.js";
import { openMemory } from "../../storage/memory/memory.js";
import type { Entry } from "../../storage/writes.js";
import { parseElement } from "../../xml/document.js";
import type { Element } from "../../xml/element.js";
import { escapeText } from "../../xml/escape.js";
import { UNLIMITED } from "../../xml/limits.js";
import { NS } from "../../xml/namespaces.js";
import { fromWire, toWire } from "../../xml/wire.js";
import { elementOf } from "../../xml/tree.js";
import { Positions } from "./positions.js";
import { type ArchiveKind, queryOf } from "./query.js";
import { type ArchivePage, ArchiveView } from "./view.js";

export const JULIET: ArchiveKind = { owner: JID.parse("juliet@localhost"), of: "user" };
/** The time of the first millisecond of the archives here. */
export const START = Date.UTC(2030, 0, 1);

export interface Kept extends Partial<Entry> {
  readonly id: number;
  readonly body: string;
}

/** The id of the nth entry of a millisecond after START. */
export function idAt(ms: number, nth = 0): number {
  return (START + ms) * 1024 + nth;
}

/** A store with these entries in juliet's log. */
export async function archiveOf(entries: readonly Kept[], disk = new MemoryDisk()) {
  const storage = openMemory([], disk);
  await storage.commit(
    entries.map(({ id, body, ...more }) => ({
      writes: [{ op: "append", owner: JULIET.owner.toString(), id, entry: entryOf(body, more) }],
    })),
  );
  const clock = new FakeClock(START);
  const ids = new Ids(clock, await storage.highestId());
  const positions = new Positions({ storage, clock, ids });
  return { storage, clock, ids, view: new ArchiveView({ storage }, positions, JULIET) };
}

export function entryOf(body: string, more: Partial<Entry> = {}): Entry {
  const stanza = `<message xmlns='${NS.client}' from='romeo@a/x' to='juliet@localhost' type='chat'><body>${fromWire(escapeText(body))}</body></message>`;
  return { with: "romeo@a", stanza: toWire(stanza), pending: false, hidden: false, ...more };
}

export interface Asked {
  /** Values of the form's fields. */
  readonly fields?: Readonly<Record<string, string | readonly string[]>>;
  /** Content of the `<set/>`. */
  readonly set?: string;
  /** Further children of the query. */
  readonly more?: string;
  readonly attributes?: string;
}

/** A query as it is written. */
export function queryText({ fields, set, more = "", attributes = "" }: Asked): string {
  const form = fields === undefined ? "" : `<x xmlns='${NS.dataForms}' type='submit'>${fieldsText(fields)}</x>`;
  const page = set === undefined ? "" : `<set xmlns='${NS.rsm}'>${set}</set>`;
  return `<query xmlns='${NS.mam}' ${attributes}>${form}${page}${more}</query>`;
}

function fieldsText(fields: NonNullable<Asked["fields"]>): string {
  return Object.entries({ FORM_TYPE: NS.mam, ...fields })
    .map(([name, values]) => `<field var='${name}'>${[values].flat().map(valueText).join("")}</field>`)
    .join("");
}

function valueText(value: string): string {
  return `<value>${fromWire(escapeText(value))}</value>`;
}

export function queryElement(asked: Asked): Element {
  return elementOf(parseElement(toWire(queryText(asked)), UNLIMITED));
}

/** The page, or the error that a query gets. */
export async function pageOf(view: ArchiveView, asked: Asked): Promise<ArchivePage | StanzaError> {
  const query = attempt(() => queryOf(queryElement(asked), view.kind));
  return query instanceof StanzaError ? query : view.page(query);
}

export function after(id: number): string {
  return `<after>${idToText(id)}</after>`;
}

export function before(id: number): string {
  return `<before>${idToText(id)}</before>`;
}
