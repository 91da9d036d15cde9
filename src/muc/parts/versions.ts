// XEP-0463 "MUC Affiliations Versioning": whoever asks for it when they enter is told what has changed on the lists since they were last there,
// and of each change how far the lists are by it. Versions count only what the reader may read, so that nobody learns of the rest.
import { errorOf, message } from "../../stanza/build.js";
import { StanzaError } from "../../stanza/errors.js";
import type { Stanza } from "../../stanza/stanza.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import type { Part } from "../part.js";
import { AFFILIATIONS, type Affiliation, type Standing } from "../privileges.js";
import type { ListChange, Occupant, RoomState, Seat } from "../state.js";
import type { Turn } from "../turn.js";
import { isReadable } from "./member-list.js";

const MOST_CHANGES = 200; // what a room remembers; whoever has missed more gets the lists anew
const PAGE = 500; // items of one message: some 50 KB
const FORBIDDEN = new StanzaError("forbidden");

type Versions = RoomState["versions"];

export const versions: Part = {
  name: "versions",
  features: () => [NS.mucVersions],
  greet: (turn, occupant, seat) => turn.send(...greeting(turn, occupant, seat)),
};

/** Whether the client asks for it by what it enters with. */
export function asksToFollow(x: Element | undefined): boolean {
  return x?.getChild("mav", NS.mucVersions) !== undefined;
}

/** The room with these changes made one after the other. */
export function advanced(
  state: RoomState,
  changes: readonly Omit<ListChange, "version" | "from">[],
  now: number,
): { readonly state: RoomState; readonly changes: readonly ListChange[] } {
  const all: ListChange[] = [];
  let versions: Versions = state.versions;
  for (const change of changes) {
    const version = Math.max(now, latest(versions, AFFILIATIONS) + 1);
    all.push({ ...change, version, from: versions });
    const touched = [change.before, change.after].map((list) => [list, version] as const);
    versions = new Map([...versions, ...touched.filter(([list]) => list !== "none")]);
  }
  return { state: { ...state, versions, changes: [...state.changes, ...all].slice(-MOST_CHANGES) }, changes: all };
}

function latest(lists: Versions, read: readonly Affiliation[]): number {
  return Math.max(0, ...read.map((list) => lists.get(list) ?? 0));
}

/** The lists that somebody may read; of nobody's if they may not even read that of members. */
function readBy({ state }: Pick<Turn, "state">, reader: Standing): readonly Affiliation[] {
  const all = AFFILIATIONS.filter((list) => list !== "none" && isReadable(state, reader, list));
  return all.includes("member") ? all : [];
}

/** For readers of other lists it is another version, so that nobody goes on from what they have not been told. */
function textOf(version: number, read: readonly Affiliation[]): string {
  return `${read.map((list) => AFFILIATIONS.indexOf(list)).join("")}-${version.toString(36)}`;
}

/** How far the lists are, for the client's own presence when it enters. */
export function current(turn: Turn, occupant: Occupant, { follows }: Seat): readonly Element[] {
  const read = follows ? readBy(turn, turn.standingAs(occupant)) : [];
  return read.length === 0 ? [] : [mav({ until: textOf(latest(turn.state.versions, read), read) })];
}

/** What a client of the occupant is told of the versions with the news of a change. */
export function news(turn: Turn, change: ListChange, viewer: Occupant, { follows }: Seat): readonly Element[] {
  const read = follows ? readBy(turn, turn.standingAs(viewer)) : [];
  if (!isAbout(change, read)) return [];
  return [mav({ since: textOf(latest(change.from, read), read), until: textOf(change.version, read) })];
}

/** Before any presence, whoever asks is told what they have missed. */
function greeting(turn: Turn, occupant: Occupant, seat: Seat): readonly Stanza[] {
  const { stanza, state } = turn;
  const asked = stanza.child("x", NS.muc)?.getChild("mav", NS.mucVersions);
  if (!asked) return [];
  const read = readBy(turn, turn.standingAs(occupant));
  if (read.length === 0) return [refusal(turn)];
  const until = latest(state.versions, read);
  const since = sinceIn(asked, read);
  if (since === until) return [];
  if (since === undefined || since > until || since < latest(state.changes[0]?.from ?? state.versions, read))
    return whole(turn, seat, read);
  const missed = state.changes.filter((change) => change.version > since && isAbout(change, read));
  if (!wasReader(turn, missed)) return [refusal(turn)];
  const items = missedItems(missed, read);
  const range = { since: textOf(since, read), until: textOf(until, read) };
  return items.length === 0 ? whole(turn, seat, read) : [told(turn, seat, range, items)];
}

/** The version a client has seen, if it is one of these lists. */
function sinceIn({ attrs }: Element, read: readonly Affiliation[]): number | undefined {
  const text: unknown = attrs["since"];
  const number = typeof text === "string" ? parseInt(text.slice(text.indexOf("-") + 1), 36) : NaN;
  return Number.isSafeInteger(number) && textOf(number, read) === text ? number : undefined;
}

/** "Security Considerations": what was on the lists at a time is told to those who might read them then. */
function wasReader(turn: Turn, missed: readonly ListChange[]): boolean {
  const own = missed.find(({ account }) => account === turn.from.bare.toString());
  return !own || readBy(turn, { affiliation: own.before, role: "none", isStaff: turn.isStaff(turn.from) }).length > 0;
}

/** One item for each account, as it is now; what the reader may not read is as if it were on no list. */
function missedItems(missed: readonly ListChange[], read: readonly Affiliation[]): readonly Element[] {
  const seen = (list: Affiliation) => (read.includes(list) ? list : "none");
  const before = new Map(missed.toReversed().map((change) => [change.account, seen(change.before)]));
  const after = new Map(missed.map((change) => [change.account, seen(change.after)]));
  return [...after]
    .filter(([jid, is]) => is !== before.get(jid))
    .map(([jid, affiliation]) => xml("item", { jid, affiliation }));
}

/** All that the reader may read, in pages that follow each other by versions of their own. */
function whole(turn: Turn, seat: Seat, read: readonly Affiliation[]): readonly Stanza[] {
  const { affiliations, versions: lists } = turn.state;
  const items = [...affiliations]
    .filter(([, { affiliation }]) => read.includes(affiliation))
    .map(([jid, { affiliation }]) => xml("item", { jid, affiliation }));
  const until = textOf(latest(lists, read), read);
  const pages = Math.max(1, Math.ceil(items.length / PAGE));
  const version = (page: number) => (page === pages ? until : `${until}/${page}`);
  return Array.from({ length: pages }, (_, page) => {
    const range = { ...(page > 0 && { since: version(page) }), until: version(page + 1) };
    return told(turn, seat, range, items.slice(page * PAGE, (page + 1) * PAGE));
  });
}

function told({ jid }: Turn, seat: Seat, range: Parameters<typeof mav>[0], items: readonly Element[]): Stanza {
  return message({ from: jid, to: seat.jid }, xml("x", { xmlns: NS.mucUser }, mav(range), ...items));
}

function refusal({ jid, from, stanza }: Turn): Stanza {
  const asked = message({ from, to: jid, id: stanza.id });
  return errorOf(asked, FORBIDDEN) ?? asked;
}

function isAbout({ before, after }: ListChange, read: readonly Affiliation[]): boolean {
  return read.includes(before) || read.includes(after);
}

function mav(attributes: { readonly since?: string; readonly until: string }): Element {
  return xml("mav", { xmlns: NS.mucVersions, ...attributes });
}
