// What the writer remembers of the database between batches. What was learned or changed by writes that are taken back is forgotten,
// so that it is read again.

/** A cache by name that follows a transaction and the savepoints within it. */
export class Remembered<V> {
  readonly #limit: number;
  readonly #known = new Map<string, V>();
  /** Touched in this transaction before the savepoint, and since. */
  readonly #before = new Set<string>();
  readonly #since = new Set<string>();

  /** Beyond so many names it starts anew, with the next transaction. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(name: string): V | undefined {
    return this.#known.get(name);
  }

  /** Remembers what has been read or written in this transaction. */
  set(name: string, value: V): V {
    this.#known.set(name, value);
    this.#since.add(name);
    return value;
  }

  /** The value of this name, an object, is about to change. */
  touch(name: string): void {
    this.#since.add(name);
  }

  delete(name: string): void {
    this.#known.delete(name);
  }

  /** All values. */
  values(): Iterable<V> {
    return this.#known.values();
  }

  /** The values touched in this transaction. */
  *touched(): Generator<V> {
    for (const names of [this.#before, this.#since])
      for (const name of names) {
        const value = this.#known.get(name);
        if (value !== undefined) yield value;
      }
  }

  savepoint(): void {
    for (const name of this.#since) this.#before.add(name);
    this.#since.clear();
  }

  /** Back to the savepoint. */
  takeBack(): void {
    for (const name of this.#since) this.#known.delete(name);
    this.#since.clear();
  }

  rollback(): void {
    this.takeBack();
    for (const name of this.#before) this.#known.delete(name);
    this.#before.clear();
  }

  commit(): void {
    this.#before.clear();
    this.#since.clear();
    if (this.#known.size > this.#limit) this.#known.clear();
  }
}
