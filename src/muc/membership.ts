// Membership that no admin's list has given: by an invitation, by registration, by a token.
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import { affiliate } from "./affiliating.js";
import type { Turn } from "./turn.js";

/** Why there is no room for these on the lists. */
export function overcrowded({ state, context }: Turn, accounts: readonly JID[]): StanzaError | undefined {
  const added = new Set(accounts.map(String).filter((account) => !state.affiliations.has(account)));
  if (state.affiliations.size + added.size <= context.config.limits.room_affiliations || added.size === 0)
    return undefined;
  return new StanzaError("policy-violation", "modify", "too many affiliations of one room");
}

/**
 * Makes a member of somebody without affiliation; the others stay what they are. `nick`: is theirs from here on, for which also those need an
 * entry of their own who stand on the lists with their whole domain, or on none as they administrate the server.
 */
export function enrol(turn: Turn, account: JID, nick?: string): void {
  const { affiliation = "none", reason } = turn.state.affiliations.get(account.toString()) ?? {};
  const isNew = affiliation === "none" && (nick !== undefined || turn.affiliationOf(account) === "none");
  const after = isNew ? "member" : affiliation;
  affiliate(
    turn,
    [{ account, affiliation: after, ...(reason !== undefined && { reason }), ...(nick !== undefined && { nick }) }],
    [],
  );
}

/** Takes the nick back, and with it a membership; whoever administrates the room still does. */
export function withdraw(turn: Turn, account: JID): void {
  const { affiliation = "none", reason } = turn.state.affiliations.get(account.toString()) ?? {};
  const after = affiliation === "member" ? "none" : affiliation;
  affiliate(turn, [{ account, affiliation: after, nick: "", ...(reason !== undefined && { reason }) }], []);
}
