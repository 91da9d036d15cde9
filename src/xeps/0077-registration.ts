// XEP-0077: making an account before login, and changing its password or removing it after. Whether new accounts are made is in
// mayRegister(); what is refused for how many there are already, in overLimit().
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq, StreamInfo } from "../core/feature.js";
import type { Outcome } from "../storage/writes.js";
import { resultOf } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import { JID, JidError } from "../stanza/jid.js";
import { PrecisError } from "../stanza/precis.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { HourlyLimit } from "./hourly-limit.js";

const UNAVAILABLE = new StanzaError("service-unavailable");

export function registration(context: Context): Feature {
  const attempts = new HourlyLimit(() => context.clock.now());
  const get = (iq: Iq) => registered(registrant(iq));
  const set = (iq: Iq) => change(context, iq);
  return {
    name: "registration",
    specs: [{ xep: 77, version: "2.4", status: "complete", since: "0.1.0", note: "fields username and password" }],
    disco: { server: [NS.register] },
    streamFeatures: (stream) => (isOffered(context, stream) ? [xml("register", { xmlns: NS.registerFeature })] : []),
    earlyIq: {
      "jabber:iq:register query": (payload, type, stream) =>
        type === "get" ? Promise.resolve(fields(context, stream)) : register(context, attempts, payload, stream),
    },
    iq: {
      server: { "get jabber:iq:register query": get, "set jabber:iq:register query": set },
      account: {
        "get jabber:iq:register query": (iq) => (iq.own ? get(iq) : UNAVAILABLE),
        "set jabber:iq:register query": (iq) => (iq.own ? set(iq) : UNAVAILABLE),
      },
    },
  };
}

function isOffered(context: Context, stream: StreamInfo): boolean {
  return !stream.authenticated && context.config.registration.mode === "open" && isSafe(context, stream);
}

function isSafe({ config }: Context, { secure }: StreamInfo): boolean {
  return secure || !config.c2s.require_tls;
}

/** Undefined if an account may be made on this stream. */
function mayRegister(context: Context, stream: StreamInfo): StanzaError | undefined {
  if (!isSafe(context, stream)) return new StanzaError("not-authorized", "modify", "use TLS first");
  const { mode } = context.config.registration;
  switch (mode) {
    case "open":
      return undefined;
    case "invite":
      return new StanzaError("not-allowed", "cancel", "an invitation is needed");
    case "closed":
      return new StanzaError("not-allowed", "cancel", "accounts are made by the administrators");
    default:
      return mode satisfies never;
  }
}

/** XEP-0077 "Entity Registers with a Host": a host that does not do this says so when asked for the fields. */
function fields(context: Context, stream: StreamInfo): Answer {
  if (context.config.registration.mode === "closed") return UNAVAILABLE;
  const refusal = mayRegister(context, stream);
  if (refusal) return refusal;
  const instructions = xml("instructions", {}, "Choose a user name and a password.");
  return [xml("query", { xmlns: NS.register }, instructions, xml("username"), xml("password"))];
}

async function register(
  context: Context,
  attempts: HourlyLimit,
  payload: Element,
  stream: StreamInfo,
): Promise<Answer> {
  if (payload.getChild("remove", NS.register)) return new StanzaError("unexpected-request");
  const refusal = mayRegister(context, stream);
  if (refusal) return refusal;
  const wanted = wantedAccount(payload, stream.domain);
  if (wanted instanceof StanzaError) return wanted;
  if (overLimit(context, attempts, stream)) return new StanzaError("resource-constraint", "wait", "too many accounts");
  if (isReserved(context, wanted.jid) || (await context.users.exists(wanted.jid))) return new StanzaError("conflict");
  const outcome = await withPassword(() => context.users.create(wanted.jid, wanted.password));
  if (outcome !== "done") return refusalFor(outcome);
  stream.registrations++;
  context.log.info({ ev: "registration.created", jid: wanted.jid, ip: stream.address });
  return [];
}

/** Every attempt counts, also one that ends in a conflict: each costs work and tells whether a name is taken. */
function overLimit(context: Context, attempts: HourlyLimit, { address }: StreamInfo): boolean {
  return !attempts.take(address, context.config.limits.registrations_per_hour);
}

/** An administrator's address that has no account yet is nobody's to take. */
function isReserved({ config }: Context, jid: JID): boolean {
  return config.admins.some((admin) => parsed(() => JID.parse(admin))?.equals(jid));
}

function wantedAccount(payload: Element, domain: string): { jid: JID; password: string } | StanzaError {
  const username = field(payload, "username");
  const password = field(payload, "password");
  const jid = username === "" ? undefined : parsed(() => JID.of(username, domain));
  if (!jid || password === "") return new StanzaError("not-acceptable");
  return { jid, password };
}

/** The requester's account, if this host is its home. */
function registrant({ flow, stanza }: Iq): Account | undefined {
  const account = flow.session?.account;
  return account && stanza.to?.domain === account.jid.domain ? account : undefined;
}

function registered(account: Account | undefined): Answer {
  if (!account) return UNAVAILABLE;
  const instructions = xml("instructions", {}, "You have this account. A new password replaces the old one.");
  const known = [xml("registered"), instructions, xml("username", {}, account.jid.local), xml("password")];
  return [xml("query", { xmlns: NS.register }, ...known)];
}

function change(context: Context, iq: Iq): Answer | (() => Promise<Answer>) | undefined {
  const account = registrant(iq);
  if (!account) return new StanzaError("registration-required");
  const children = iq.payload.getChildElements();
  if (!iq.payload.getChild("remove", NS.register)) return changePassword(context, iq.payload, account);
  if (children.length > 1) return new StanzaError("bad-request");
  return remove(context, iq, account);
}

/** "Entity Cancels an Existing Registration": the answer leaves before the streams of the account are closed. */
function remove(context: Context, { flow, stanza }: Iq, account: Account): undefined {
  flow.reply(resultOf(stanza));
  context.users.removal(flow, account);
  flow.atRelease(() => context.log.info({ ev: "registration.removed", jid: account.jid }));
}

/** "User Changes Password". */
function changePassword(context: Context, payload: Element, account: Account): Answer | (() => Promise<Answer>) {
  const username = field(payload, "username");
  const password = field(payload, "password");
  if (username === "" || password === "") return new StanzaError("bad-request");
  const jid = parsed(() => JID.of(username, account.jid.domain));
  if (!jid?.equals(account.jid)) return new StanzaError("not-acceptable", "modify", "not the name of this account");
  return async () => {
    const outcome = await withPassword(() => context.users.setPassword(account.jid, password));
    return outcome === "done" ? [] : refusalFor(outcome);
  };
}

function field(payload: Element, name: "username" | "password"): string {
  return payload.getChildText(name, NS.register) ?? "";
}

type PasswordOutcome = Outcome | "unusable";

/** A password that RFC 8265 does not allow is the peer's mistake. */
async function withPassword(action: () => Promise<Outcome>): Promise<PasswordOutcome> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof PrecisError) return "unusable";
    throw error;
  }
}

function refusalFor(outcome: Exclude<PasswordOutcome, "done">): StanzaError {
  switch (outcome) {
    case "unusable":
      return new StanzaError("not-acceptable");
    case "conflict":
      return new StanzaError("conflict");
    case "refused":
    case "unknown":
      return new StanzaError("resource-constraint", "wait");
  }
}

function parsed(read: () => JID): JID | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}
