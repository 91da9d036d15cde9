// One thing after the other: commits, slices of purging and of indexing take turns on the writing side.

export class Queue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs the task when all before it have ended, in whatever way. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined); // the caller hears of it
    return result;
  }
}
