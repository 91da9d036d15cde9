// XEP-0488: tokens that make a member of whoever enters with one. They travel as the password of the room (rulings 25), work for those without
// affiliation only, and end after a time, after so many uses, when they are revoked, or when whoever issued them may not let others in any more.
import type { Answer } from "../../core/feature.js";
import { randomText } from "../../core/random.js";
import { attempt } from "../../stanza/attempt.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID } from "../../stanza/jid.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { putToken } from "../documents.js";
import { enrol } from "../membership.js";
import type { Part } from "../part.js";
import { isAtLeast, mayMakeMembers } from "../privileges.js";
import { type Token, withToken } from "../state.js";
import type { Turn } from "../turn.js";
import { membersInvite } from "./invitations.js";
import { isMembersOnly } from "./members-only.js";
import { passwordOf } from "./password.js";

const SECOND_MS = 1000;
const LONGEST_S = 365 * 86_400; // an invitation that has leaked does not work for ever
const UNSIGNED = /^\d{1,10}$/;

export const tokens: Part = {
  name: "tokens",
  features: () => [NS.mucTokens],
  enter: ({ state: { config } }, { affiliation, x }) => {
    const isOpen = !isMembersOnly.of(config) || affiliation !== "none" || passwordOf(config) !== undefined;
    if (isOpen || !x.getChild("password", NS.muc)) return undefined;
    return new StanzaError("not-authorized", undefined, undefined, xml("expired-token", { xmlns: NS.mucTokens }));
  },
  iq: {
    "set urn:xmpp:muc-token-invite:0 request": (turn, request) => attempt(() => issue(turn, request)),
    "get urn:xmpp:muc-token-invite:0 tokens": list,
    "set urn:xmpp:muc-token-invite:0 revoke": revoke,
  },
};

/** The token that whoever asks to enter brings along, if it makes them a member. */
export function tokenIn(turn: Turn, x: Element): Token | undefined {
  const token = turn.state.tokens.get(x.getChildText("password", NS.muc) ?? "");
  const isOfUse = token !== undefined && turn.affiliation === "none" && isValid(turn, token);
  return isOfUse ? token : undefined;
}

/** It is used once more. */
export function redeem(turn: Turn, token: Token): void {
  if (token.uses !== undefined) change(turn, { ...token, uses: token.uses - 1 });
  enrol(turn, turn.from.bare);
}

/** Throws StanzaError for a limit that is no number. */
function issue(turn: Turn, request: Element): Answer {
  if (!mayIssue(turn)) return new StanzaError("forbidden");
  const { context, from } = turn;
  for (const token of turn.state.tokens.values()) if (!isValid(turn, token)) change(turn, { ...token, uses: 0 });
  if (turn.state.tokens.size >= context.config.limits.room_tokens)
    return new StanzaError("resource-constraint", "wait", "too many tokens");
  const seconds = Math.min(numberIn(request, "delay") ?? LONGEST_S, LONGEST_S);
  const uses = numberIn(request, "counter");
  const token: Token = {
    ...{ text: randomText(context.random), creator: from.bare.toString() },
    until: context.clock.now() + seconds * SECOND_MS,
    ...(uses !== undefined && { uses }),
  };
  change(turn, token);
  return [elementOf(turn, token, NS.mucTokens)];
}

function numberIn(request: Element, name: string): number | undefined {
  const value: unknown = request.attrs[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !UNSIGNED.test(value) || Number(value) === 0)
    throw new StanzaError("bad-request", "modify", `${name} is no number above 0`);
  return Number(value);
}

function list(turn: Turn): Answer {
  if (!mayIssue(turn) && !overseesAll(turn)) return new StanzaError("forbidden");
  const own = [...turn.state.tokens.values()].filter((token) => isValid(turn, token) && mayRevoke(turn, token));
  return [xml("tokens", { xmlns: NS.mucTokens }, ...own.map((token) => elementOf(turn, token)))];
}

function revoke(turn: Turn, request: Element): Answer {
  if (!mayIssue(turn) && !overseesAll(turn)) return new StanzaError("forbidden");
  const token = turn.state.tokens.get(request.text());
  if (!token || !mayRevoke(turn, token)) return new StanzaError("item-not-found");
  change(turn, { ...token, uses: 0 });
  return [];
}

function mayIssue(turn: Turn, who: JID = turn.from): boolean {
  return mayMakeMembers(turn.affiliationOf(who), { membersInvite: membersInvite.of(turn.state.config) });
}

function overseesAll({ affiliation, occupant }: Turn): boolean {
  return isAtLeast(affiliation, "admin") || occupant?.role === "moderator";
}

function mayRevoke(turn: Turn, { creator }: Token): boolean {
  return overseesAll(turn) || creator === turn.from.bare.toString();
}

/** Who has lost their affiliation has no way back in by what they issued before. */
function isValid(turn: Turn, { until, creator }: Token): boolean {
  return until > turn.context.clock.now() && mayIssue(turn, JID.parse(creator));
}

/** One that has no uses left is gone. */
function change(turn: Turn, token: Token): void {
  turn.change(withToken(turn.state, token), putToken(turn.jid, token));
}

function elementOf({ context }: Turn, { text, uses, until }: Token, xmlns?: string): Element {
  const delay = Math.ceil((until - context.clock.now()) / SECOND_MS);
  return xml("token", { xmlns, delay, counter: uses }, text);
}
