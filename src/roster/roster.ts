// RFC 6121 §2: the roster as clients read and edit it, with versions (§2.6). What an edit may be is in wantedItem() and edited().
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq, StreamInfo } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import type { Limits } from "../core/limits.js";
import type { Session } from "../core/session.js";
import { resultOf } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import { JID, JidError } from "../stanza/jid.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { RosterChanges } from "./changes.js";
import { type Item, ROSTER_STORE, rosterOf, STRANGER } from "./items.js";
import { itemElement, knownVersion, notePushAnswer, pushQuery, pushTo, setInterested } from "./push.js";
import { cancelSubscriptions } from "./subscribing.js";

export type RosterPorts = Pick<Context, "clock" | "config">;

/** Longest name of a contact or group: as long as a part of a JID may be (RFC 6121 §2.3.3 leaves it to the server). */
const MAX_NAME_BYTES = 1023;

export function rosterFeature(ports: RosterPorts): Feature {
  const editor = new Editor(new RosterChanges(ports.clock), ports.config.limits);
  return {
    name: "roster",
    specs: [],
    disco: { server: [NS.roster] },
    stores: [{ name: ROSTER_STORE, withAccount: true, data: "account" }],
    streamFeatures,
    sent: { iq: { guard: notePushAnswer } },
    received: { iq: { guard: refuseForgedPush } },
    session: {
      save: knownVersion,
      restore: (session, saved) => typeof saved === "number" && setInterested(session, saved),
      canCatchUp: (session) => missedChanges(session) !== undefined,
      catchUp: pushMissed,
    },
    iq: {
      account: {
        [`get ${NS.roster} query`]: (iq: Iq) => read(iq),
        [`set ${NS.roster} query`]: (iq: Iq) => editor.edit(iq),
      },
    },
  };
}

function streamFeatures({ authenticated }: StreamInfo): readonly Element[] {
  if (!authenticated) return [];
  return [xml("ver", { xmlns: NS.rosterVersioning }), xml("sub", { xmlns: NS.preApproval })];
}

/** RFC 6121 §2.1.6: only the account's own server pushes rosters. No client need know that to be safe. */
function refuseForgedPush({ stanza }: Flow, account: Account): StanzaError | undefined {
  const { from, to, type } = stanza;
  if (type !== "set" || !to || to.isBare || from?.bare.equals(account.jid)) return undefined;
  return stanza.has("query", NS.roster) ? new StanzaError("forbidden") : undefined;
}

/** RFC 6121 §2.2 and §2.6.2. From now on the session gets pushes. */
function read({ flow, stanza, payload, account, own }: Iq): Answer | void {
  const session = flow.session;
  if (!account || !own || !session) return new StanzaError("forbidden");
  waitForChanges(flow, account);
  const roster = rosterOf(account);
  setInterested(session, roster.version);
  const known = attribute(payload, "ver");
  const changed = known === undefined ? undefined : roster.since(known);
  if (!changed) return [wholeRoster(account, known !== undefined)];
  flow.reply(resultOf(stanza));
  pushAll(flow, session, changed);
}

function pushAll(flow: Flow, session: Session, changed: readonly Item[]): void {
  for (const item of changed)
    flow.push(session, pushTo(session, pushQuery(itemElement(item), item.ver), `sync-${item.ver}`));
}

/** What has changed since the version that the session's client knows; undefined if only the whole roster can tell. */
function missedChanges(session: Session): readonly Item[] | undefined {
  const version = knownVersion(session);
  return version === undefined ? [] : rosterOf(session.account).since(String(version));
}

function pushMissed(flow: Flow, session: Session): undefined {
  pushAll(flow, session, missedChanges(session) ?? []);
}

/** What is read must be durable before it is shown: the flow shares the fate of changes that are still on their way to the store. */
function waitForChanges(flow: Flow, account: Account): void {
  flow.apply({ owner: account, writes: [], effect: () => undefined });
}

function wholeRoster(account: Account, versioned: boolean): Element {
  const roster = rosterOf(account);
  const ver = versioned ? { ver: String(roster.version) } : {};
  return xml("query", { xmlns: NS.roster, ...ver }, ...roster.listed().map(itemElement));
}

class Editor {
  readonly #changes: RosterChanges;
  readonly #limits: Limits;

  constructor(changes: RosterChanges, limits: Limits) {
    this.#changes = changes;
    this.#limits = limits;
  }

  /** RFC 6121 §2.3 to §2.5. The answer to others is the same whether the account exists or not. */
  edit({ flow, payload, account, own }: Iq): Answer {
    if (!account || !own) return new StanzaError("forbidden");
    const items = payload.getChildElements();
    const [item] = items;
    if (!item || items.length !== 1 || !item.is("item", NS.roster)) return new StanzaError("bad-request");
    const contact = contactIn(item);
    if (contact instanceof StanzaError) return contact;
    if (attribute(item, "subscription") === "remove") return this.#remove(flow, account, contact);
    return this.#edited(flow, account, contact, item);
  }

  #edited(flow: Flow, account: Account, contact: JID, element: Element): Answer {
    if (contact.equals(account.jid))
      return new StanzaError("not-allowed", "cancel", "an account is no contact of its own");
    const roster = rosterOf(account);
    const before = roster.get(contact);
    if (!before?.listed && roster.size >= this.#limits.roster_items) return tooMuch("contacts");
    const wanted = wantedItem(element, this.#limits.roster_groups);
    if (wanted instanceof StanzaError) return wanted;
    this.#changes.edit(flow, account, { jid: contact, request: "", ...STRANGER, ...before, listed: true, ...wanted });
    return [];
  }

  /** RFC 6121 §2.5.2: who leaves the roster is unsubscribed both ways. */
  #remove(flow: Flow, account: Account, contact: JID): Answer {
    const item = rosterOf(account).get(contact);
    if (!item?.listed) return new StanzaError("item-not-found");
    this.#changes.remove(flow, account, contact);
    cancelSubscriptions(flow, account, item);
    return [];
  }
}

function contactIn(item: Element): JID | StanzaError {
  const jid = attribute(item, "jid");
  if (jid === undefined) return new StanzaError("bad-request");
  try {
    return JID.parse(jid).bare;
  } catch (error) {
    if (error instanceof JidError) return new StanzaError("jid-malformed");
    throw error;
  }
}

/** RFC 6121 §2.3.3. The server alone decides about subscriptions, so nothing else of the item is looked at (§2.1.2). */
function wantedItem(element: Element, maxGroups: number): Pick<Item, "name" | "groups"> | StanzaError {
  const name = attribute(element, "name") ?? "";
  const groups = element.getChildren("group", NS.roster).map((group) => group.text());
  if (new Set(groups).size !== groups.length) return new StanzaError("bad-request", "modify", "the same group twice");
  if (groups.includes("")) return new StanzaError("not-acceptable", "modify", "a group without a name");
  if ([name, ...groups].some(isTooLong)) return new StanzaError("not-acceptable", "modify", "a name that is too long");
  return groups.length > maxGroups ? tooMuch("groups") : { name, groups };
}

function isTooLong(name: string): boolean {
  return Buffer.byteLength(name) > MAX_NAME_BYTES;
}

function tooMuch(what: string): StanzaError {
  return new StanzaError("policy-violation", "modify", `too many ${what}`);
}

function attribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === "string" ? value : undefined;
}
