// A message in a room's archive: as it was said, and whose it was in truth, which is for those who may know it (XEP-0313 "MUC Archives").
import { JID } from "../stanza/jid.js";
import { Stanza } from "../stanza/stanza.js";
import type { LogRow } from "../storage/port.js";
import { parseElement } from "../xml/document.js";
import { xml } from "../xml/element.js";
import type { Span } from "../xml/fragment.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";
import type { Standing } from "./privileges.js";

export interface Author extends Standing {
  /** Full JID. */
  readonly jid: JID;
}

/** A message of the archive that somebody refers to. */
export interface Cited {
  readonly id: number;
  /** As it is stored. */
  readonly stanza: Stanza;
  /** Bare JID of the account that said it. */
  readonly author: JID | undefined;
}

export function citedIn(row: LogRow): Cited | undefined {
  const stanza = storedIn(row);
  return stanza && { id: row.id, stanza, author: authorOf(stanza) };
}

/** What the entry has; undefined if nothing is left of it. */
export function storedIn({ stanza }: LogRow): Stanza | undefined {
  return stanza === "" ? undefined : Stanza.of(parseElement(stanza, UNLIMITED), {});
}

/** As it is stored. The message has no such mark by anybody else. */
export function withAuthor(message: Stanza, { jid, affiliation, role }: Author): Stanza {
  const item = xml("item", { affiliation, role, jid: jid.toString() });
  return message.plus(elementToWire(xml("x", { xmlns: NS.mucUser }, item), NS.client));
}

export function authorOf(stored: Stanza): JID | undefined {
  const jid: unknown = stored.child("x", NS.mucUser)?.getChild("item")?.attrs["jid"];
  return typeof jid === "string" ? JID.parse(jid).bare : undefined;
}

/** As everybody may see it. */
export function withoutAuthor(stored: Stanza): Stanza {
  const marks = stored.children.filter(isAuthor);
  return marks.length === 0 ? stored : stored.without(...marks);
}

/** What says who sent it, under which name and in truth, and nothing of what they said. */
export function signatureOf(stored: Stanza): Wire {
  const kept = stored.children.filter((span) => isAuthor(span) || isOccupantId(span));
  return kept.map((span) => stored.raw(span)).join("") as Wire;
}

function isAuthor({ name, ns }: Span): boolean {
  return name === "x" && ns === NS.mucUser;
}

function isOccupantId({ name, ns }: Span): boolean {
  return name === "occupant-id" && ns === NS.occupantId;
}
