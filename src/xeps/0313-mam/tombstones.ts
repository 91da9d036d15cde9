// XEP-0424 "Tombstones": when its author retracts a message, what the logs have of it is replaced by a note that it was there. The message
// is looked for once the retraction is durable, among the last ones of the conversation; where it is not found nothing changes, and
// clients act on the retraction, which is always in the archive.
import type { Context } from "../../core/context.js";
import { timeOf } from "../../core/ids.js";
import { type Child, message } from "../../stanza/build.js";
import { timestamp } from "../../stanza/delay.js";
import { type JID } from "../../stanza/jid.js";
import { Stanza } from "../../stanza/stanza.js";
import type { LogRow } from "../../storage/port.js";
import { attributeIn } from "../../xml/attribute.js";
import { parseElement } from "../../xml/document.js";
import { escapeAttribute } from "../../xml/escape.js";
import { UNLIMITED } from "../../xml/limits.js";
import { NS } from "../../xml/namespaces.js";
import { type Wire, w } from "../../xml/wire.js";
import { originIdOf } from "../0359-stable-ids.api.js";

const PAGE = 100;
const MAX_PAGES = 20; // of one conversation: people retract what they have just said
const MAX_WAITING = 1000; // retractions not yet looked into, of the whole server; more make no tombstones

/** A retraction in the log of one of its two sides. */
export interface Retraction {
  readonly owner: JID;
  /** Bare JID of the other side. */
  readonly other: JID;
  readonly stanza: Stanza;
  /** The retraction's own id in that log, or a later one; the message lies below it. */
  readonly before: number;
}

/** The id of the message that the stanza retracts. */
export function retractedBy(stanza: Stanza): string | undefined {
  for (const span of stanza.children)
    if (span.ns === NS.retraction && span.name === "retract") return attributeIn(stanza.raw(span), "id") || undefined;
  return undefined;
}

/** Makes tombstones one after the other, so that a flood of retractions reads no faster than one page at a time. */
export class Tombstones {
  readonly #context: Context;
  readonly #waiting: Retraction[] = [];
  #working = false;

  constructor(context: Context) {
    this.#context = context;
  }

  add(retraction: Retraction): void {
    if (this.#waiting.length >= MAX_WAITING)
      return this.#context.log.warn({ ev: "archive.retraction_ignored", jid: retraction.owner });
    this.#waiting.push(retraction);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await this.#bury(next);
    this.#working = false;
  }

  async #bury(retraction: Retraction): Promise<void> {
    try {
      const found = await this.#find(retraction);
      if (!found) return;
      const { owner, id } = found.row;
      const write = { op: "revise", owner, id, stanza: tombstone(found.stanza, retraction) } as const;
      const outcome = await this.#context.committer.commit([write]);
      if (outcome !== "done") throw new Error(`the store said: ${outcome}`);
    } catch (error) {
      this.#context.log.warn({ ev: "archive.tombstone_failed", jid: retraction.owner, err: error });
    }
  }

  async #find({ owner, other, stanza, before }: Retraction): Promise<Original | undefined> {
    const target = retractedBy(stanza) ?? "";
    let range = { with: other.toString(), before };
    for (let page = 0; page < MAX_PAGES; page++) {
      const rows = await this.#context.storage.log(owner.toString(), { ...range, backwards: true, limit: PAGE });
      for (const row of rows) {
        const original = originalIn(row, target);
        if (original && isSameAuthor(original, stanza)) return { row, stanza: original };
      }
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return undefined;
      range = { ...range, before: last.id };
    }
    return undefined;
  }
}

interface Original {
  readonly row: LogRow;
  readonly stanza: Stanza;
}

/** The row's message, if it has that id and is no tombstone yet. Most rows need not be scanned to see that they have not. */
function originalIn(row: LogRow, target: string): Stanza | undefined {
  if (row.originId !== target && !row.stanza.includes(escapeAttribute(target))) return undefined;
  if (row.stanza === "") return undefined;
  const stanza = Stanza.of(parseElement(row.stanza, UNLIMITED), {});
  const isMeant = stanza.id === target || originIdOf(stanza) === target;
  return isMeant && !stanza.has("retracted", NS.retraction) ? stanza : undefined;
}

/** "Business Rules": the same bare JID or, where that is a room of which both are occupants, the same full one. */
function isSameAuthor(original: Stanza, retraction: Stanza): boolean {
  const [author, retractor] = [original.from, retraction.from];
  if (!author || !retractor) return false;
  const isPrivateInRoom = original.has("x", NS.mucUser) || retraction.has("x", NS.mucUser);
  return isPrivateInRoom ? author.equals(retractor) : author.bare.equals(retractor.bare);
}

function tombstone(original: Stanza, { stanza, before }: Retraction): Wire {
  const by = escapeAttribute(stanza.id ?? originIdOf(stanza) ?? "");
  const stamp = timestamp(timeOf(before)) as Wire;
  return tombstoneOf(original, w`<retracted xmlns='${escapeAttribute(NS.retraction)}' id='${by}' stamp='${stamp}'/>`);
}

/** What is stored in place of a retracted message; `children` take the place of what it said. */
export function tombstoneOf({ from, to, id, lang, type }: Stanza, ...children: readonly Child[]): Wire {
  const head = { from, to, id, lang, type: type === "chat" || type === "groupchat" ? type : undefined } as const;
  return message(head, ...children).toWire(NS.client);
}
