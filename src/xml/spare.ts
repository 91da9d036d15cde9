// The tables that fragments are read with, lent out: a connection has them only while it is written to, or while its fragment is split.
import { Tokens } from "./tokens.js";

const spare: Tokens[] = [];
const MAX_SPARE = 16;

/** One to read a fragment with. */
export function takeTokens(): Tokens {
  return spare.pop() ?? new Tokens();
}

/** The fragment is done. */
export function giveBack(tokens: Tokens): void {
  if (spare.length < MAX_SPARE && tokens.frame.isSmall) spare.push(tokens);
}
