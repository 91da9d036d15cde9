// The delivery cursors of the logs, on the writing side: which entries of busy owners are open is kept in memory, because one server
// writes; what a batch does to them becomes statements, the cursor itself once per owner and batch.
import { LRUCache } from "lru-cache";
import { type CursorChange, OpenEntries } from "../pending.js";
import { toWire } from "../../xml/wire.js";
import type { Append, Settle } from "../writes.js";
import type { Erasures } from "./erasures.js";
import { cursorOf, entryPlace, pendingBy, stanzaOf } from "./entries.js";
import type { Link } from "./link.js";
import { COLLECTION, type CursorRecord, type EntryRecord } from "./schema.js";
import { cursorStep, entriesStep, type Step } from "./steps.js";

/** Open entries kept in memory over all owners, an owner counting as a few: those of the owners that were written to last. */
const MAX_OPEN = 200_000;
const OWNER_SIZE = 8;
/** Open entries of one owner read at a time, lowest first: a flood of them is delivered in this order, too. */
const WINDOW = 4000;
/** Owners whose open entries are read at a time. */
const AT_ONCE = 16;

export class Cursors {
  readonly #link: Link;
  readonly #erasures: Erasures;
  readonly #owners = new LRUCache<string, OpenEntries>({
    maxSize: MAX_OPEN,
    sizeCalculation: ({ size }) => OWNER_SIZE + size,
  });

  constructor(link: Link, erasures: Erasures) {
    this.#link = link;
    this.#erasures = erasures;
  }

  /** The open entries of these owners. @throws what the driver throws */
  async load(owners: Iterable<string>): Promise<ReadonlyMap<string, OpenEntries>> {
    const wanted = [...new Set(owners)];
    const loaded = new Map<string, OpenEntries>();
    for (let at = 0; at < wanted.length; at += AT_ONCE)
      await Promise.all(
        wanted.slice(at, at + AT_ONCE).map(async (owner) => loaded.set(owner, await this.#load(owner))),
      );
    for (const [owner, open] of loaded) {
      this.#owners.delete(owner); // its size has changed
      this.#owners.set(owner, open);
    }
    return loaded;
  }

  #load(owner: string): OpenEntries | Promise<OpenEntries> {
    const known = this.#owners.get(owner);
    return known && !(known.isPartial && known.size < WINDOW / 2) ? known : this.#read(owner);
  }

  /** Those in memory. */
  inMemory(owner: string): OpenEntries | undefined {
    return this.#owners.get(owner);
  }

  erased(owner: string): void {
    this.#owners.set(owner, new OpenEntries(cursorOf(null), []));
  }

  /** What is in memory may be ahead of the store. */
  forget(): void {
    this.#owners.clear();
  }

  async #read(owner: string): Promise<OpenEntries> {
    const { link, bounds } = { link: this.#link, bounds: this.#link.bounds };
    const cursor = cursorOf(await link.collection<CursorRecord>(COLLECTION.cursors).findOne({ _id: owner }, bounds));
    const rows = link
      .collection<EntryRecord>(COLLECTION.log)
      .find({ owner, ...this.#erasures.beyond(owner), ...pendingBy(cursor) }, bounds);
    const lowest = rows.sort({ id: 1 }).limit(WINDOW + cursor.open.length);
    const marked = await lowest.project<Pick<EntryRecord, "id" | "hidden">>({ _id: 0, id: 1, hidden: 1 }).toArray();
    const horizon = marked.length < WINDOW ? Infinity : marked.at(-1)?.id;
    const entries = marked.map(({ id, hidden = false }) => ({ id, hidden }));
    return new OpenEntries(cursor, entries, horizon);
  }
}

/** What is known of the logs before a batch is planned. */
export interface KnownLogs {
  /** The open entries of all owners that the batch settles for or appends to out of order. */
  readonly open: ReadonlyMap<string, OpenEntries>;
  /** Those of its entries that are there already (see entryPlace). */
  readonly present: ReadonlySet<string>;
}

/** What one batch does to the cursors. */
export class CursorChanges {
  readonly #cursors: Cursors;
  readonly #known: KnownLogs;
  readonly #appended = new Set<string>();
  /** The owners that it erases, with the running number up to which their entries are gone. */
  readonly #erased = new Map<string, number>();
  /** Cursors to be written at the end, with the units that moved them. */
  readonly #moved = new Map<string, Set<number>>();

  constructor(cursors: Cursors, known: KnownLogs) {
    this.#cursors = cursors;
    this.#known = known;
  }

  /** Whether the entry stands in the store since before this batch, and still does. */
  isPresent(append: Append): boolean {
    return this.#known.present.has(entryPlace(append)) && !this.#erased.has(append.owner);
  }

  /** Up to which running number entries of this owner are gone by this batch. */
  erasedUpTo(owner: string): number | undefined {
    return this.#erased.get(owner);
  }

  get erasedOwners(): ReadonlyMap<string, number> {
    return this.#erased;
  }

  /** The statements that come before the entry's own. */
  append(append: Append): readonly Step[] {
    const { owner, id, entry } = append;
    const open = this.#open(owner);
    if (!entry.pending || !open || this.#appended.has(entryPlace(append))) return [];
    this.#appended.add(entryPlace(append));
    const change = open.append({ id, hidden: entry.hidden });
    return [...unmarking(owner, change), ...(change.moved ? [cursorStep(owner, open.cursor)] : [])];
  }

  /** The statements for the entries; the cursor follows at the end of the batch. */
  settle({ owner, ids }: Settle, unit: number): readonly Step[] {
    const open = this.#open(owner);
    if (!open) throw new Error("the cursor of a settling owner is not loaded");
    const change = open.settle(ids);
    if (change.moved) this.#moved.set(owner, (this.#moved.get(owner) ?? new Set()).add(unit));
    return [...emptying(owner, change.hidden), ...unmarking(owner, change), ...settlingBeyond(owner, change.beyond)];
  }

  erase(owner: string, upTo: number): void {
    this.#cursors.erased(owner);
    this.#moved.delete(owner);
    this.#erased.set(owner, upTo);
    for (const place of this.#appended) if (place.startsWith(`${owner}\0`)) this.#appended.delete(place);
  }

  /** The cursors that moved. */
  *last(): Generator<{ readonly step: Step; readonly units: readonly number[] }> {
    for (const [owner, units] of this.#moved) {
      const open = this.#open(owner);
      if (open) yield { step: cursorStep(owner, open.cursor), units: [...units] };
    }
  }

  #open(owner: string): OpenEntries | undefined {
    return (this.#erased.has(owner) ? undefined : this.#known.open.get(owner)) ?? this.#cursors.inMemory(owner);
  }
}

function unmarking(owner: string, { unmark }: CursorChange): readonly Step[] {
  const single = unmark.flatMap(({ from, to }) => (from === to ? [from] : []));
  const ranges = unmark.filter(({ from, to }) => from !== to);
  const unmarked = { $unset: { pending: "" } };
  return [
    ...(single.length > 0 ? [entriesStep(owner, { id: { $in: single } }, unmarked)] : []),
    ...ranges.map(({ from, to }) => entriesStep(owner, { id: { $gte: from, $lte: to } }, unmarked)),
  ];
}

const EMPTIED = { $set: { stanza: stanzaOf(toWire("")) } };

function emptying(owner: string, ids: readonly number[]): readonly Step[] {
  return ids.length > 0 ? [entriesStep(owner, { id: { $in: ids } }, EMPTIED)] : [];
}

/** Of these only the rows know whether they are open and hidden. */
function settlingBeyond(owner: string, ids: readonly number[]): readonly Step[] {
  if (ids.length === 0) return [];
  const open = { id: { $in: ids }, pending: true };
  return [
    entriesStep(owner, { ...open, hidden: true }, EMPTIED),
    entriesStep(owner, open, { $unset: { pending: "" } }),
  ];
}
