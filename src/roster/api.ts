// What other features may ask of the roster.
import type { Account } from "../core/account.js";
import type { JID } from "../stanza/jid.js";

/** The contact may see the account's presence: it is subscribed to it, or the account itself. */
export function mayseePresence(account: Account, contact: JID): boolean {
  return account.exists && contact.bare.equals(account.jid); // subscriptions come with the roster
}
