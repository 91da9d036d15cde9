// XEP-0045 "Changing Affiliations", wherever they are changed: whether it may be done, and what follows from it. Several changes are made
// together or not at all.
import { message } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { putAffiliate } from "./documents.js";
import { isReadable } from "./parts/member-list.js";
import { type Affiliation, denyAffiliation, isAtLeast } from "./privileges.js";
import { reconcile } from "./reconciling.js";
import { type Occupant, type RoomState, withAffiliates } from "./state.js";
import type { Turn } from "./turn.js";

export interface AffiliationChange {
  /** The bare JID of an account, or a whole domain. */
  readonly account: JID;
  readonly affiliation: Affiliation;
  readonly reason?: string;
}

/** Why the sender may not make these changes. */
export function denial(turn: Turn, changes: readonly AffiliationChange[]): StanzaError | undefined {
  if (!isAtLeast(turn.affiliation, "admin")) return new StanzaError("forbidden");
  const after = changed(turn.state, changes);
  const hasOwner = [...after.affiliations.values()].some(({ affiliation }) => affiliation === "owner");
  for (const change of changes) {
    const error = denied(turn, change, !hasOwner);
    if (error) return error;
  }
  return tooMany(turn, after);
}

function denied(
  turn: Turn,
  { account, affiliation }: AffiliationChange,
  isOwnerless: boolean,
): StanzaError | undefined {
  const before = entryOf(turn.state, account);
  const target = {
    affiliation: before,
    isSelf: account.equals(turn.from.bare),
    isLastOwner: isOwnerless && before === "owner",
    isStaff: turn.isStaff(account),
  };
  const denial = denyAffiliation(turn, target, affiliation);
  if (denial) return new StanzaError(denial);
  if (account.local === "" && isAtLeast(affiliation, "admin"))
    return new StanzaError("not-acceptable", "modify", "a whole domain administrates no room");
  return undefined;
}

/** Lists that are too long already may become shorter. */
function tooMany({ state, context }: Turn, after: RoomState): StanzaError | undefined {
  const { size } = after.affiliations;
  if (size <= context.config.limits.room_affiliations || size <= state.affiliations.size) return undefined;
  return new StanzaError("policy-violation", "modify", "too many affiliations of one room");
}

/** Makes the changes and tells everybody. `by`: who made them; `before`: the room, if something else of it has just changed, too. */
export function affiliate(
  turn: Turn,
  changes: readonly AffiliationChange[],
  by: readonly Element[],
  before: RoomState = turn.state,
): void {
  const effective = changes.filter((change) => entryOf(before, change.account) !== change.affiliation);
  turn.change(changed(turn.state, changes), ...changes.map((change) => putAffiliate(turn.jid, change.account, change)));
  reconcile(turn, before, (occupant) => [...by, ...reasonFor(effective, occupant)]);
  const present = new Set([...before.occupants.values()].map(({ account }) => account.toString()));
  for (const change of effective) {
    const affiliated = { account: change.account, before: entryOf(before, change.account), after: change.affiliation };
    for (const part of turn.parts) part.affiliated?.(turn, affiliated);
    if (!present.has(change.account.toString())) notify(turn, change, affiliated.before);
  }
}

/** "Granting Owner Status" and its like, of somebody who is not in the room: told to those who may read the list. */
function notify(turn: Turn, change: AffiliationChange, before: Affiliation): void {
  for (const { account, role, seats } of turn.state.occupants.values()) {
    const reader = { affiliation: turn.affiliationOf(account), role };
    const seen = (list: Affiliation) => (isReadable(turn.state, reader, list) ? list : "none");
    const affiliation = seen(change.affiliation);
    if (affiliation === seen(before)) continue;
    const notice = noticeOf(turn.jid, { ...change, affiliation });
    for (const seat of seats) turn.send(notice.readdress(turn.jid, seat.jid));
  }
}

function noticeOf(room: JID, { account, affiliation, reason }: AffiliationChange): Stanza {
  const why = reason === undefined ? [] : [xml("reason", {}, reason)];
  const item = xml("item", { affiliation, jid: account.toString(), role: "none" }, ...why);
  return message({ from: room }, xml("x", { xmlns: NS.mucUser }, item));
}

function changed(state: RoomState, changes: readonly AffiliationChange[]): RoomState {
  return withAffiliates(
    state,
    changes.map(({ account, ...affiliate }) => ({ account, affiliate })),
  );
}

/** By its own entry alone: that of the domain is another one. */
function entryOf(state: RoomState, account: JID): Affiliation {
  return state.affiliations.get(account.toString())?.affiliation ?? "none";
}

function reasonFor(changes: readonly AffiliationChange[], { account }: Occupant): readonly Element[] {
  const change =
    changes.find((one) => one.account.equals(account)) ??
    changes.find((one) => one.account.local === "" && one.account.domain === account.domain);
  return change?.reason === undefined ? [] : [xml("reason", {}, change.reason)];
}
