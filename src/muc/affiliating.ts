// XEP-0045 "Changing Affiliations", wherever they are changed: whether it may be done, and what follows from it. Several changes are made
// together or not at all.
import { message } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { putAffiliate, putRoom } from "./documents.js";
import { isReadable } from "./parts/member-list.js";
import { isBroadcast } from "./parts/presence-broadcast.js";
import { advanced, news } from "./parts/versions.js";
import { type Affiliation, denyAffiliation, isAtLeast } from "./privileges.js";
import { reconcile } from "./reconciling.js";
import { type Affiliate, type ListChange, type Occupant, type RoomState, withAffiliates } from "./state.js";
import type { Turn } from "./turn.js";

const MOST_CHANGES = 200; // at once: each may be told to everybody who is in

export interface AffiliationChange {
  /** The bare JID of an account, or a whole domain. */
  readonly account: JID;
  readonly affiliation: Affiliation;
  readonly reason?: string;
  /** The nick that is theirs from here on; "": none. If nothing is said, members and those above them keep what they have. */
  readonly nick?: string;
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
  const isMuch = changes.length > MOST_CHANGES;
  return isMuch ? new StanzaError("policy-violation", "modify", "too many changes at once") : tooMany(turn, after);
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
  const present = shownAccounts(turn, before);
  const told = record(turn, changes, present);
  const untold = new Map(told.filter(({ account }) => present.has(account)).map((change) => [change.account, change]));
  reconcile(turn, before, (occupant) => {
    const account = occupant.account.toString();
    const change = untold.get(account);
    untold.delete(account); // also where somebody is in under several nicks, it is one change
    return { about: [...by, ...reasonFor(changes, occupant)], change };
  });
  for (const change of told) {
    const account = JID.parse(change.account);
    for (const part of turn.parts) part.affiliated?.(turn, { ...change, account });
    if (present.has(change.account) && !untold.has(change.account)) continue;
    notify(turn, change, changes.find((one) => one.account.equals(account))?.reason);
  }
}

/** Whose presence tells of a change, in the order in which it does. */
function shownAccounts(turn: Turn, before: RoomState): ReadonlySet<string> {
  const shown = [...before.occupants.values()].filter(
    ({ account, role }) => isBroadcast(turn.state.config, role) && !turn.isStaff(account),
  );
  return new Set(shown.map(({ account }) => account.toString()));
}

/** What really changes, on the lists and of their versions: in the order in which it is told. */
function record(
  turn: Turn,
  changes: readonly AffiliationChange[],
  present: ReadonlySet<string>,
): readonly ListChange[] {
  const { state, context } = turn;
  const effective = changes
    .map((change) => ({
      account: change.account.toString(),
      before: entryOf(state, change.account),
      after: change.affiliation,
    }))
    .filter(({ before, after }) => before !== after);
  const byAccount = new Map(effective.map((change) => [change.account, change]));
  const first = [...present].flatMap((account) => byAccount.get(account) ?? []);
  const inOrder = [...first, ...effective.filter(({ account }) => !present.has(account))];
  const next = advanced(changed(state, changes), inOrder, context.clock.now());
  const writes = changes.map((change) => putAffiliate(turn.jid, change.account, entryAfter(state, change)));
  turn.change(next.state, ...writes, ...(effective.length > 0 ? [putRoom(turn.jid, next.state)] : []));
  return next.changes;
}

/** "Granting Owner Status" and its like, of somebody who is not in the room: told to those who may read the list. */
function notify(turn: Turn, change: ListChange, reason: string | undefined): void {
  for (const viewer of turn.state.occupants.values()) {
    const reader = turn.standingAs(viewer);
    const seen = (list: Affiliation) => (isReadable(turn.state, reader, list) ? list : "none");
    const affiliation = seen(change.after);
    if (affiliation === seen(change.before)) continue;
    for (const seat of viewer.seats) {
      const notice = noticeOf(news(turn, change, viewer, seat), change.account, affiliation, reason);
      turn.send(notice.readdress(turn.jid, seat.jid));
    }
  }
}

function noticeOf(
  versions: readonly Element[],
  jid: string,
  affiliation: Affiliation,
  reason: string | undefined,
): Stanza {
  const why = reason === undefined ? [] : [xml("reason", {}, reason)];
  const item = xml("item", { affiliation, jid, role: "none" }, ...why);
  return message({}, xml("x", { xmlns: NS.mucUser }, ...versions, item));
}

function changed(state: RoomState, changes: readonly AffiliationChange[]): RoomState {
  return withAffiliates(
    state,
    changes.map((change) => ({ account: change.account, affiliate: entryAfter(state, change) })),
  );
}

function entryAfter(state: RoomState, { account, affiliation, reason, nick }: AffiliationChange): Affiliate {
  const kept = nick ?? state.affiliations.get(account.toString())?.nick ?? "";
  const hasNick = kept !== "" && isAtLeast(affiliation, "member");
  return { affiliation, ...(reason !== undefined && { reason }), ...(hasNick && { nick: kept }) };
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
