// XEP-0012: how long the server has been up and how long an account has been away. An account's last logout is written when its last
// available resource goes; the answer of a connected client comes from the client itself. Who may know is in mayAsk().
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq } from "../core/feature.js";
import type { Flow } from "../core/flow.js";
import type { Session } from "../core/session.js";
import { Slot } from "../core/slot.js";
import { LAST_STORE, type LastSeen, lastSeenIn, mayseePresence } from "../roster/api.js";
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

/** Whether contacts were told that the session is available. */
const wasAvailable = new Slot(() => false);

export function lastActivity(context: Context): Feature {
  return {
    name: "last-activity",
    specs: [{ xep: 12, version: "2.0", status: "complete", since: "0.1.0" }],
    disco: { server: [NS.lastActivity], account: [NS.lastActivity] },
    session: { restore: (session) => wasAvailable.set(session, session.isAvailable) },
    stores: [{ name: LAST_STORE, data: "account" }],
    sent: { presence: { after: (flow, account) => note(context, flow, account) } },
    received: { iq: { guard: guardResources } },
    iq: {
      server: { "get jabber:iq:last query": () => [query(secondsBetween(context.startedAt, context.clock.now()))] },
      account: { "get jabber:iq:last query": (iq) => aboutAccount(context, iq) },
    },
  };
}

/** XEP-0012 "Online User Query": a request to a resource is no way round the rule for accounts. */
function guardResources({ stanza }: Flow, account: Account): StanzaError | undefined {
  const { from, to } = stanza;
  if (stanza.type !== "get" || !to || to.isBare || !stanza.has("query", NS.lastActivity)) return undefined;
  return from && mayAsk(account, from) ? undefined : new StanzaError("forbidden");
}

function aboutAccount(context: Context, { account, from, own }: Iq): Answer | (() => Promise<Answer>) {
  if (!account || !mayAsk(account, from)) return new StanzaError("forbidden");
  if (own || isOnline(account)) return [query(0)];
  return async () => {
    await context.committer.barrier(); // the logout may be on its way to the store
    const last = lastSeenIn(await context.storage.get(LAST_STORE, account.jid.toString(), ""));
    return last ? [sinceLogout(last, context.clock.now())] : new StanzaError("item-not-found");
  };
}

/** The answer to others is the same whether the account exists or not (rulings 26). */
function mayAsk(account: Account, from: JID): boolean {
  return account.exists && mayseePresence(account, from);
}

/** What a session tells of itself to everybody; what it sends to one address only is not meant. */
function note(context: Context, { stanza, session }: Flow, account: Account): void {
  if (!session || stanza.to) return;
  if (stanza.type === undefined) wasAvailable.set(session, true);
  if (stanza.type !== "unavailable" || !wasAvailable.get(session)) return;
  wasAvailable.set(session, false);
  if (account.exists && !isOnline(account, session)) write(context, account, stanza);
}

/** Not part of the flow: a store that is down must not keep contacts from learning that the account went away. */
function write(context: Context, account: Account, stanza: Stanza): void {
  const status = stanza.child("status", NS.client)?.text() ?? "";
  const doc = { v: 1, at: context.clock.now(), status };
  const put = { op: "put", store: LAST_STORE, owner: account.jid.toString(), key: "", doc } as const;
  void context.committer.commit([put]).then((outcome) => {
    if (outcome !== "done") context.log.warn({ ev: "last_activity.not_written", jid: account.jid, outcome });
  });
}

/** Sessions that have not said that they are available show in nothing, here neither: "subject to local security policies". */
function isOnline(account: Account, but?: Session): boolean {
  return [...account.sessions.values()].some((session) => session !== but && session.isAvailable);
}

function sinceLogout({ at, status }: LastSeen, now: number): Element {
  return query(secondsBetween(at, now), status);
}

function query(seconds: number, status = ""): Element {
  return xml("query", { xmlns: NS.lastActivity, seconds: String(seconds) }, status);
}

function secondsBetween(from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / 1000));
}
