// What the archive needs of the offline messages.
import type { Account } from "../../core/account.js";
import type { Flow } from "../../core/flow.js";

/** The stanza is for one resource only, which settles no entry (rulings 2): without presence, or of negative priority. */
export function settlesNothing({ stanza, verdict }: Flow, account: Account): boolean {
  return verdict?.kind === "resource" && account.sessions.get(stanza.to?.resource ?? "")?.isNonNegative === false;
}
