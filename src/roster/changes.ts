// The one way in which rosters change: in memory at once, in the store with the flow, and with a push to the sessions that follow the
// roster. Versions rise with the clock, so that those of an account that was removed and made again are never taken for the old ones.
import type { Account } from "../core/account.js";
import type { Clock } from "../core/clock.js";
import type { Flow } from "../core/flow.js";
import type { JID } from "../stanza/jid.js";
import type { Put, Write } from "../storage/writes.js";
import type { Element } from "../xml/element.js";
import { docOf, type Item, ROSTER_STORE, rosterOf, VERSIONS_KEY } from "./items.js";
import { isInterested, itemElement, looksDifferent, pushQuery, pushTo, removedElement } from "./push.js";
import { isAsked, type Standing } from "./subscription.js";

type Wanted = Omit<Item, "ver">;

export class RosterChanges {
  readonly #clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** The user's own edit of an item: pushed even if it is what it was (RFC 6121 §2.3.2). */
  edit(flow: Flow, account: Account, wanted: Wanted): void {
    this.#store(flow, account, { ...wanted, ver: this.#nextVersion(account) });
  }

  /** How the account stands to a contact now. `listed`: the contact comes into the roster; `request`: the stanza that asked. */
  stand(
    flow: Flow,
    account: Account,
    contact: JID,
    standing: Standing,
    with_: { listed?: boolean; request?: string } = {},
  ): void {
    const before = rosterOf(account).get(contact);
    const { state, approved } = standing;
    const listed = (before?.listed ?? false) || with_.listed === true;
    const request = isAsked(state) ? (with_.request ?? before?.request ?? "") : "";
    const kept = { jid: contact.bare, name: before?.name ?? "", groups: before?.groups ?? [], ver: before?.ver ?? 0 };
    const after = { ...kept, state, approved, listed, request };
    if (!listed && !isAsked(state)) return this.#forget(flow, account, contact);
    if (looksDifferent(before, after)) this.#store(flow, account, { ...after, ver: this.#nextVersion(account) });
    else this.#storeQuietly(flow, account, after);
  }

  /** Takes a contact out of the roster. */
  remove(flow: Flow, account: Account, contact: JID): void {
    const ver = this.#nextVersion(account);
    flow.apply({
      owner: account,
      writes: [removal(account, contact), versions(account, ver, ver)],
      effect: () => {
        const roster = rosterOf(account);
        roster.remove(contact);
        roster.setVersions(ver, ver);
      },
    });
    push(flow, account, removedElement(contact.bare), ver);
  }

  #store(flow: Flow, account: Account, item: Item): void {
    const first = rosterOf(account).floor === 0;
    flow.apply({
      owner: account,
      writes: first ? [put(account, item), versions(account, item.ver, item.ver)] : [put(account, item)],
      effect: () => {
        const roster = rosterOf(account);
        roster.put(item);
        if (first) roster.setVersions(item.ver, item.ver);
      },
    });
    push(flow, account, itemElement(item), item.ver);
  }

  /** Nothing that the user sees has changed. */
  #storeQuietly(flow: Flow, account: Account, item: Item): void {
    flow.apply({ owner: account, writes: [put(account, item)], effect: () => rosterOf(account).put(item) });
  }

  #forget(flow: Flow, account: Account, contact: JID): void {
    if (!rosterOf(account).get(contact)) return;
    flow.apply({
      owner: account,
      writes: [removal(account, contact)],
      effect: () => rosterOf(account).remove(contact),
    });
  }

  #nextVersion(account: Account): number {
    return Math.max(rosterOf(account).version + 1, this.#clock.now());
  }
}

function push(flow: Flow, account: Account, item: Element, ver: number): void {
  const query = pushQuery(item, ver);
  flow.deliver(account, (session) => pushTo(session, query, `push-${ver}`), isInterested);
}

function put(account: Account, item: Item): Put {
  return { op: "put", store: ROSTER_STORE, owner: account.jid.toString(), key: item.jid.toString(), doc: docOf(item) };
}

function removal(account: Account, contact: JID): Write {
  return { op: "remove", store: ROSTER_STORE, owner: account.jid.toString(), key: contact.bare.toString() };
}

/** The versions are stored only when the items cannot tell them: at the start and when one is removed. */
function versions(account: Account, version: number, floor: number): Put {
  return {
    op: "put",
    store: ROSTER_STORE,
    owner: account.jid.toString(),
    key: VERSIONS_KEY,
    doc: { v: 1, version, floor },
  };
}
