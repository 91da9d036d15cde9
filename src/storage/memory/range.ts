// Which entries of a log a range means, said as plainly as can be: the other drivers' queries are held to this.
import type { LogRange, LogRow } from "../port.js";
import { wordsAsked, wordsIn } from "../words.js";

/** Whether an entry meets every condition of the range. */
export function conditionOf(range: LogRange): (row: LogRow) => boolean {
  const { after = -1, before = Infinity } = range;
  const ids = range.ids && new Set(range.ids);
  const asked = range.text === undefined ? undefined : wordsAsked(range.text);
  return (row) =>
    row.id > after &&
    row.id < before &&
    (!range.pending || row.pending) &&
    (!range.shown || !row.hidden) &&
    isWith(range, row) &&
    (!ids || ids.has(row.id)) &&
    (range.originId === undefined || row.originId === range.originId) &&
    (!asked || hasWords(row, asked));
}

function isWith(range: LogRange, row: LogRow): boolean {
  if (range.with === undefined) return true;
  return row.with === range.with && (range.resource === undefined || row.resource === range.resource);
}

function hasWords(row: LogRow, asked: readonly string[]): boolean {
  if (row.hidden || asked.length === 0) return false;
  const words = new Set(wordsIn(row.stanza));
  return asked.every((word) => words.has(word));
}
