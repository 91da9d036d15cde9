// Full text: which words a stanza has, and which ones a search asks for. Every driver uses these, so that all of them find the same.
// Scripts that are written without spaces give each character and each pair of neighbours, so that any part of a sentence is found.
import { parseElement } from "../xml/document.js";
import { XmlFault } from "../xml/faults.js";
import { UNLIMITED } from "../xml/limits.js";
import { textIn } from "../xml/text.js";
import type { Wire } from "../xml/wire.js";

/** To be raised with every change of what a word is: indexes made with another number are made anew. */
export const WORDS_VERSION = 1;

const MAX_WORDS = 1000; // of one stanza: a long letter; what lies behind is not found
const MAX_ASKED = 16; // of one search; further ones are left out of it
const MAX_TEXT = 65_536; // UTF-16 units of one stanza that are looked at
const MAX_ASKED_TEXT = 1024; // and of one search
const MAX_WORD = 40; // UTF-16 units; longer words are known by their beginning

const SPACELESS = ["Han", "Hiragana", "Katakana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => `\\p{scx=${script}}`)
  .join("");
const LETTER = "[\\p{L}\\p{N}\\p{M}]";
/** A run of a script without spaces (group 1), or a word of any other. */
const RUN = new RegExp(`((?:(?=${LETTER})[${SPACELESS}])+)|(?:(?![${SPACELESS}])${LETTER})+`, "gu");

/** The same for text that is only ASCII, which is most of it: five times faster. */
const PLAIN_RUN = /[a-z0-9]+/g;
const NOT_PLAIN = /[\u0080-\uffff]/;

/** The distinct words of a stanza's body and subject in all languages. What is no stanza has none. */
export function wordsIn(stanza: Wire): readonly string[] {
  const words = new Set<string>();
  for (const { run, spaceless } of runsOf(textOf(stanza).slice(0, MAX_TEXT))) {
    if (words.size >= MAX_WORDS) break;
    if (!spaceless) words.add(shortened(run));
    else for (const part of [...Array.from(run), ...pairsOf(run)]) words.add(part);
  }
  return [...words].slice(0, MAX_WORDS);
}

/** The distinct words that must all be there for this text to be found. */
export function wordsAsked(text: string): readonly string[] {
  const words = new Set<string>();
  for (const { run, spaceless } of wholeRuns(text)) {
    if (words.size >= MAX_ASKED) break;
    const pairs = spaceless ? pairsOf(run) : [];
    for (const part of pairs.length > 0 ? pairs : [shortened(run)]) words.add(part);
  }
  return [...words].slice(0, MAX_ASKED);
}

/** Where the text is cut off, the word that it is cut in is left out, if it is not the only one. */
function wholeRuns(text: string): readonly Run[] {
  const runs = [...runsOf(text.slice(0, MAX_ASKED_TEXT))];
  return text.length > MAX_ASKED_TEXT && runs.length > 1 ? runs.slice(0, -1) : runs;
}

interface Run {
  readonly run: string;
  readonly spaceless: boolean;
}

function* runsOf(text: string): Generator<Run> {
  const folded = text.normalize("NFKC").toLowerCase();
  for (const match of folded.matchAll(NOT_PLAIN.test(folded) ? RUN : PLAIN_RUN))
    yield { run: match[0], spaceless: match[1] !== undefined };
}

function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  return characters.slice(1).map((character, at) => `${characters[at] ?? ""}${character}`);
}

function shortened(word: string): string {
  return word.slice(0, isHighSurrogate(word.charCodeAt(MAX_WORD - 1)) ? MAX_WORD - 1 : MAX_WORD);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function textOf(stanza: Wire): string {
  if (stanza === "") return "";
  try {
    const { text, ns, children } = parseElement(stanza, UNLIMITED);
    return children
      .filter((child) => child.ns === ns && (child.name === "body" || child.name === "subject"))
      .map(({ start, end }) => textIn(text.slice(start, end) as Wire))
      .join("\n");
  } catch (error) {
    if (error instanceof XmlFault) return "";
    throw error;
  }
}
