// The index of the words in log entries (FTS5). It lies behind the log: rows up to a stored position are in it, slices move that on.
// Each word stands there with its owner's number before it, so that a search reads nothing of other owners, and what a user types
// is only ever looked up, never read as a query.
import { wireOf } from "../../xml/wire.js";
import { WORDS_VERSION, wordsAsked, wordsIn } from "../words.js";
import type { Database, Statement, Value } from "./engine.js";
import { Mark } from "./marks.js";

/** Rows of one slice, and bytes of stanzas after which it ends: about 10 ms of work. */
const SLICE_ROWS = 128;
const SLICE_BYTES = 65_536;

/** How far the index is. */
export interface IndexProgress {
  /** The number of the last row in it. */
  readonly position: number;
  /** The number of the last row there is. */
  readonly last: number;
}

export class WordIndex {
  readonly #position: Statement;
  readonly #last: Statement;
  readonly #moveTo: Statement;
  readonly #moveBack: Statement;
  readonly #rows: Statement;
  readonly #add: Statement;
  readonly #remove: Statement;

  constructor(db: Database) {
    this.#position = db.prepare("SELECT value FROM facts WHERE name = 'indexed row'");
    this.#last = db.prepare("SELECT coalesce(max(number), 0) AS number FROM log");
    this.#moveTo = db.prepare("UPDATE facts SET value = ? WHERE name = 'indexed row'");
    this.#moveBack = db.prepare(
      "UPDATE facts SET value = min(value, (SELECT coalesce(max(number), 0) FROM log)) WHERE name = 'indexed row'",
    );
    this.#rows = db.prepare("SELECT number, owner, marks, stanza FROM log WHERE number > ? ORDER BY number LIMIT ?");
    this.#add = db.prepare("INSERT INTO words (rowid, tokens) VALUES (?, ?)");
    this.#remove = db.prepare("DELETE FROM words WHERE rowid = ?");
  }

  /** Takes the next rows in, inside the caller's transaction. */
  advance(): IndexProgress {
    const start = this.#indexed();
    const last = Number(this.#last.get()?.["number"]);
    let position = start;
    let bytes = 0;
    for (const row of this.#rows.iterate(start, SLICE_ROWS)) {
      position = Number(row["number"]);
      bytes += this.#take(position, Number(row["owner"]), Number(row["marks"]), row["stanza"]);
      if (bytes > SLICE_BYTES) break;
    }
    if (position > start) this.#moveTo.run(position); // else there is nothing to be made durable
    return { position, last };
  }

  /** The stanza of a row is another one. */
  revise(number: number, owner: number, marks: number, stanza: Uint8Array): void {
    if (number > this.#indexed()) return;
    this.#remove.run(number);
    this.#take(number, owner, marks, stanza);
  }

  /**
   * These rows have been removed: before the index is, so that it has room on a full disk. The numbers of the last ones will be
   * given again.
   */
  removed(numbers: readonly number[]): void {
    const indexed = this.#indexed();
    for (const number of numbers) if (number <= indexed) this.#remove.run(number);
    this.#moveBack.run();
  }

  #indexed(): number {
    return Number(this.#position.get()?.["value"]);
  }

  /** The bytes it looked at. */
  #take(number: number, owner: number, marks: number, stanza: Value | undefined): number {
    if ((marks & Mark.hidden) !== 0 || !(stanza instanceof Uint8Array)) return 0;
    const text = wireOf(Buffer.from(stanza.buffer, stanza.byteOffset, stanza.byteLength));
    const words = wordsIn(text);
    if (words.length > 0) this.#add.run(number, words.map((word) => tokenOf(owner, word)).join(" "));
    return stanza.byteLength;
  }
}

/** What the index is asked for entries of this owner that have all words of the text; undefined where nothing can be found. */
export function matchOf(owner: number, text: string): string | undefined {
  const words = wordsAsked(text);
  return words.length > 0 ? words.map((word) => `"${tokenOf(owner, word)}"`).join(" ") : undefined;
}

/** Empties an index that was made with other rules of what a word is. */
export function checkWordIndex(db: Database): void {
  const version = db.prepare("SELECT value FROM facts WHERE name = 'words version'").get()?.["value"];
  if (version === WORDS_VERSION) return;
  db.exec("INSERT INTO words (words) VALUES ('delete-all'); UPDATE facts SET value = 0 WHERE name = 'indexed row'");
  db.prepare("UPDATE facts SET value = ? WHERE name = 'words version'").run(WORDS_VERSION);
}

/** Words have letters, digits and marks only: to the index's tokeniser a token is one piece. */
function tokenOf(owner: number, word: string): string {
  return `${owner}_${word}`;
}
