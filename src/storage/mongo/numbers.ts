// The running numbers of log rows, and the highest id of all logs. One server writes, so both are counted in memory; what a crash must
// not forget is written down now and then, together with the number up to which it holds.
import { readFact, writeFact } from "./facts.js";
import type { Link } from "./link.js";
import { COLLECTION, type EntryRecord } from "./schema.js";

export class Numbers {
  readonly #link: Link;
  #last = 0;
  #highest = 0;
  #saved = -1;

  private constructor(link: Link) {
    this.#link = link;
  }

  /** `atLeast`: a number that rows already gone may have had. @throws what the driver throws */
  static async open(link: Link, atLeast: number): Promise<Numbers> {
    const numbers = new Numbers(link);
    const fact = await readFact(link, "highest");
    numbers.#last = Math.max(atLeast, fact?.at ?? 0);
    numbers.#highest = numbers.#saved = fact?.id ?? 0;
    await numbers.catchUp();
    return numbers;
  }

  /** The highest id that was written, or may have been. */
  get highest(): number {
    return this.#highest;
  }

  /** The last number that was given. */
  get last(): number {
    return this.#last;
  }

  next(): number {
    return ++this.#last;
  }

  written(id: number): void {
    if (id > this.#highest) this.#highest = id;
  }

  /** Looks at the rows behind the last number that is known. @throws what the driver throws */
  async catchUp(): Promise<void> {
    const rows = this.#link.collection<EntryRecord>(COLLECTION.log);
    const top = { $group: { _id: null, last: { $max: "$_id" }, id: { $max: "$id" } } };
    const pipeline = [{ $match: { _id: { $gt: this.#last } } }, top];
    const [found] = await rows.aggregate<{ last: number; id: number }>(pipeline, this.#link.bounds).toArray();
    this.#last = Math.max(this.#last, found?.last ?? 0);
    this.written(found?.id ?? 0);
  }

  /** Before entries are removed, and now and then. No append may be under way. @throws what the driver throws */
  async save(): Promise<void> {
    if (this.#saved === this.#highest) return;
    const id = this.#highest;
    await writeFact(this.#link, { _id: "highest", id, at: this.#last });
    this.#saved = id;
  }
}
