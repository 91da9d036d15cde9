import { describe, expect, it } from "@jest/globals";
import {
  AFFILIATIONS,
  type Affiliate,
  type Affiliation,
  denyAffiliation,
  denyModeration,
  denyRole,
  initialRole,
  isAtLeast,
  isExemptFromSlowMode,
  mayEnter,
  mayManageHats,
  maySetVcard,
  mayReadList,
  mayReadRole,
  mayInvite,
  mayMakeMembers,
  mayRegister,
  ROLES,
  type Role,
  roleAfter,
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
    expect(denyRole({ affiliation: "none", role: "moderator" }, owner, "participant")).toBe("not-allowed");
    expect(denyRole({ affiliation: "none", role: "moderator" }, nobody, "moderator")).toBe("forbidden");
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

it("only moderators retract what others have said @3.3 @3.6 @M6", () => {
  expect(ROLES.filter((role) => !denyModeration({ role }))).toEqual(["moderator"]);
});

describe("administrators of the server", () => {
  it("are kicked, silenced and banned by nobody but each other @3.1 @M4", () => {
    const harms = allowedRoles.filter(({ target, next }) => ROLES.indexOf(next) < ROLES.indexOf(target.role));
    const isDenied = ({ actor, target, next }: RoleCase) =>
      denyRole(actor, { ...target, isStaff: true }, next) === "not-allowed" &&
      denyRole({ ...actor, isStaff: true }, { ...target, isStaff: true }, next) === undefined;
    expect(breaking(harms, isDenied)).toEqual([]);
    const bans = allowedAffiliations.filter(({ next }) => next === "outcast");
    const isNoBan = ({ actor, target, next }: AffiliationCase) =>
      denyAffiliation({ affiliation: actor }, { ...target, isStaff: true }, next) === "not-allowed";
    expect(breaking(bans, isNoBan)).toEqual([]);
  });
});

describe("lists", () => {
  const READERS = [...OCCUPANTS, ...OUTSIDERS];
  const HIDING = { isNonAnonymous: false, readers: ROLES };

  it("are read in a semi-anonymous room only by those who may change them @3.1 @M1", () => {
    for (const list of AFFILIATIONS)
      for (const reader of READERS) {
        const target = { affiliation: list, isSelf: false, isLastOwner: false };
        const mayChange = denyAffiliation(reader, target, "none") === undefined;
        expect(mayReadList(reader, list, HIDING)).toBe(mayChange);
      }
  });

  it("of bans, and those of others by outcasts and strangers, are read no more in any other room @3.1 @M1", () => {
    const known = { isNonAnonymous: true, readers: ROLES };
    for (const reader of READERS) {
      expect(mayReadList(reader, "outcast", known)).toBe(isAtLeast(reader.affiliation, "admin"));
      const isStranger = !isAtLeast(reader.affiliation, "member");
      for (const list of ["member", "admin", "owner"] as const)
        expect(mayReadList(reader, list, known)).toBe(!isStranger);
    }
    const closed = { isNonAnonymous: true, readers: [] };
    expect(
      READERS.filter((reader) => mayReadList(reader, "member", closed)).map(({ affiliation }) => affiliation),
    ).toEqual(READERS.filter((reader) => isAtLeast(reader.affiliation, "admin")).map(({ affiliation }) => affiliation));
  });

  it("of roles are read by moderators, that of moderators by admins @3.1", () => {
    for (const reader of READERS)
      expect(ROLES.map((role) => mayReadRole(reader, role))).toEqual([
        ...Array<boolean>(3).fill(reader.role === "moderator"),
        isAtLeast(reader.affiliation, "admin"),
      ]);
  });
});

describe("the role after a change of affiliation", () => {
  it("is that of entering, but for a rise, which takes no role away @3.1", () => {
    for (const kind of KINDS)
      for (const before of AFFILIATIONS)
        for (const after of AFFILIATIONS)
          for (const { role } of OCCUPANTS) {
            const is = roleAfter(role, before, after, kind);
            const initial = initialRole(after, kind);
            const isRise = isAtLeast(after, before) && after !== before && initial !== "none";
            const expected = isRise && ROLES.indexOf(role) > ROLES.indexOf(initial) ? role : initial;
            expect(is).toBe(expected);
          }
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
      for (const kind of KINDS.flatMap((one) => [false, true].map((isProtected) => ({ ...one, isProtected })))) {
        const { affiliation, role } = standing;
        const hasVoice = role === "participant" || role === "moderator";
        const getsIn = !kind.isMembersOnly && (!kind.isProtected || role !== "none");
        const may = mayRegister(standing, kind);
        if (affiliation === "none") expect(may).toBe(getsIn && (!kind.isModerated || hasVoice));
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

describe("the room itself", () => {
  it("has its vCard set by owners only @3.4", () => {
    expect(AFFILIATIONS.filter(maySetVcard)).toEqual(["owner"]);
  });

  it("lets its admins and owners speak at any time @3.4", () => {
    expect(AFFILIATIONS.filter(isExemptFromSlowMode)).toEqual(["admin", "owner"]);
  });

  it("has its hats managed by admins and owners @3.4", () => {
    expect(AFFILIATIONS.filter(mayManageHats)).toEqual(["admin", "owner"]);
  });
});
