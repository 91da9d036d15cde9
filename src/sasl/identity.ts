// Who a client claims to be: the normalised user name, and the rule that it acts for nobody else (ruling 17, attack A5).
import { JID, JidError, normalizeLocal } from "../stanza/jid.js";

/** The normalised localpart, or undefined when no account can have that name. */
export function accountName(username: string): string | undefined {
  return orUndefined(() => normalizeLocal(username));
}

/** Whether the authorization identity is absent or the bare JID of the user who authenticates. */
export function isOwnIdentity(authzid: string, account: string | undefined, domain: string): boolean {
  if (authzid === "") return true;
  if (account === undefined) return false;
  const claimed = orUndefined(() => JID.parse(authzid));
  return claimed?.equals(JID.of(account, domain)) ?? false;
}

function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}
