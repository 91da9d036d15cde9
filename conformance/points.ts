// The points that have to be shown, as data: what ACCEPTANCE.md has a line for. Tests and scenes name them by `@` and the id.

export interface Point {
  readonly id: string;
  readonly title: string;
}

const points = (rows: Readonly<Record<string, string>>): readonly Point[] =>
  Object.entries(rows).map(([id, title]) => ({ id, title }));

export const POINTS: readonly Point[] = points({
  "1.1": "Two commands: a server with its own certificate, and its tests",
  "1.2": "XML streams: the strict scanner, its limits, stream errors",
  "1.3": "TLS: STARTTLS, direct TLS, several domains, reload",
  "1.4": "SASL: SCRAM and -PLUS, PLAIN, ANONYMOUS, stored keys, limits on failures",
  "1.5": "Binding and sessions",
  "1.6": "Roster, subscriptions, presence, delivery, addresses",
  "1.7": "Offline messages",
  "1.8": "Disco, caps, version, ping, time, last activity, vCard, private XML, registration, limits, contacts",
  "1.9": "Storage port, its drivers, Committer and Lane",
  "1.10": "Configuration, commands, logs",
  "1.11": "Scenes, also against Prosody",
  "1.12": "Habits: documents, architecture test, a simulated chat",
  "1.show1": "slixmpp and xmpp.js: 200 messages in order, offline messages after a restart",
  "1.show2": "Smack's integration tests, at least 35 methods",
  "1.show3": "The attack rows below as tests",
  "1.show4": "Benchmark beside Prosody",
  "1.bad": "Bad input: one clear line, exit code 1, no data touched",
  "2.1": "One log, two views: archive and offline messages",
  "2.2": "Archive queries, preferences, stanza-ids, tombstones, search",
  "2.3": "Retention, quota, erasing and exporting",
  "2.4": "Stream management",
  "2.5": "MongoDB",
  "2.6": "Migrations",
  "2.show1": "Crash suite: nothing acknowledged is lost, doubled or out of order after kill -9; quiet sessions resume",
  "2.show2": "The same with a store that fails, stalls for 10 s, or fills its disk",
  "2.show4": "Benchmark of archiving and reading beside Prosody and ejabberd",
  "2.bad": "Bad input to stream management: a stream error or <failed/>, nothing lost",
  "3.1": "XEP-0045 whole: every use case, privilege and error",
  "3.2": "Durable rooms, loaded when they are needed",
  "3.3": "Room archive: history, access, retraction, moderation",
  "3.4": "What clients rely on: self-ping, occupant ids, avatars, hats, mentions, search, tokens, slow mode",
  "3.5": "Limits of rooms",
  "3.6": "One file per concern; privileges as one pure table",
  "3.show1": "Smack's integration tests of XEP-0045",
  "3.show2": "slixmpp, xmpp.js and Profanity in one room",
  "3.show3": "A room of 1,000 occupants; benchmark of rooms beside Prosody and ejabberd",
  "3.show4":
    "Crash suite in rooms: nothing that was heard is missing from the archive, one order for all, occupants are back in",
  X2: "Entity expansion, DTD, processing instructions, comments",
  X3: "Element, attribute and namespace amplification",
  X4: "Depth bomb",
  X5: "Memory before authentication",
  X6: "Slow-loris and endless white space",
  X7: "Stanza smuggling: invalid UTF-8, forbidden characters",
  X8: "Namespace tricks",
  X9: "Stream elements inside stanzas, two roots",
  X10: "CDATA, split characters, byte order mark, UTF-16",
  X11: "Compression bombs",
  A1: "STARTTLS plaintext injection",
  A2: "Ways around required TLS",
  A5: "PLAIN with another authorization identity",
  A6: "SCRAM: nonces, iterations, flags, channel binding",
  A7: "Timing and user enumeration",
  A9: "Brute force from many addresses",
  R1: "A forged from",
  R2: "Forged carbons and archive results",
  R3: "Forged stanza-ids",
  R4: "Resumption of somebody else's session",
  R5: "What strangers learn",
  R7: "Requests without an answer",
  R8: "Address tricks",
  R9: "Floods for somebody who is away",
  R11: "Amplification",
  R12: "Log injection and secrets in logs",
  M1: "Lists and real JIDs read by those who may not",
  M2: "Room archives after leaving, after a ban, of closed rooms",
  M3: "Ways around passwords and members-only rooms",
  M4: "Last owner, bans of owners, escalation by moderators",
  M5: "Kicked occupants and ghosts",
  M6: "Retracting or moderating somebody else's message",
  M9: "Archive queries that ask too much",
  M11: "Rooms, joins, nicks, subjects and lists without end",
  H9: "Prototype pollution by data",
  H12: "A newer or a shared database",
});

const TAG = /@(\d+\.(?:\d+|show\d+|bad)|[A-Z]\d+)(?![\w.])/g;

/** The ids in a test's name, written `@1.4` or `@X3`. */
export function tagsIn(text: string): readonly string[] {
  return [...text.matchAll(TAG)].flatMap(([, id]) => (id === undefined ? [] : [id]));
}
