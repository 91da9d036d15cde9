// Complete documents: WebSocket frames, imports, text that was stored. The same rules and limits as for streams.
import { byteAt, classAt, LESS, SPACE } from "./bytes.js";
import { NOTHING_AROUND } from "./context.js";
import { declarationEnd } from "./declaration.js";
import { XmlFault } from "./faults.js";
import { type Fragment, fragmentOf } from "./fragment.js";
import type { ScannerLimits } from "./limits.js";
import { FRAGMENT, giveBack, takeTokens } from "./tokens.js";
import { bytesOf, type Wire, wireOf } from "./wire.js";

/**
 * Reads exactly one element; an XML declaration before it and white space around it are allowed. Throws XmlFault, `not-well-formed`
 * also when the text ends too early.
 */
export function parseElement(text: Wire, limits: ScannerLimits): Fragment {
  if (text.length > limits.bytes) throw new XmlFault("policy-violation", "a document that is too large");
  const bytes = bytesOf(text);
  const start = skipSpace(bytes, bytes.length === 0 ? -1 : declarationEnd(bytes, 0, bytes.length));
  if (start < 0 || start === bytes.length || byteAt(bytes, start) !== LESS) throw notOneElement();
  const tokens = takeTokens();
  try {
    tokens.begin(NOTHING_AROUND, limits, false, "");
    const event = tokens.run(bytes, start, start + 1, bytes.length);
    if (event !== FRAGMENT || skipSpace(bytes, tokens.position) !== bytes.length) throw notOneElement();
    return fragmentOf(wireOf(bytes, start, tokens.position), tokens.frame, tokens.hasCdata);
  } finally {
    giveBack(tokens);
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let i = from;
  while (i >= 0 && i < bytes.length && (classAt(bytes, i) & SPACE) !== 0) i++;
  return i;
}

function notOneElement(): XmlFault {
  return new XmlFault("not-well-formed", "not exactly one element");
}
