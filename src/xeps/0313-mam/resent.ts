// Rulings 11: a message that a client sends again, because it lost its session before it was told that the message was handled, is
// acknowledged and not kept or delivered again. It is recognised by what its sender's own log has of the last minutes.
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { presence } from "../../stanza/build.js";
import type { JID } from "../../stanza/jid.js";
import { Stanza } from "../../stanza/stanza.js";
import { Flow } from "../../core/flow.js";
import type { Context } from "../../core/context.js";
import { idAt, timeOf } from "../../core/ids.js";
import type { Session } from "../../core/session.js";
import { Slot } from "../../core/slot.js";
import type { LogRow } from "../../storage/port.js";
import { parseElement } from "../../xml/document.js";
import { UNLIMITED } from "../../xml/limits.js";
import { NS } from "../../xml/namespaces.js";

const MAX_WINDOW_MS = 86_400_000; // with limits.sm_resume off
const MAX_LOST = 50_000; // accounts remembered to have lost a session, some 10 MB; beyond it the first are forgotten
const MAX_ROWS = 5000; // of one account that are looked at, newest first: as many as a session may have without an answer
const PAGE = 200;

interface Lost {
  readonly until: number;
  /** Resolves when all that the lost sessions had sent is in the store, or will never be. */
  readonly settled: Promise<unknown>;
}

/** What may come again: a digest of the content by address and origin id; "" for an entry that has none to compare. */
interface Known {
  readonly until: number;
  readonly digests: ReadonlyMap<string, string>;
}

export class Resent {
  readonly #context: Context;
  /** The highest id of the process before this one. */
  readonly #lastBefore: number;
  readonly #lost = new LRUCache<string, Lost>({ max: MAX_LOST });
  readonly #known = new Slot<Known | undefined>(() => undefined);

  constructor(context: Context) {
    this.#context = context;
    this.#lastBefore = context.ids.last;
  }

  /** The session's client may come again with what it was not told of. */
  sessionLost(session: Session): void {
    const key = session.jid.bare.toString();
    const before = this.#lost.get(key)?.settled;
    const settled = Promise.all([before, emptied(session)]);
    this.#lost.set(key, { until: this.#context.clock.now() + this.#windowMs, settled });
  }

  /** Before the session's first stanza: reads what may come again, if a session of the account was lost, or the server has just started. */
  bound(session: Session): Promise<void> | undefined {
    const lost = this.#lost.get(session.jid.bare.toString());
    const until = Math.max(lost?.until ?? 0, this.#untilAfterStart);
    if (until <= this.#context.clock.now()) return undefined;
    return this.#learn(session, until, lost?.settled);
  }

  /** The account has this message in its log already, to this address and by this id. */
  recognises(session: Session, stanza: Stanza, to: JID, originId: string): boolean {
    const known = this.#known.get(session);
    if (!known) return false;
    if (known.until <= this.#context.clock.now()) {
      this.#known.set(session, undefined);
      return false;
    }
    const digest = known.digests.get(keyOf(to.toString(), originId));
    return digest !== undefined && (digest === "" || digest === digestOf(stanza));
  }

  get #windowMs(): number {
    return Math.min(this.#context.config.limits.sm_resume, MAX_WINDOW_MS);
  }

  /** Whose session the last process had is not known: all may come again, unless nothing was sent for that long. */
  get #untilAfterStart(): number {
    const until = this.#context.startedAt + this.#windowMs;
    return timeOf(this.#lastBefore) + this.#windowMs > this.#context.startedAt ? until : 0;
  }

  async #learn(session: Session, until: number, settled: Promise<unknown> | undefined): Promise<void> {
    try {
      await settled;
      this.#known.set(session, { until, digests: await this.#read(session.jid.bare) });
    } catch (error) {
      this.#context.log.warn({ ev: "archive.resent_not_known", jid: session.jid, err: error });
    }
  }

  async #read(owner: JID): Promise<ReadonlyMap<string, string>> {
    const digests = new Map<string, string>();
    const after = idAt(this.#context.clock.now() - this.#windowMs);
    let before: number | undefined;
    for (let seen = 0; seen < MAX_ROWS; seen += PAGE) {
      const range = before === undefined ? { after } : { after, before };
      const rows = await this.#context.storage.log(owner.toString(), { ...range, backwards: true, limit: PAGE });
      for (const row of rows) note(digests, row, owner);
      before = rows.at(-1)?.id;
      if (rows.length < PAGE) break;
    }
    return digests;
  }
}

/** Resolves when everything the session has sent so far is released or has failed. */
function emptied(session: Session): Promise<void> {
  return new Promise((resolve) => {
    const mark = new Flow(presence({}), { kind: "server" }, "received"); // to nobody: it only passes through the lane
    mark.whenOver(() => resolve());
    session.lane.run(mark);
  });
}

function note(digests: Map<string, string>, row: LogRow, owner: JID): void {
  const { originId } = row;
  if (originId === undefined) return;
  if (row.stanza === "") return void digests.set(keyOf(addressOf(row), originId), "");
  const stanza = Stanza.of(parseElement(row.stanza, UNLIMITED), {});
  if (!stanza.from?.bare.equals(owner)) return;
  digests.set(keyOf(String(stanza.to ?? owner), originId), digestOf(stanza));
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
