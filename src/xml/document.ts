// Complete documents: WebSocket frames, imports, text that was stored. The same rules and limits as for streams.
import { byteAt, LESS, skipSpace } from "./bytes.js";
import { NOTHING_AROUND } from "./context.js";
import { declarationEnd } from "./declaration.js";
import { XmlFault } from "./faults.js";
import { type Fragment, fragmentOf } from "./fragment.js";
import type { ScannerLimits } from "./limits.js";
import { giveBack, takeTokens } from "./spare.js";
import { FRAGMENT } from "./tokens.js";
import { bytesOf, type Wire, wireOf } from "./wire.js";

/**
 * Reads exactly one element; an XML declaration before it and white space around it are allowed. Throws XmlFault, `not-well-formed`
 * also when the text ends too early.
 */
export function parseElement(text: Wire, limits: ScannerLimits): Fragment {
  if (text.length > limits.bytes) throw new XmlFault("policy-violation", "a document that is too large");
  const bytes = bytesOf(text);
  const declared = bytes.length === 0 ? -1 : declarationEnd(bytes, 0, bytes.length);
  if (declared < 0) throw notOneElement();
  const start = skipSpace(bytes, declared, bytes.length);
  if (start === bytes.length || byteAt(bytes, start) !== LESS) throw notOneElement();
  const tokens = takeTokens();
  try {
    tokens.begin(NOTHING_AROUND, limits, false, "");
    const event = tokens.run(bytes, start, start + 1, bytes.length);
    if (event !== FRAGMENT || skipSpace(bytes, tokens.position, bytes.length) !== bytes.length) throw notOneElement();
    return fragmentOf(wireOf(bytes, start, tokens.position), tokens.frame, tokens.hasCdata);
  } finally {
    giveBack(tokens);
  }
}

function notOneElement(): XmlFault {
  return new XmlFault("not-well-formed", "not exactly one element");
}
