// Every limit on what a peer can make the server do or keep, with its name, default, unit and meaning. A limit is used nowhere
// without standing here: it is set in [limits], read as `config.limits.<name>`, and 0 switches it off.
import { z } from "zod";
import { duration, kind, setting, size, whole } from "./config/values.js";
import type { Kind } from "./config/values.js";

/** One row of the table. `least` is the smallest value with which the server still works as the RFCs demand. */
export interface LimitRow {
  readonly unit: "ms" | "bytes" | "count";
  readonly initial: number | string;
  readonly least?: number;
  readonly doc: string;
  /** Nothing heeds it yet. */
  readonly later?: true;
}

/** The limits, in the order in which the reference lists them. */
export const LIMITS = {
  // What one stream may send.
  stanza_bytes: {
    unit: "bytes",
    initial: "256KiB",
    least: 10_000,
    doc: "Largest stanza after login (RFC 6120 §13.12 asks for at least 10,000 bytes).",
  },
  preauth_bytes: { unit: "bytes", initial: "10KiB", least: 10_000, doc: "Largest element before login." },
  depth: { unit: "count", initial: 64, least: 8, doc: "Deepest nesting of elements in a stanza." },
  elements: { unit: "count", initial: 4096, least: 64, doc: "Most elements in a stanza." },
  attributes: { unit: "count", initial: 64, least: 16, doc: "Most attributes of one element." },
  namespaces: { unit: "count", initial: 64, least: 16, doc: "Most namespace declarations in effect at one place." },
  name_bytes: {
    unit: "bytes",
    initial: 1024,
    least: 256,
    doc: "Longest name of an element or attribute, and longest namespace.",
  },

  // Connections.
  preauth_deadline: { unit: "ms", initial: "30s", least: 1000, doc: "Time a connection has to log in." },
  idle_keepalive: {
    unit: "ms",
    initial: "5min",
    least: 1000,
    doc: "Silence after which a connection is probed with white space.",
  },
  idle_timeout: { unit: "ms", initial: "30min", least: 1000, doc: "Silence after which a connection counts as dead." },
  close_timeout: {
    unit: "ms",
    initial: "5s",
    least: 100,
    doc: "Time the other side has to answer the end of a stream.",
  },
  connections: { unit: "count", initial: 100_000, doc: "Most connections at once." },
  connections_per_address: {
    unit: "count",
    initial: 1000,
    doc: "Most connections at once from one IP address (IPv6: one /64).",
  },
  preauth_connections: { unit: "count", initial: 10_000, doc: "Most connections at once that have not logged in." },

  // Work under way.
  ack_wait: {
    unit: "ms",
    initial: "250ms",
    doc: "Longest wait before an acknowledgement request is answered with what is durable so far.",
  },
  inflight_stanzas: {
    unit: "count",
    initial: 256,
    least: 1,
    doc: "Stanzas of one session that are not yet decided and durable; beyond it the session is not read.",
  },
  inflight_bytes: { unit: "bytes", initial: "1MiB", least: 10_000, doc: "The same in bytes." },
  outbox_bytes: {
    unit: "bytes",
    initial: "4MiB",
    least: 65_536,
    doc: "Bytes waiting for a slow reader; beyond it the connection is closed.",
  },
  commit_queue: {
    unit: "bytes",
    initial: "64MiB",
    least: 1_048_576,
    doc: "Bytes waiting for the store, of the whole server; beyond it nobody is read.",
  },
  loads: { unit: "count", initial: 64, least: 1, doc: "Accounts loaded from the store at the same time." },
  load_queue: {
    unit: "count",
    initial: 10_000,
    least: 1,
    doc: "Accounts waiting to be loaded; beyond it stanzas are refused with wait.",
  },
  load_timeout: { unit: "ms", initial: "10s", least: 100, doc: "Longest wait for an account to be loaded." },
  account_cache_bytes: { unit: "bytes", initial: "64MiB", doc: "Memory for accounts that nobody is logged in to." },

  // What one account may have.
  resources_per_account: { unit: "count", initial: 32, least: 1, doc: "Most sessions of one account at once." },
  roster_items: { unit: "count", initial: 5000, doc: "Most contacts in one roster." },
  roster_groups: { unit: "count", initial: 64, doc: "Most groups of one contact." },
  pending_subscriptions: {
    unit: "count",
    initial: 1000,
    doc: "Most unanswered subscription requests kept for one account.",
  },
  directed_presence: {
    unit: "count",
    initial: 1000,
    doc: "Most addresses that one session has sent presence to directly.",
  },
  offline_messages: { unit: "count", initial: 10_000, doc: "Most undelivered messages kept for one account." },
  offline_bytes: { unit: "bytes", initial: "100MiB", doc: "The same in bytes." },
  offline_messages_per_sender: {
    unit: "count",
    initial: 1000,
    doc: "Most of them from one sender.",
  },
  archive_preferences: {
    unit: "count",
    initial: 1000,
    doc: "Most addresses for which one account has chosen what is archived (XEP-0441).",
  },
  private_bytes: { unit: "bytes", initial: "1MiB", doc: "Private XML of one account (XEP-0049)." },
  vcard_bytes: { unit: "bytes", initial: "128KiB", doc: "One vCard (XEP-0054)." },
  sm_queue: {
    unit: "count",
    initial: 5000,
    least: 1,
    doc: "Unacknowledged stanzas of one session; beyond it the session can no longer be resumed.",
  },
  sm_queue_bytes: { unit: "bytes", initial: "8MiB", least: 65_536, doc: "The same in bytes." },
  sm_resume: { unit: "ms", initial: "10min", doc: "Time in which a lost session can be resumed." },

  // Rooms.
  rooms_per_account: { unit: "count", initial: 100, doc: "Most rooms that one account may own." },
  room_occupants: { unit: "count", initial: 5000, least: 1, doc: "Most occupants of one room." },
  room_affiliations: {
    unit: "count",
    initial: 10_000,
    least: 1,
    doc: "Most owners, admins, members and outcasts of one room together.",
  },
  room_history: {
    unit: "count",
    initial: 100,
    doc: "Most recent messages of a room kept in memory for those who enter.",
  },
  room_history_bytes: { unit: "bytes", initial: "512KiB", doc: "The same in bytes." },
  room_presences_per_minute: {
    unit: "count",
    initial: 120,
    doc: "Times in a minute that one account may enter one room, or change its nick or presence there.",
  },
  room_presence_bytes: {
    unit: "bytes",
    initial: "8KiB",
    doc: "Largest presence sent to a room, which is kept there and shown to all who enter.",
  },
  room_messages_per_minute: {
    unit: "count",
    initial: 1200,
    doc: "Messages in a minute from one account to one room and its occupants.",
  },
  invitations_per_hour: {
    unit: "count",
    initial: 100,
    doc: "Invitations to rooms that one account may send in an hour, and decline.",
  },
  rooms_searched: {
    unit: "count",
    initial: 10_000,
    least: 1,
    doc: "Public rooms that are looked at in one search for rooms (XEP-0433).",
  },
  room_tokens: { unit: "count", initial: 100, doc: "Most tokens that invite to one room (XEP-0488)." },
  occupant_requests: {
    unit: "count",
    initial: 100,
    doc: "Most unanswered requests of one account to other occupants of one room.",
  },
  nick_bytes: { unit: "bytes", initial: 256, least: 16, doc: "Longest nick in a room." },
  subject_bytes: { unit: "bytes", initial: "8KiB", doc: "Longest message that changes the subject of a room." },
  room_hats: { unit: "count", initial: 64, doc: "Most hats that there are in one room (XEP-0317)." },
  room_hat_wearers: { unit: "count", initial: 1000, doc: "Most accounts that have hats in one room." },
  activity_subscriptions: {
    unit: "count",
    initial: 10_000,
    doc: "Most clients of the whole server that are told of activity in rooms they are not in (XEP-0437).",
  },

  // Abuse.
  auth_failures: { unit: "count", initial: 5, least: 1, doc: "Failed logins on one connection before it is closed." },
  auth_failures_per_account: {
    unit: "count",
    initial: 30,
    doc: "Failed logins to one account in 10 minutes from one address; more are put off.",
  },
  auth_failures_per_address: {
    unit: "count",
    initial: 100,
    doc: "Failed logins from one address (IPv6: one /64) in 10 minutes; more are put off.",
  },
  registrations_per_hour: {
    unit: "count",
    initial: 20,
    doc: 'New accounts in an hour from one address; [registration] mode "open" lifts the limit per stream, not this one.',
  },
} as const satisfies Readonly<Record<string, LimitRow>>;

export type LimitName = keyof typeof LIMITS;

/** The limits in effect, in ms, bytes or a count. One that is off is `Infinity`, so that `x > limit` needs no second question. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The shape of the section [limits]. */
export const limitSettings = Object.fromEntries(
  Object.entries<LimitRow>(LIMITS).map(([name, row]) => [name, setting(kindOf(row), row.initial, row.doc)]),
) as Record<LimitName, z.ZodType<number>>;

/** The limits that nothing heeds yet. */
export const LATER_LIMITS = Object.entries<LimitRow>(LIMITS)
  .filter(([, { later }]) => later)
  .map(([name]) => name as LimitName);

/** The defaults, for tests and tools that have no configuration. */
export const DEFAULT_LIMITS: Limits = z.object(limitSettings).parse({});

function kindOf(row: LimitRow): Kind<number> {
  const base = { ms: duration, bytes: size, count: whole(0) }[row.unit];
  const { least = 0 } = row;
  const allowed = base.schema.refine((value) => value === 0 || value >= least).transform((value) => value || Infinity);
  return kind(
    least > 0 ? `${base.expects}, at least ${leastText(row.unit, least)}, or 0 for off` : `${base.expects} (0 is off)`,
    allowed,
  );
}

function leastText(unit: LimitRow["unit"], least: number): string {
  return unit === "count" ? String(least) : `${least} ${unit}`;
}
