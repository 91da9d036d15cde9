// Owners that were erased while they had entries. A mark says up to which running number these are gone: nothing shows them any more, and
// the owner may have new ones, while they are deleted in slices. Read when the database is opened, as a crash may have come in between.
import type { Document } from "mongodb";
import type { Link } from "./link.js";
import { COLLECTION, type EntryRecord, type ErasedRecord } from "./schema.js";

/** Entries deleted at a time. */
const SLICE = 500;

export class Erasures {
  readonly #link: Link;
  #upTo: ReadonlyMap<string, number> = new Map();
  #inDoubt = false;

  private constructor(link: Link) {
    this.#link = link;
  }

  /** @throws what the driver throws */
  static async open(link: Link): Promise<Erasures> {
    const erasures = new Erasures(link);
    await erasures.#read();
    return erasures;
  }

  /** No entry whose number is above it is meant by a mark. */
  get highest(): number {
    return Math.max(0, ...this.#upTo.values());
  }

  /** Up to which running number the owner's entries are gone. */
  upTo(owner: string): number | undefined {
    return this.#upTo.get(owner);
  }

  /** What a query for an owner's entries asks besides, so that it finds none that is gone. */
  beyond(owner: string): Document {
    const upTo = this.#upTo.get(owner);
    return upTo === undefined ? {} : { _id: { $gt: upTo } };
  }

  /** The mark is in the store. */
  marked(owner: string, upTo: number): void {
    this.#upTo = new Map(this.#upTo).set(owner, upTo);
  }

  /** Marks may be in the store that are not known here: they are read before they are needed. */
  doubt(): void {
    this.#inDoubt = true;
  }

  /** @throws what the driver throws */
  async settleDoubt(): Promise<void> {
    if (this.#inDoubt) await this.#read();
  }

  /** Deletes some entries, the mark with the last of them. No commit may be under way. @throws what the driver throws */
  async discard(): Promise<boolean> {
    await this.settleDoubt();
    const [next] = this.#upTo;
    if (!next) return false;
    const [owner, upTo] = next;
    const rows = this.#link.collection<EntryRecord>(COLLECTION.log);
    const gone = rows.find({ owner, _id: { $lte: upTo } }, this.#link.bounds).sort({ id: 1 });
    const some = await gone.limit(SLICE).project<Pick<EntryRecord, "_id">>({ _id: 1 }).toArray();
    if (some.length > 0) await rows.deleteMany({ _id: { $in: some.map(({ _id }) => _id) } }, this.#link.bounds);
    if (some.length < SLICE) await this.#unmark(owner);
    return true;
  }

  async #unmark(owner: string): Promise<void> {
    await this.#marks.deleteOne({ _id: owner }, this.#link.bounds);
    const left = new Map(this.#upTo);
    left.delete(owner);
    this.#upTo = left;
  }

  async #read(): Promise<void> {
    const marks = await this.#marks.find({}, this.#link.bounds).toArray();
    this.#upTo = new Map(marks.map(({ _id, upTo }) => [_id, upTo]));
    this.#inDoubt = false;
  }

  get #marks() {
    return this.#link.collection<ErasedRecord>(COLLECTION.erased);
  }
}
