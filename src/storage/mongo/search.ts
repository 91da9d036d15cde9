// The full-text index: the words of a shown entry stand in its own record, put there some time after the commit, in slices, in the order
// of the running numbers. Whoever removes or replaces the entry removes its words in the same write.
import type { AnyBulkWriteOperation } from "mongodb";
import { WORDS_VERSION, wordsIn } from "../words.js";
import { wireIn } from "./entries.js";
import { readFact, writeFact } from "./facts.js";
import type { Link } from "./link.js";
import { COLLECTION, type EntryRecord } from "./schema.js";

type Unindexed = Pick<EntryRecord, "_id" | "stanza" | "hidden" | "words">;

export class WordIndex {
  readonly #link: Link;
  /** All entries up to this running number are indexed. */
  #upTo: number;

  private constructor(link: Link, upTo: number) {
    this.#link = link;
    this.#upTo = upTo;
  }

  /** An index that was made by other rules about words is made anew, from the beginning. */
  static async open(link: Link): Promise<WordIndex> {
    const fact = await readFact(link, "words");
    return new WordIndex(link, fact?.version === WORDS_VERSION ? fact.upTo : 0);
  }

  get upTo(): number {
    return this.#upTo;
  }

  /** Indexes the next `slice` entries, at most up to this number. No append may be under way. @throws what the driver throws */
  async advance(last: number, slice: number): Promise<void> {
    const rows = this.#link.collection<EntryRecord>(COLLECTION.log);
    const range = rows.find({ _id: { $gt: this.#upTo, $lte: last } }, this.#link.bounds).sort({ _id: 1 });
    const some = await range.limit(slice).project<Unindexed>({ stanza: 1, hidden: 1, words: 1 }).toArray();
    const changes = some.flatMap(changeOf);
    // Not waited for by a majority: the position, written next, is, and comes after them.
    if (changes.length > 0)
      await rows.bulkWrite(changes, { ordered: false, writeConcern: { w: 1 }, ...this.#link.bounds });
    const upTo = some.length < slice ? last : (some.at(-1)?._id ?? last);
    await writeFact(this.#link, { _id: "words", upTo, version: WORDS_VERSION });
    this.#upTo = upTo;
  }
}

function changeOf({ _id, stanza, hidden, words: old }: Unindexed): AnyBulkWriteOperation<EntryRecord>[] {
  const words = hidden ? [] : wordsIn(wireIn(stanza));
  if (words.length > 0) return [{ updateOne: { filter: { _id, stanza }, update: { $set: { words } } } }];
  return old ? [{ updateOne: { filter: { _id }, update: { $unset: { words: "" } } } }] : [];
}
