// What other features may ask of rosters.
import type { Account } from "../core/account.js";
import type { JID } from "../stanza/jid.js";
import { rosterOf } from "./items.js";
import { type Subscription, subscriptionIn } from "./push.js";
import { isSeenByContact } from "./subscription.js";

export { isInterested, type Subscription } from "./push.js";
export { directedTo } from "./directed.js";
export { LAST_STORE, type LastSeen, lastSeenIn } from "./last.js";

/** A contact as the account's owner sees it. */
export interface Contact {
  readonly jid: JID;
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
}

/** How the account and the contact, with or without a resource, are subscribed to each other. */
export function subscriptionOf(account: Account, contact: JID): Subscription {
  return subscriptionIn(rosterOf(account).standing(contact).state);
}

/** The contact may see the account's presence: it is subscribed to it, or the account itself. False for an account that does not exist. */
export function mayseePresence(account: Account, contact: JID): boolean {
  if (!account.exists) return false;
  return contact.bare.equals(account.jid) || isSeenByContact(rosterOf(account).standing(contact).state);
}

/** The contact, with or without a resource, is in the account's roster. */
export function isContact(account: Account, contact: JID): boolean {
  return rosterOf(account).get(contact)?.listed === true;
}

/** The contacts in the account's roster. */
export function contacts(account: Account): readonly Contact[] {
  return rosterOf(account)
    .listed()
    .map(({ jid, name, groups, state }) => ({ jid, name, groups, subscription: subscriptionIn(state) }));
}
