// Finds the word that was probably meant, for error messages.

/** The candidate with the fewest changed letters, if few enough to be a slip: a third of the word, at least two; or its beginning. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const few = Math.max(2, Math.floor(word.length / 3));
  return ranked.find((one) => one.distance <= few || isBeginning(word, one.candidate))?.candidate;
}

function isBeginning(word: string, candidate: string): boolean {
  return candidate.length >= 3 && word.toLowerCase().startsWith(candidate);
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
export function distance(from: string, to: string): number {
  let older: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          at(above, column) + 1,
          at(current, column - 1) + 1,
          at(above, column - 1) + (same ? 0 : 1),
          swapped ? at(older, column - 2) + 1 : Infinity,
        ),
      );
    }
    older = above;
    above = current;
  }
  return at(above, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
