// Membership that no admin's list has given: by an invitation, by registration, by a token. Who is in the room is shown with it
// (XEP-0045 "Registering with a Room": "it MUST send updated presence").
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import { putAffiliate } from "./documents.js";
import { kindOf } from "./kind.js";
import { remove } from "./leaving.js";
import { showAll } from "./occupants.js";
import { type Affiliation, initialRole, mayEnter } from "./privileges.js";
import { type Affiliate, type Occupant, type RoomState, withAffiliate, withRole } from "./state.js";
import type { Turn } from "./turn.js";

const NO_MEMBER_NOW = 321;

/** Why there is no room for these on the lists. */
export function overcrowded({ state, context }: Turn, accounts: readonly JID[]): StanzaError | undefined {
  const added = new Set(accounts.map(String).filter((account) => !state.affiliations.has(account)));
  if (state.affiliations.size + added.size <= context.config.limits.room_affiliations || added.size === 0)
    return undefined;
  return new StanzaError("policy-violation", "modify", "too many affiliations of one room");
}

/** Makes a member of somebody without affiliation; the others stay what they are. `nick`: is theirs from here on. */
export function enrol(turn: Turn, account: JID, nick?: string): void {
  const known = turn.state.affiliations.get(account.toString());
  const before = turn.affiliationOf(account);
  const affiliation = before === "none" ? "member" : before;
  settle(turn, account, { ...known, affiliation, ...(nick !== undefined && { nick }) }, before);
}

/** Takes the nick back, and with it a membership; whoever administrates the room still does. */
export function withdraw(turn: Turn, account: JID): void {
  const { affiliation, reason } = turn.state.affiliations.get(account.toString()) ?? { affiliation: "none" };
  const next: Affiliate = {
    affiliation: affiliation === "member" ? "none" : affiliation,
    ...(reason !== undefined && { reason }),
  };
  settle(turn, account, next, turn.affiliationOf(account));
}

function settle(turn: Turn, account: JID, affiliate: Affiliate, before: Affiliation): void {
  turn.change(withAffiliate(turn.state, account, affiliate), putAffiliate(turn.jid, account, affiliate));
  const affiliation = turn.affiliationOf(account);
  if (affiliation === before) return;
  for (const occupant of presentAs(turn.state, account)) showAgain(turn, occupant, affiliation);
}

function presentAs({ occupants }: RoomState, account: JID): readonly Occupant[] {
  return [...occupants.values()].filter((occupant) => occupant.account.equals(account));
}

/** A member has a voice; who is a member no more is as if they entered now. */
function showAgain(turn: Turn, occupant: Occupant, affiliation: Affiliation): void {
  const kind = kindOf(turn.state.config);
  if (!mayEnter(affiliation, kind)) return remove(turn, occupant, { codes: [NO_MEMBER_NOW] });
  const role = occupant.role === "moderator" && affiliation === "member" ? "moderator" : initialRole(affiliation, kind);
  turn.change(withRole(turn.state, occupant, role));
  const [seat] = occupant.seats;
  showAll(turn, { occupant: { ...occupant, role }, seat, affiliation });
}
