// What a feature may ask a store to do, as plain data: writes, grouped into units that succeed or fail together.
// Ids and keys are made by the server before the commit, so a write can be sent again.
import type { Wire } from "../xml/wire.js";

/** A JSON value. Numbers are finite; `undefined` is not a value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };

/** A keyed document. `v` is the version of its shape: each feature has a pure function that lifts an older shape to the newest. */
export interface Doc {
  readonly v: number;
  readonly [field: string]: Json;
}

/** One entry of a log: the archive of a user or a room, in which the offline messages are the entries still pending. */
export interface Entry {
  /** Bare JID of the other side. */
  readonly with: string;
  /** The other side's resource, where it had one. */
  readonly resource?: string;
  /** The stanza as it goes to a client, self-contained (it carries its namespace). Kept byte by byte; "" is an anchor without content. */
  readonly stanza: Wire;
  /** As appended: incoming and to be kept for delivery. As read: not yet acknowledged by a receiving device, no "settle" has come. */
  readonly pending: boolean;
  /** Kept for delivery or as an anchor only: never shown by archive queries. */
  readonly hidden: boolean;
  /** The sender's `<origin-id/>` (XEP-0359), by which a stanza sent again is recognised. */
  readonly originId?: string;
}

/**
 * Adds or replaces the document under (store, owner, key). With `ifAbsent` only where there is none, with `ifVersion` only
 * where the stored row has that version; else the unit's outcome is "conflict".
 */
export interface Put {
  readonly op: "put";
  readonly store: string;
  readonly owner: string;
  readonly key: string;
  readonly doc: Doc;
  readonly ifAbsent?: true;
  readonly ifVersion?: number;
}

/** Removes a document; one that is not there is no error, unless `ifVersion` asked for a version of it. */
export interface Remove {
  readonly op: "remove";
  readonly store: string;
  readonly owner: string;
  readonly key: string;
  readonly ifVersion?: number;
}

/** Adds an entry to the owner's log. The id is unique within that log; an id that is already there is left as it is (a repeated write). */
export interface Append {
  readonly op: "append";
  readonly owner: string;
  /** Milliseconds since 1970 × 1024 + counter: a safe integer. */
  readonly id: number;
  readonly entry: Entry;
}

/**
 * Clears `pending` of these entries; a hidden one among them loses its stanza, as it was only kept for delivery (rulings 10).
 * Ids that are not there or not pending are passed over.
 */
export interface Settle {
  readonly op: "settle";
  readonly owner: string;
  readonly ids: readonly number[];
}

/** Replaces the stanza of an entry (a tombstone, XEP-0424), in the full-text index too; one that is not there is no error. */
export interface Revise {
  readonly op: "revise";
  readonly owner: string;
  readonly id: number;
  readonly stanza: Wire;
}

/**
 * Removes all that is kept under an owner: its documents in every store and its log. A long log is only hidden for good in this moment;
 * Storage.discard() then takes it out. The owner may have new entries at once.
 */
export interface Erase {
  readonly op: "erase";
  readonly owner: string;
}

export type Write = Put | Remove | Append | Settle | Revise | Erase;

/** Writes that are atomic together, in their order, with one outcome. */
export interface Unit {
  readonly writes: readonly Write[];
}

/**
 * What became of a unit.
 * - `done`: durable; reads from now on see it.
 * - `refused`: nothing of it was written (disk full, store closed).
 * - `conflict`: nothing of it was written, because an `ifAbsent` or `ifVersion` did not hold.
 * - `unknown`: it may or may not have been written (the store went away meanwhile). Sending the same unit again is harmless,
 *   but a conditional write may then meet its own earlier self as a "conflict".
 */
export type Outcome = "done" | "refused" | "conflict" | "unknown";
