import { describe, expect, it } from "@jest/globals";
import {
  AFFILIATIONS,
  type Affiliate,
  type Affiliation,
  denyAffiliation,
  denyRole,
  initialRole,
  isAtLeast,
  mayEnter,
  mayInvite,
  mayMakeMembers,
  mayRegister,
  ROLES,
  type Role,
  type RoomKind,
  type Standing,
} from "./privileges.js";

const OPEN: RoomKind = { isModerated: false, isMembersOnly: false };
const KINDS: readonly RoomKind[] = [false, true].flatMap((isModerated) =>
  [false, true].map((isMembersOnly) => ({ isModerated, isMembersOnly })),
);
/** Everybody who can be in a room: no outcast, and a moderator by affiliation stays one. */
const OCCUPANTS: readonly Standing[] = AFFILIATIONS.flatMap((affiliation) =>
  ROLES.map((role) => ({ affiliation, role })),
).filter(({ affiliation, role }) => affiliation !== "outcast" && role !== "none");
const OUTSIDERS: readonly Standing[] = AFFILIATIONS.map((affiliation) => ({ affiliation, role: "none" }));

interface RoleCase {
  readonly actor: Standing;
  readonly target: Standing;
  readonly next: Role;
}

const ROLE_CASES: readonly RoleCase[] = [...OCCUPANTS, ...OUTSIDERS].flatMap((actor) =>
  OCCUPANTS.flatMap((target) => ROLES.map((next) => ({ actor, target, next }))),
);

interface AffiliationCase {
  readonly actor: Affiliation;
  readonly target: Affiliate;
  readonly next: Affiliation;
}

const AFFILIATION_CASES: readonly AffiliationCase[] = AFFILIATIONS.flatMap((actor) =>
  AFFILIATIONS.flatMap((affiliation) =>
    [false, true].flatMap((isSelf) =>
      [false, true].flatMap((isLastOwner) =>
        AFFILIATIONS.map((next) => ({ actor, target: { affiliation, isSelf, isLastOwner }, next })),
      ),
    ),
  ),
).filter(
  ({ actor, target }) =>
    (!target.isSelf || target.affiliation === actor) && (!target.isLastOwner || target.affiliation === "owner"),
);

const allowedRoles = ROLE_CASES.filter(({ actor, target, next }) => denyRole(actor, target, next) === undefined);
const allowedAffiliations = AFFILIATION_CASES.filter(
  ({ actor, target, next }) => denyAffiliation({ affiliation: actor }, target, next) === undefined,
);

/** The cases that break a rule; a rule that nothing was held against would show nothing. */
function breaking<Case>(cases: readonly Case[], rule: (one: Case) => boolean): readonly Case[] {
  expect(cases.length).toBeGreaterThan(0);
  return cases.filter((one) => !rule(one));
}

describe("the privileges of roles hold for every actor, target and role", () => {
  it("who is no moderator changes nobody's role, but for an admin who makes or unmakes moderators @3.6 @M4", () => {
    const byOthers = ROLE_CASES.filter(({ actor }) => actor.role !== "moderator");
    const isDenied = ({ actor, target, next }: RoleCase) => denyRole(actor, target, next) === "forbidden";
    const isAdminsPrivilege = ({ actor, target, next }: RoleCase) =>
      isAtLeast(actor.affiliation, "admin") &&
      (next === "moderator" || (target.role === "moderator" && next !== "none"));
    expect(breaking(byOthers, (one) => isDenied(one) || isAdminsPrivilege(one))).toEqual([]);
  });

  it("only admins and owners make moderators, or unmake them, and no admin or owner is unmade @3.6 @M4", () => {
    const made = allowedRoles.filter(({ next }) => next === "moderator");
    const unmade = allowedRoles.filter(({ target, next }) => target.role === "moderator" && next !== "moderator");
    expect(breaking([...made, ...unmade], ({ actor }) => isAtLeast(actor.affiliation, "admin"))).toEqual([]);
    const demoted = unmade.filter(({ next }) => next !== "none");
    expect(breaking(demoted, ({ target }) => !isAtLeast(target.affiliation, "admin"))).toEqual([]);
  });

  it("nobody kicks somebody of a higher affiliation @3.6 @M4", () => {
    const kicks = allowedRoles.filter(({ next }) => next === "none");
    expect(breaking(kicks, ({ actor, target }) => isAtLeast(actor.affiliation, target.affiliation))).toEqual([]);
  });

  it("nobody takes voice from an admin or owner, nor from anybody at or above their own affiliation @3.6 @M4", () => {
    const silenced = allowedRoles.filter(({ target, next }) => next === "visitor" && target.role === "participant");
    expect(
      breaking(
        silenced,
        ({ actor, target }) =>
          !isAtLeast(target.affiliation, "admin") && !isAtLeast(target.affiliation, actor.affiliation),
      ),
    ).toEqual([]);
  });

  it("each affiliation has all the privileges of the next lower one @3.6 @M4", () => {
    const higher = (affiliation: Affiliation) =>
      AFFILIATIONS.filter((other) => other !== affiliation && isAtLeast(other, affiliation));
    const grown = allowedRoles
      .filter(({ actor }) => actor.affiliation !== "outcast")
      .flatMap((one) =>
        higher(one.actor.affiliation).map((affiliation) => ({ ...one, actor: { ...one.actor, affiliation } })),
      );
    expect(breaking(grown, ({ actor, target, next }) => denyRole(actor, target, next) === undefined)).toEqual([]);
  });

  it("lacking the privilege is forbidden, a protected target not allowed @3.6 @M4", () => {
    const denied = ROLE_CASES.filter((one) => !allowedRoles.includes(one));
    const owner: Standing = { affiliation: "owner", role: "moderator" };
    const nobody: Standing = { affiliation: "none", role: "participant" };
    expect(new Set(denied.map(({ actor, target, next }) => denyRole(actor, target, next)))).toEqual(
      new Set(["forbidden", "not-allowed"]),
    );
    expect(denyRole({ affiliation: "member", role: "moderator" }, owner, "none")).toBe("not-allowed");
    expect(denyRole(nobody, owner, "none")).toBe("forbidden");
    expect(denyRole(owner, nobody, "none")).toBeUndefined();
  });
});

describe("the privileges of affiliations hold for every actor, target and affiliation", () => {
  it("below an admin nobody changes any @3.6 @M4", () => {
    const below = AFFILIATION_CASES.filter(({ actor }) => !isAtLeast(actor, "admin"));
    const isForbidden = ({ actor, target, next }: AffiliationCase) =>
      denyAffiliation({ affiliation: actor }, target, next) === "forbidden";
    expect(breaking(below, isForbidden)).toEqual([]);
  });

  it("only owners change who is admin or owner @3.6 @M4", () => {
    const changes = allowedAffiliations.filter(
      ({ target, next }) => isAtLeast(target.affiliation, "admin") || isAtLeast(next, "admin"),
    );
    expect(breaking(changes, ({ actor }) => actor === "owner")).toEqual([]);
  });

  it("nobody bans themselves, and the last owner stays one @3.6 @M4", () => {
    expect(breaking(allowedAffiliations, ({ target, next }) => !(target.isSelf && next === "outcast"))).toEqual([]);
    expect(breaking(allowedAffiliations, ({ target, next }) => !target.isLastOwner || next === "owner")).toEqual([]);
  });

  it("nobody gets above their own affiliation by what they may do @3.6 @M4", () => {
    const forSelf = allowedAffiliations.filter(({ target }) => target.isSelf);
    expect(breaking(forSelf, ({ actor, next }) => isAtLeast(actor, next))).toEqual([]);
  });

  it("names the reason as the rulings do @3.6 @M4", () => {
    const of = (affiliation: Affiliation, more: Partial<Affiliate> = {}): Affiliate => ({
      ...{ affiliation, isSelf: false, isLastOwner: false },
      ...more,
    });
    const deny = (actor: Affiliation, target: Affiliate, next: Affiliation) =>
      denyAffiliation({ affiliation: actor }, target, next);
    expect(deny("admin", of("owner"), "outcast")).toBe("not-allowed");
    expect(deny("admin", of("owner"), "none")).toBe("forbidden");
    expect(deny("admin", of("admin", { isSelf: true }), "outcast")).toBe("conflict");
    expect(deny("owner", of("owner", { isSelf: true, isLastOwner: true }), "admin")).toBe("conflict");
    expect(deny("owner", of("owner", { isSelf: true }), "admin")).toBeUndefined();
    expect(deny("member", of("none"), "outcast")).toBe("forbidden");
  });
});

describe("who may invite, make members by it, and register", () => {
  const STANDINGS = AFFILIATIONS.flatMap((affiliation) => ROLES.map((role) => ({ affiliation, role })));

  it("invites only from inside, and to a members-only room only whom the room trusts with its list @3.6 @M3", () => {
    for (const standing of STANDINGS)
      for (const membersInvite of [false, true]) {
        const isIn = standing.role !== "none";
        expect(mayInvite(standing, { isMembersOnly: false, membersInvite })).toBe(isIn);
        const isTrusted = isAtLeast(standing.affiliation, membersInvite ? "member" : "admin");
        expect(mayInvite(standing, { isMembersOnly: true, membersInvite })).toBe(isIn && isTrusted);
        expect(mayMakeMembers(standing.affiliation, { membersInvite })).toBe(isTrusted);
      }
  });

  it("registers only who could be in and speak without it @3.6 @M3", () => {
    for (const standing of STANDINGS)
      for (const kind of KINDS) {
        const { affiliation, role } = standing;
        const hasVoice = role === "participant" || role === "moderator";
        const may = mayRegister(standing, kind);
        if (affiliation === "none") expect(may).toBe(!kind.isMembersOnly && (!kind.isModerated || hasVoice));
        else expect(may).toBe(affiliation !== "outcast");
      }
  });
});

describe("the role somebody enters with", () => {
  it("is that of the table, in every kind of room @3.1", () => {
    const roles = KINDS.map((kind) => AFFILIATIONS.map((affiliation) => initialRole(affiliation, kind)));
    expect(roles).toEqual([
      ["none", "participant", "participant", "moderator", "moderator"],
      ["none", "none", "participant", "moderator", "moderator"],
      ["none", "visitor", "participant", "moderator", "moderator"],
      ["none", "none", "participant", "moderator", "moderator"],
    ]);
  });

  it("is none exactly for those who may not enter @3.1", () => {
    for (const kind of KINDS)
      for (const affiliation of AFFILIATIONS)
        expect(initialRole(affiliation, kind) !== "none").toBe(mayEnter(affiliation, kind));
    expect(mayEnter("none", OPEN)).toBe(true);
  });
});
