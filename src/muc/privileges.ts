// XEP-0045 "Roles, Affiliations, and Privileges" as one pure table: who may do what to whom, and with which error it is denied (rulings 20).
// Nothing is looked up or changed here.

/** From the least to the most powerful. */
export const AFFILIATIONS = ["outcast", "none", "member", "admin", "owner"] as const;
export type Affiliation = (typeof AFFILIATIONS)[number];

/** From the least to the most powerful. */
export const ROLES = ["none", "visitor", "participant", "moderator"] as const;
export type Role = (typeof ROLES)[number];

/** Somebody as the room sees them; who is not in it has the role "none". */
export interface Standing {
  readonly affiliation: Affiliation;
  readonly role: Role;
  /** Administrates the server: nobody in the room does anything to them. */
  readonly isStaff?: boolean;
}

/** Whom a change of affiliation is about. */
export interface Affiliate {
  readonly affiliation: Affiliation;
  /** It is the one who asks for the change. */
  readonly isSelf: boolean;
  /** Without them there would be no owner. */
  readonly isLastOwner: boolean;
  readonly isStaff?: boolean;
}

/** `forbidden`: not among the privileges. `not-allowed`: it is, but not with this target. `conflict`: one's own ban, the last owner. */
export type Denial = "forbidden" | "not-allowed" | "conflict";

/** What kind of room decides about roles and entering. */
export interface RoomKind {
  readonly isModerated: boolean;
  readonly isMembersOnly: boolean;
}

/** Compares two affiliations: negative if the first is lower. */
function compareAffiliations(one: Affiliation, other: Affiliation): number {
  return AFFILIATIONS.indexOf(one) - AFFILIATIONS.indexOf(other);
}

export function isAtLeast(affiliation: Affiliation, least: Affiliation): boolean {
  return compareAffiliations(affiliation, least) >= 0;
}

/** "Privileges Associated With Affiliations", the rows about entering. */
export function mayEnter(affiliation: Affiliation, { isMembersOnly }: Pick<RoomKind, "isMembersOnly">): boolean {
  return isAtLeast(affiliation, isMembersOnly ? "member" : "none");
}

/** XEP-0486 "Security Considerations": the room's vCard and the avatar in it. */
export function maySetVcard(affiliation: Affiliation): boolean {
  return affiliation === "owner";
}

/** XEP-0500 "Server-side rate limiting" */
export function isExemptFromSlowMode(affiliation: Affiliation): boolean {
  return isAtLeast(affiliation, "admin");
}

/** XEP-0317: making hats, giving and taking them, seeing who has which. */
export function mayManageHats(affiliation: Affiliation): boolean {
  return isAtLeast(affiliation, "admin");
}

/** "Initial Role Based on Affiliation"; "none" for who may not enter. */
export function initialRole(affiliation: Affiliation, room: RoomKind): Role {
  if (!mayEnter(affiliation, room)) return "none";
  if (isAtLeast(affiliation, "admin")) return "moderator";
  return affiliation === "none" && room.isModerated ? "visitor" : "participant";
}

/** The role of an occupant whose affiliation has changed: who rises loses nothing by it, who falls is as if they entered now. */
export function roleAfter(role: Role, before: Affiliation, after: Affiliation, room: RoomKind): Role {
  const initial = initialRole(after, room);
  const isRise = compareAffiliations(after, before) > 0;
  return isRise && initial !== "none" && ROLES.indexOf(role) > ROLES.indexOf(initial) ? role : initial;
}

/** "Modifying the Member List": to a members-only room admins invite, and members if the room says so; to others whoever is in. */
export function mayInvite(
  { affiliation, role }: Standing,
  room: Pick<RoomKind, "isMembersOnly"> & { readonly membersInvite: boolean },
): boolean {
  if (role === "none") return false;
  return !room.isMembersOnly || mayMakeMembers(affiliation, room);
}

/** Whose invitation makes somebody a member. */
export function mayMakeMembers(affiliation: Affiliation, room: { readonly membersInvite: boolean }): boolean {
  return isAtLeast(affiliation, room.membersInvite ? "member" : "admin");
}

/**
 * "Register with Open Room": not where that would let somebody in, or give them a voice, whom nobody has given it. To a password whoever is in has
 * been let in; whoever is not could as a member hear of what is said, and let others in by tokens.
 */
export function mayRegister(
  { affiliation, role }: Standing,
  { isModerated, isMembersOnly, isProtected }: RoomKind & { readonly isProtected: boolean },
): boolean {
  if (affiliation !== "none") return isAtLeast(affiliation, "member");
  if (isMembersOnly || (isProtected && role === "none")) return false;
  return !isModerated || ROLES.indexOf(role) >= ROLES.indexOf("participant");
}

/** "Role State Chart": a change of somebody's role in the room; "none" is a kick. Undefined: it may be done. */
export function denyRole(actor: Standing, target: Standing, next: Role): Denial | undefined {
  const isLoss = ROLES.indexOf(next) < ROLES.indexOf(target.role);
  const isProtected = target.isStaff && !actor.isStaff && isLoss;
  return denyByChart(actor, target, next) ?? (isProtected ? "not-allowed" : undefined);
}

function denyByChart(actor: Standing, target: Standing, next: Role): Denial | undefined {
  if (next === "moderator" || (target.role === "moderator" && next !== "none"))
    return denyModerator(actor, target, next);
  if (actor.role !== "moderator") return "forbidden";
  if (next === "none") return denyKick(actor, target);
  return next === "visitor" ? denyLossOfVoice(actor, target) : undefined;
}

/** "Granting Moderator Status", "Revoking Moderator Status": an admin's privilege; an admin or owner never loses it, as a moderator is told. */
function denyModerator(actor: Standing, target: Standing, next: Role): Denial | undefined {
  const isProtected = next !== "moderator" && isAtLeast(target.affiliation, "admin");
  const isAdmin = isAtLeast(actor.affiliation, "admin");
  if (isProtected && (isAdmin || actor.role === "moderator")) return "not-allowed";
  return isAdmin ? undefined : "forbidden";
}

/** "Kicking an Occupant"; by the chart a moderator is kicked by admins and owners only. */
function denyKick(actor: Standing, target: Standing): Denial | undefined {
  const isProtected = target.role === "moderator" && !isAtLeast(actor.affiliation, "admin");
  return isProtected || compareAffiliations(target.affiliation, actor.affiliation) > 0 ? "not-allowed" : undefined;
}

/** "Revoking Voice from a Participant": not from an admin or owner, nor from anybody at or above the moderator's own affiliation. */
function denyLossOfVoice(actor: Standing, target: Standing): Denial | undefined {
  if (target.role === "visitor") return undefined; // nothing is lost
  const isProtected = isAtLeast(target.affiliation, "admin");
  return isProtected || compareAffiliations(target.affiliation, actor.affiliation) >= 0 ? "not-allowed" : undefined;
}

/** XEP-0425: what others have said is retracted by moderators only; whose it was makes no difference. */
export function denyModeration(actor: Pick<Standing, "role">): Denial | undefined {
  return actor.role === "moderator" ? undefined : "forbidden";
}

/** "Affiliation State Chart". Undefined: it may be done. */
export function denyAffiliation(
  actor: Pick<Standing, "affiliation">,
  target: Affiliate,
  next: Affiliation,
): Denial | undefined {
  if (!isAtLeast(actor.affiliation, "admin")) return "forbidden";
  if (next === "outcast" && target.isSelf) return "conflict";
  if (next === "outcast" && target.isStaff) return "not-allowed";
  if (actor.affiliation !== "owner") return denyAdmin(target, next);
  return target.isLastOwner && next !== "owner" ? "conflict" : undefined;
}

/** What an admin may not change is the lists of owners and admins; who is on one of them cannot be banned either. */
function denyAdmin(target: Affiliate, next: Affiliation): Denial | undefined {
  if (isAtLeast(next, "admin")) return "forbidden";
  if (!isAtLeast(target.affiliation, "admin")) return undefined;
  return next === "outcast" ? "not-allowed" : "forbidden";
}

/** What a room lets its members know of its lists. */
export interface Openness {
  readonly isNonAnonymous: boolean;
  /** The roles whose holders may read the list of members. */
  readonly readers: readonly Role[];
}

/**
 * Who may read a list of affiliations ("Modifying the Ban List", "... Member List", "... Owner List", "... Admin List"): owners all, admins
 * those they may change; in a room where everybody is known, members and admins all but the bans, too. `reader.role`: also of who is not in the
 * room the one they would enter with.
 */
export function mayReadList(reader: Standing, list: Affiliation, room: Openness): boolean {
  if (reader.affiliation === "owner") return true;
  const isAdmin = isAtLeast(reader.affiliation, "admin");
  if (isAdmin && !isAtLeast(list, "admin")) return true;
  if (!room.isNonAnonymous || !isAtLeast(list, "member")) return false;
  return isAdmin || (reader.affiliation === "member" && room.readers.includes(reader.role));
}

/** Who may read who has a role: "Modifying the Voice List" a moderator, "Modifying the Moderator List" an admin. */
export function mayReadRole({ affiliation, role }: Standing, list: Role): boolean {
  return list === "moderator" ? isAtLeast(affiliation, "admin") : role === "moderator";
}
