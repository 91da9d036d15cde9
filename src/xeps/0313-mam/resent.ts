// Rulings 11: a message that a client sends again, because it lost its session before it was told that the message was handled, is
// acknowledged and not kept or delivered again. It is recognised by what its sender's own log has of the last minutes and, where nothing
// had to be written, by what is remembered of the lost sessions.
import { createHash } from "node:crypto";
import type { JID } from "../../stanza/jid.js";
import { Stanza } from "../../stanza/stanza.js";
import type { Context } from "../../core/context.js";
import { idAt, timeOf } from "../../core/ids.js";
import type { Flow } from "../../core/flow.js";
import { recentlyUsed } from "../../core/recent.js";
import type { Session } from "../../core/session.js";
import type { Deferred, Fate } from "../../core/deferred.js";
import { Slot } from "../../core/slot.js";
import type { LogRow } from "../../storage/port.js";
import { parseElement } from "../../xml/document.js";
import { UNLIMITED } from "../../xml/limits.js";
import { NS } from "../../xml/namespaces.js";
import { originIdOf } from "../0359-stable-ids.api.js";
import { Recent } from "./recent.js";

const MAX_WINDOW_MS = 86_400_000; // with limits.sm_resume off
const MAX_LOST = 50_000; // accounts remembered to have lost a session, some 10 MB; beyond it the first are forgotten
const MAX_ROWS = 5000; // of one account that are looked at, newest first: as many as a session may have without an answer
const MAX_SESSIONS = 8; // lost ones of one account whose last messages are remembered, the last of them
const PAGE = 200;

// In front of the origin id of an entry without content that says "sent". No character that can be in XML: an emptied incoming entry, with
// the id its sender chose, says nothing about what the owner has sent.
const SENT = "\u0001";

interface Lost {
  readonly until: number;
  /** Resolves when all that the lost sessions had sent is in the store, or will never be. */
  readonly settled: Promise<unknown>;
  readonly recent: ReadonlySet<Recent>;
}

interface Earlier {
  /** Of the content; "" if the entry has none to compare. */
  readonly digest: string;
  readonly state: Before;
  /** Of one that was not written; it may still change. */
  readonly fate?: Fate;
}

/** `taken`: the recipient's side had it. `kept`: the sender's log has it, but it was refused, or nothing says that it arrived. */
export type Before = "taken" | "kept";

/** What may come again, by address and origin id. */
interface Known {
  readonly until: number;
  readonly entries: ReadonlyMap<string, Earlier>;
}

export class Resent {
  readonly #context: Context;
  /** The highest id of the process before this one. */
  readonly #lastBefore: number;
  readonly #lost = recentlyUsed<string, Lost>(MAX_LOST);
  readonly #known = new Slot<Known | undefined>(() => undefined);
  readonly #recent = new Slot<Recent | undefined>(() => undefined);

  constructor(context: Context) {
    this.#context = context;
    this.#lastBefore = context.ids.last;
  }

  /** The session's client may come again with what it was not told of. */
  sessionLost(session: Session): void {
    const key = session.jid.bare.toString();
    const before = this.#lost.get(key);
    const settled = Promise.all([before?.settled, session.lane.idle()]);
    const recent = this.#recent.get(session);
    const all = new Set([...(before?.recent ?? []), ...(recent ? [recent] : [])].slice(-MAX_SESSIONS));
    this.#lost.set(key, { until: this.#context.clock.now() + this.#windowMs, settled, recent: all });
  }

  /** The message is handed to its recipient, and nothing is written. */
  handedOn(
    session: Session,
    { root, stanza }: Pick<Flow, "root" | "stanza">,
    originId: string,
    { fate }: Deferred,
  ): void {
    const recent = this.#recent.get(session) ?? new Recent();
    this.#recent.set(session, recent);
    recent.add(keyOf(String(stanza.to), originId), { digest: digestOf(root), fate });
  }

  /** Before the session's first stanza: reads what may come again, if a session of the account was lost, or the server has just started. */
  bound(session: Session): Promise<void> | undefined {
    const lost = this.#lost.get(session.jid.bare.toString());
    const until = Math.max(lost?.until ?? 0, this.#untilAfterStart);
    if (until <= this.#context.clock.now()) return undefined;
    return this.#learn(session, until, lost);
  }

  /** What the account's log says of this message, to this address and by this id, from an earlier session. */
  recognise(
    session: Session,
    { root, stanza }: Pick<Flow, "root" | "stanza">,
    to: JID,
    originId: string,
  ): Before | undefined {
    const known = this.#known.get(session);
    if (!known) return undefined;
    if (known.until <= this.#context.clock.now()) {
      this.#known.set(session, undefined);
      return undefined;
    }
    const entry = known.entries.get(keyOf(to.toString(), originId));
    if (!entry || entry.fate?.isGone) return undefined;
    return entry.digest === "" || entry.digest === digestOf(entry.fate ? root : stanza) ? entry.state : undefined;
  }

  get #windowMs(): number {
    return Math.min(this.#context.config.limits.sm_resume, MAX_WINDOW_MS);
  }

  /** Whose session the last process had is not known: all may come again, unless nothing was sent for that long. */
  get #untilAfterStart(): number {
    const until = this.#context.startedAt + this.#windowMs;
    return timeOf(this.#lastBefore) + this.#windowMs > this.#context.startedAt ? until : 0;
  }

  async #learn(session: Session, until: number, lost: Lost | undefined): Promise<void> {
    try {
      await lost?.settled;
      const entries = await this.#read(session.jid.bare);
      for (const recent of lost?.recent ?? []) remember(entries, recent);
      this.#known.set(session, { until, entries });
    } catch (error) {
      this.#context.log.warn({ ev: "archive.resent_not_known", jid: session.jid, err: error });
    }
  }

  async #read(owner: JID): Promise<Map<string, Earlier>> {
    const entries = new Map<string, Earlier>();
    const after = idAt(this.#context.clock.now() - this.#windowMs);
    let before: number | undefined;
    for (let seen = 0; seen < MAX_ROWS; seen += PAGE) {
      const range = before === undefined ? { after } : { after, before };
      const rows = await this.#context.storage.log(owner.toString(), { ...range, backwards: true, limit: PAGE });
      for (const row of rows) note(entries, row, owner);
      before = rows.at(-1)?.id;
      if (rows.length < PAGE) break;
    }
    return entries;
  }
}

function note(entries: Map<string, Earlier>, row: LogRow, owner: JID): void {
  if (row.stanza === "") {
    if (!row.originId?.startsWith(SENT)) return;
    entries.set(keyOf(addressOf(row), row.originId.slice(SENT.length)), { digest: "", state: "taken" });
    return;
  }
  const stanza = Stanza.of(parseElement(row.stanza, UNLIMITED), {});
  const originId = row.originId ?? originIdOf(stanza);
  if (originId === undefined || !stanza.from?.bare.equals(owner)) return;
  const key = keyOf(String(stanza.to ?? owner), originId);
  const state = row.originId === undefined ? "kept" : "taken";
  if (entries.get(key)?.state !== "taken") entries.set(key, { digest: digestOf(stanza), state });
}

/** What the log says counts more: it may have been written since. */
function remember(entries: Map<string, Earlier>, recent: Recent): void {
  for (const [key, { digest, fate }] of recent)
    if (entries.get(key)?.state !== "taken") entries.set(key, { digest, fate, state: "taken" });
}

/** The origin id of an entry without content that stands for a message its owner has sent. */
export function sentMark(originId: string): string {
  return SENT + originId;
}

function addressOf({ with: bare, resource }: LogRow): string {
  return resource === undefined ? bare : `${bare}/${resource}`;
}

function keyOf(to: string, originId: string): string {
  return `${to} ${originId}`;
}

/** Of the type and all children but `<delay/>`, which a client adds when it sends again. */
function digestOf(stanza: Stanza): string {
  const hash = createHash("sha256").update(`${stanza.type ?? ""}\n`);
  for (const span of stanza.children) if (span.ns !== NS.delay) hash.update(stanza.raw(span), "latin1");
  return hash.digest("base64");
}
