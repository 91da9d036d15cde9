// XEP-0313 "Storage and Retrieval Rules": the one place that decides what of a message is kept, for its sender and for its recipient. Each
// has at most one entry, of which the archive and the offline messages are two views (design §5): shown or hidden by preferences and
// hints (XEP-0441, XEP-0334), pending where it must still reach a device (rulings 2 and 12).
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Feature } from "../../core/feature.js";
import type { Append, Flow } from "../../core/flow.js";
import { type Worth, worthOf } from "../../stanza/content.js";
import type { JID } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import type { Entry } from "../../storage/writes.js";
import { NS } from "../../xml/namespaces.js";
import type { Wire } from "../../xml/wire.js";
import { settlesNothing } from "../0160-offline/api.js";
import { originIdOf, stampFor } from "../0359-stable-ids.api.js";
import { ARCHIVE_STORE, Preferences } from "./preferences.js";
import { Resent, sentMark } from "./resent.js";
import { retractedBy, Tombstones } from "./tombstones.js";

/** The feature "archive": what is kept (XEP-0313 without its queries) and the preferences for it (XEP-0441). */
export function keeping(context: Context): Feature {
  const preferences = new Preferences(context);
  const resent = new Resent(context);
  const keeper = new Keeping(context, preferences, resent);
  const retraction = [NS.retraction, `${NS.retraction}#tombstone`];
  return {
    name: "archive",
    specs: [
      { xep: 424, version: "0.4.2", status: "complete", since: "0.1.0", note: "in the archives of users and rooms" },
      { xep: 441, version: "0.2.0", status: "complete", since: "0.1.0" },
    ],
    disco: { server: retraction, account: retraction },
    stores: [{ name: ARCHIVE_STORE, withAccount: true, data: "account" }],
    sent: { message: { store: (flow, account) => keeper.sent(flow, account) } },
    received: { message: { store: (flow, account) => keeper.received(flow, account) } },
    bound: (session) => resent.bound(session),
    sessionLost: (session) => resent.sessionLost(session),
    iq: {
      account: {
        "get urn:xmpp:mam:2 prefs": (iq) => preferences.get(iq),
        "set urn:xmpp:mam:2 prefs": (iq) => preferences.set(iq),
      },
    },
  };
}

/** What both sides of a message need to know of it. */
interface Judged {
  readonly stanza: Stanza;
  readonly worth: Worth;
  readonly originId: string | undefined;
  /** Self-contained, as it is stored. */
  text: Wire | undefined;
}

type Marks = Pick<Entry, "pending" | "hidden">;

const OWN: Marks = { pending: false, hidden: false };
const RECEIPT: Marks = { pending: false, hidden: true };

class Keeping {
  readonly #context: Context;
  readonly #preferences: Preferences;
  readonly #resent: Resent;
  readonly #tombstones: Tombstones;
  /** The last one looked at: mostly the recipient's side asks right after the sender's. */
  #judged: Judged | undefined;

  constructor(context: Context, preferences: Preferences, resent: Resent) {
    this.#context = context;
    this.#preferences = preferences;
    this.#resent = resent;
    this.#tombstones = new Tombstones(context);
  }

  /**
   * For its sender: shown, or not at all (but see `#receipt`), whatever becomes of it at the other end; what happens when that refuses
   * it is in `Flow.refuse`. A message to oneself has one entry, which the recipient's side makes.
   */
  sent(flow: Flow, account: Account): "stop" | undefined {
    const { stanza, session } = flow;
    const judged = this.#judge(stanza);
    if (judged.worth === "none" || !session) return undefined;
    const to = stanza.to ?? account.jid;
    const before = judged.originId && this.#resent.recognise(session, flow, to, judged.originId);
    if (before === "taken") return "stop";
    if (to.bare.equals(account.jid)) return undefined;
    if (!before && judged.worth === "keep" && this.#preferences.isShown(account, to))
      flow.appendOwn(account.jid.toString(), this.#entry(judged, to, OWN));
    this.#noteRetraction(flow, account, to);
    return undefined;
  }

  /** For its recipient, behind the delivery table: what that refuses or drops never gets here (rulings 12). */
  received(flow: Flow, account: Account): void {
    const { stanza, verdict } = flow;
    if (flow.entry || !verdict) return;
    const judged = this.#judge(stanza);
    if (judged.worth === "none") return;
    const hidden = judged.worth === "hidden" || !this.#preferences.isShown(account, stanza.from);
    const pending = !flow.isLiveOnly;
    if (hidden && !pending) return;
    const owner = account.jid.toString();
    const entry = (): Entry => this.#entry(judged, stanza.from, { pending, hidden }, judged.originId);
    if (hidden && verdict.kind !== "store" && !settlesNothing(flow, account)) this.#defer(flow, account, judged, entry);
    else {
      flow.entry = flow.append(owner, entry(), stampFor(account));
      this.#confirm(flow, judged);
    }
    if (stanza.from) this.#noteRetraction(flow, account, stanza.from);
  }

  /** Engineering 3. Should it be written after all, the sender's log says so, too; until then that is remembered. */
  #defer(flow: Flow, account: Account, judged: Judged, make: () => Entry): void {
    const { session, stanza } = flow;
    const { originId } = judged;
    const { to } = stanza;
    const isOwn = session && to && originId !== undefined && stanza.from?.equals(session.jid);
    const also = (): Append[] => (isOwn ? [this.#receipt(judged, session.jid.bare, to, originId)] : []);
    const entry = flow.defer(account.jid.toString(), make, stampFor(account), also);
    flow.entry = entry;
    if (isOwn) flow.atRelease(() => this.#resent.handedOn(session, { root: flow.root, stanza }, originId, entry));
  }

  /** Where the sender keeps nothing, its log says only that it has sent the message, without the content. */
  #receipt(judged: Judged, owner: JID, to: JID, originId: string): Append {
    const entry = { ...this.#entry(judged, to, RECEIPT), stanza: "" as Wire, originId: sentMark(originId) };
    return { op: "append", owner: owner.toString(), id: 0, entry };
  }

  /**
   * Rulings 11: the entry of the sender says that the recipient's side has the message: with the origin id it is recognised when it is
   * sent again, and not delivered again.
   */
  #confirm(flow: Flow, judged: Judged): void {
    const { session, stanza, own } = flow;
    const { to } = stanza;
    if (!to || judged.originId === undefined || !session) return;
    if (!stanza.from?.equals(session.jid) || to.bare.equals(session.jid.bare)) return;
    const owner = session.jid.bare;
    const entry = own
      ? { ...own.entry, originId: judged.originId }
      : this.#receipt(judged, owner, to, judged.originId).entry;
    flow.appendOwn(owner.toString(), entry);
  }

  /** Where what the sender kept of it is taken back, it was never sent (`Flow.refuse`). */
  #noteRetraction(flow: Flow, account: Account, other: JID): void {
    const { stanza, entry, own } = flow;
    if (retractedBy(stanza) === undefined) return;
    flow.atRelease(() => {
      if (own && !flow.own) return;
      const before = entry?.id || flow.own?.id || this.#context.ids.last + 1;
      this.#tombstones.add({ owner: account.jid, other: other.bare, stanza, before });
    });
  }

  #entry(judged: Judged, other: JID | undefined, marks: Marks, originId?: string): Entry {
    const { stanza } = judged;
    judged.text ??= stanza.toWire(NS.client);
    return {
      with: other?.bare.toString() ?? "",
      ...(other && !other.isBare ? { resource: other.resource } : {}),
      stanza: judged.text,
      ...marks,
      ...(originId === undefined ? {} : { originId }),
    };
  }

  #judge(stanza: Stanza): Judged {
    if (this.#judged?.stanza !== stanza)
      this.#judged = { stanza, worth: worthOf(stanza), originId: originIdOf(stanza), text: undefined };
    return this.#judged;
  }
}
