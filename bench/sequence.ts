// Numbered messages in the text of a stream, as a receiver sees them: each must come once, in order. Nothing else of a stanza is looked at.

const FIRST = 1_000_000_000; // sequence numbers always have ten digits
const END = "</message>";
const MAX_REST = 65_536; // characters kept of an unfinished stanza

export const DIGITS = 10;

/** The number of the nth message, as it stands in its text behind `~`. */
export function numbered(index: number): string {
  return String(FIRST + index);
}

export class Sequence {
  #received = 0;
  #rest = "";

  get received(): number {
    return this.#received;
  }

  /** Counts what a piece of the stream completes. Answers what is wrong with it, if anything is; `each` is called for every message. */
  take(chunk: string, each: () => void = () => undefined): string | undefined {
    const text = this.#rest + chunk;
    let from = 0;
    for (let end = text.indexOf(END); end !== -1; end = text.indexOf(END, from)) {
      const mark = text.indexOf("~", from);
      if (mark === -1 || mark > end || text.slice(mark + 1, mark + 1 + DIGITS) !== numbered(this.#received))
        return `message ${this.#received} expected, got: ${text.slice(from, end)}`;
      this.#received++;
      each();
      from = end + END.length;
    }
    this.#rest = text.slice(from);
    return this.#rest.length > MAX_REST ? "a stanza without end" : undefined;
  }
}
