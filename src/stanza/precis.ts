// The PRECIS profiles (RFC 8265 UsernameCaseMapped and OpaqueString, RFC 8266 Nickname): the one place where names,
// resources, passwords and nicknames are normalised before they are compared, stored or hashed.
import { belongsTo, hasRightToLeft, keepsBidiRule } from "./precis-classes.js";

/** The text is not allowed by the profile; the message says why, without quoting it (it may be a password). */
export class PrecisError extends Error {
  override readonly name = "PrecisError";
}

// RFC 8264 §7: rules are applied until the text stays the same; what has not settled by then is refused.
const MAX_PASSES = 4;

// RFC 8265 §3.5 and §4.3, RFC 8266 §3 show that these need no mapping, except for the letters made small.
const PLAIN_USERNAME = /^[!-~]+$/;
const PLAIN_TEXT = /^[ -~]+$/;

/** RFC 8265 §3.3: names of accounts and localparts. Throws PrecisError. */
export function usernameCaseMapped(text: string): string {
  if (PLAIN_USERNAME.test(text)) return text.toLowerCase();
  return settle(text, (name) => {
    const wide = mapWidth(name);
    demand(belongsTo(wide, "identifier"), "has a character that is not a letter or digit");
    const mapped = lowerCase(wide).normalize("NFC");
    demand(belongsTo(mapped, "identifier"), "has a character that is not a letter or digit");
    demand(!hasRightToLeft(mapped) || keepsBidiRule(mapped), "mixes writing directions");
    return mapped;
  });
}

/** RFC 8265 §4.2: passwords and resourceparts; case is kept. Throws PrecisError. */
export function opaqueString(text: string): string {
  if (PLAIN_TEXT.test(text)) return text;
  return settle(text, (value) => {
    demand(belongsTo(value, "freeform"), "has a character that is not allowed");
    return asciiSpaces(value).normalize("NFC");
  });
}

/** RFC 8266 §2.3: a nickname as it is shown; case is kept. Throws PrecisError. */
export function nickname(text: string): string {
  return settle(text, (nick) => {
    demand(belongsTo(nick, "freeform"), "has a character that is not allowed");
    return trimSpaces(nick).normalize("NFKC");
  });
}

/** RFC 8266 §2.4: what two nicknames are compared by. Throws PrecisError. */
export function nicknameKey(text: string): string {
  if (PLAIN_USERNAME.test(text)) return text.toLowerCase();
  return settle(text, (nick) => {
    demand(belongsTo(nick, "freeform"), "has a character that is not allowed");
    return lowerCase(trimSpaces(nick)).normalize("NFKC");
  });
}

function settle(text: string, rules: (text: string) => string): string {
  let current = text;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    demand(current !== "", "is empty");
    const next = rules(current);
    if (next === current) return next;
    current = next;
  }
  throw new PrecisError("does not settle under normalisation");
}

/** Fullwidth and halfwidth forms become their decomposition (RFC 8264 §5.2.1). */
function mapWidth(text: string): string {
  return text.replace(/[\u3000\uff01-\uffee]/gu, (char) => char.normalize("NFKC"));
}

/**
 * Small letters by code point, not by string: `"ΑΣ".toLowerCase()` looks at the neighbours of a sigma, and a key must
 * not depend on them; nor does it fold U+03C2 or U+00DF, which RFC 8265 §3.5 keeps apart.
 */
function lowerCase(text: string): string {
  return Array.from(text, (char) => char.toLowerCase()).join("");
}

function asciiSpaces(text: string): string {
  return text.replace(/\p{Zs}/gu, " ");
}

function trimSpaces(text: string): string {
  return asciiSpaces(text).replace(/ +/g, " ").replace(/^ | $/g, "");
}

function demand(holds: boolean, reason: string): void {
  if (!holds) throw new PrecisError(reason);
}
