// The contacts of an account: one stored document per contact, in the store "roster" under the contact's bare JID, and the view of them
// that steps decide on. Contacts that have only asked for a subscription are kept here too, but are not in the user's roster.
import type { Account } from "../core/account.js";
import { AccountSlot } from "../core/slot.js";
import { JID } from "../stanza/jid.js";
import type { Row } from "../storage/port.js";
import type { Doc, Json } from "../storage/writes.js";
import { isAsked, isState, type Standing } from "./subscription.js";

export const ROSTER_STORE = "roster";

/** Key of the document with the versions; no JID is empty. */
export const VERSIONS_KEY = "";

export interface Item extends Standing {
  /** The contact's bare JID. */
  readonly jid: JID;
  /** "" when the user gave none. */
  readonly name: string;
  readonly groups: readonly string[];
  /** In the user's roster. A contact that has only asked is not (RFC 6121 A.1): the user sees nothing of it but the request. */
  readonly listed: boolean;
  /** The contact's request, as XML, while it waits for an answer; else "". */
  readonly request: string;
  /** The version of the roster that last changed what the user sees of the item. */
  readonly ver: number;
}

/** How a user stands to somebody who is not in the roster. */
export const STRANGER: Standing = { state: "none", approved: false };

/** An account's contacts in memory. Changed only by `RosterChanges`, with a flow. */
export class Roster {
  readonly #items = new Map<string, Item>();
  #version = 0;
  #floor = 0;
  #listed = 0;
  #requests = 0;

  /** Read from the store: a document of an unknown shape is a bug of ours and throws. */
  static of(rows: readonly Row[]): Roster {
    const roster = new Roster();
    for (const { key, doc } of rows) {
      if (key === VERSIONS_KEY) roster.setVersions(numberIn(doc, "version"), numberIn(doc, "floor"));
      else roster.put(itemOf(key, doc));
    }
    return roster;
  }

  /** Rises with each change that the user sees; 0 for a roster that never had a contact. */
  get version(): number {
    return this.#version;
  }

  /** Changes before this version are not known one by one. */
  get floor(): number {
    return this.#floor;
  }

  /** Contacts in the user's roster. */
  get size(): number {
    return this.#listed;
  }

  /** Requests that wait for an answer. */
  get requests(): number {
    return this.#requests;
  }

  /** By the contact's JID, with or without a resource. */
  get(contact: JID): Item | undefined {
    return this.#items.get(contact.bare.toString());
  }

  standing(contact: JID): Standing {
    return this.get(contact) ?? STRANGER;
  }

  /** Everybody there is a document for. */
  all(): IterableIterator<Item> {
    return this.#items.values();
  }

  /** The roster as the user sees it. */
  listed(): readonly Item[] {
    return [...this.#items.values()].filter((item) => item.listed);
  }

  /** The items that changed after a version that a client knows, in order; undefined if only the whole roster can tell. */
  since(known: string): readonly Item[] | undefined {
    const version = VERSION.test(known) ? Number(known) : -1;
    if (version === this.#version) return [];
    if (version < this.#floor || version > this.#version || this.#floor === 0) return undefined;
    return this.listed()
      .filter((item) => item.ver > version)
      .sort((a, b) => a.ver - b.ver);
  }

  setVersions(version: number, floor: number): void {
    this.#version = Math.max(version, this.#version);
    this.#floor = floor;
  }

  put(item: Item): void {
    this.remove(item.jid);
    this.#items.set(item.jid.toString(), item);
    this.#version = Math.max(this.#version, item.ver);
    if (item.listed) this.#listed++;
    if (isAsked(item.state)) this.#requests++;
  }

  remove(contact: JID): void {
    const item = this.get(contact);
    if (!item) return;
    this.#items.delete(item.jid.toString());
    if (item.listed) this.#listed--;
    if (isAsked(item.state)) this.#requests--;
  }
}

const VERSION = /^\d{1,16}$/;

const rosters = new AccountSlot(ROSTER_STORE, (rows) => Roster.of(rows));

export function rosterOf(account: Account): Roster {
  return rosters.of(account);
}

export function docOf(item: Item): Doc {
  const { name, groups, state, approved, listed, request, ver } = item;
  return { v: 1, name, groups, state, approved, listed, request, ver };
}

function itemOf(key: string, doc: Doc): Item {
  const state = textIn(doc, "state");
  if (!isState(state)) throw new TypeError(`a roster document with the state "${state}"`);
  return {
    jid: JID.parse(key),
    name: textIn(doc, "name"),
    groups: textsIn(doc["groups"]),
    state,
    approved: doc["approved"] === true,
    listed: doc["listed"] === true,
    request: textIn(doc, "request"),
    ver: numberIn(doc, "ver"),
  };
}

function textIn(doc: Doc, field: string): string {
  const value = doc[field];
  return typeof value === "string" ? value : "";
}

function numberIn(doc: Doc, field: string): number {
  const value = doc[field];
  return typeof value === "number" ? value : 0;
}

function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one: unknown): one is string => typeof one === "string") : [];
}
