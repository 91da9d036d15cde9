// When log entries are taken into the index of words: when nothing is to be committed and enough of them wait, or when somebody searches.
import type { IndexProgress } from "./word-index.js";

/** Entries that wait before a quiet moment is used: each slice is a durable transaction of its own. */
const WORTHWHILE = 256;
/** Entries that wait before commits have to share the writer: some seconds of work for the search that comes first. */
const TOO_MANY = 200_000;
/** Times the writer is asked whether it is quiet before it is believed: the next batch follows a finished one at once. */
const QUIET_TURNS = 3;
/** Commits after which a writer that was found busy is asked again: asking takes its time, too. */
const BUSY_COMMITS = 16;

/** What it needs of the writer. */
export interface IndexedWriter {
  /** Indexes one slice. */
  index(): Promise<IndexProgress>;
  /** Answers when all that was asked before has been done. */
  turn(): Promise<void>;
}

export class Indexing {
  readonly #writer: IndexedWriter;
  readonly #failed: (error: unknown) => void;
  /** Entries not in the index, as far as is known. */
  #behind = 0;
  #commits = 0;
  /** The number of the commit after which it is worth while to ask whether the writer is quiet. */
  #next = 0;
  #underWay = 0;
  #running = false;

  constructor(writer: IndexedWriter, failed: (error: unknown) => void) {
    this.#writer = writer;
    this.#failed = failed;
  }

  /** A commit is under way, with so many new entries, until what is returned is called. */
  begin(entries: number): () => void {
    this.#commits++;
    this.#underWay++;
    return () => {
      this.#underWay--;
      this.#behind += entries;
      if (this.#isDue && !this.#running) void this.#run();
    };
  }

  get #isDue(): boolean {
    return this.#behind >= TOO_MANY || (this.#behind >= WORTHWHILE && this.#commits >= this.#next);
  }

  /** Resolves when everything committed before is in the index. */
  async catchUp(): Promise<void> {
    const { position, last } = await this.#slice();
    for (let at = position; at < last;) {
      const progress = await this.#slice();
      if (progress.position === progress.last) return;
      at = progress.position;
    }
  }

  /** Until little is left, or the writer is wanted elsewhere: then the end of a later commit calls again. */
  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#behind >= WORTHWHILE && ((await this.#isQuiet()) || this.#behind >= TOO_MANY)) await this.#slice();
    } catch (error) {
      this.#behind = 0; // not again before as many have come
      this.#failed(error);
    } finally {
      this.#running = false;
    }
  }

  async #isQuiet(): Promise<boolean> {
    const before = this.#commits;
    for (let turn = 0; turn < QUIET_TURNS && this.#commits === before && this.#underWay === 0; turn++)
      await this.#writer.turn();
    const isQuiet = this.#commits === before && this.#underWay === 0;
    if (!isQuiet) this.#next = this.#commits + BUSY_COMMITS;
    return isQuiet;
  }

  async #slice(): Promise<IndexProgress> {
    const progress = await this.#writer.index();
    this.#behind = progress.last - progress.position;
    return progress;
  }
}
