// RFC 7622 §3.2: the domainpart in its one stored form: small letters, U-labels, no final dot, literals canonical.
import { domainToASCII, domainToUnicode } from "node:url";
import { belongsTo, hasRightToLeft, keepsBidiRule } from "./precis-classes.js";

// `url` would also undo percent-escapes, cut paths off and drop tabs: only these ASCII characters ever reach it.
const LETTERS_DIGITS_HYPHENS = /^[a-z0-9.-]+$/;
const FOREIGN_ASCII = /[\x00-\x2c\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const OCTET = /^(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/;

/** The canonical domain, or undefined when `text` is no host name and no IP literal. */
export function normalizeDomain(text: string): string | undefined {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.startsWith("[")) return ipv6(name);
  const lower = name.toLowerCase();
  if (!LETTERS_DIGITS_HYPHENS.test(lower) || lower.includes("xn--")) return internationalized(name);
  return hasHostLabels(lower, true) ? lower : undefined;
}

function ipv6(literal: string): string | undefined {
  const canonical = /^\[[0-9a-f:.]{2,45}\]$/i.test(literal) ? domainToASCII(literal) : "";
  return canonical === "" ? undefined : canonical;
}

function internationalized(name: string): string | undefined {
  if (FOREIGN_ASCII.test(name) || name.length > 1023) return undefined;
  const ascii = domainToASCII(name);
  if (!hasHostLabels(ascii, false)) return undefined;
  const canonical = domainToUnicode(ascii);
  const bidi = hasRightToLeft(canonical);
  const valid = canonical.split(".").every((label) => isLabel(label) && (!bidi || keepsBidiRule(label)));
  return valid ? canonical : undefined;
}

/** RFC 5890 §2.3.2.1 for a U-label, whose code points are those of the identifier class; ASCII ones are checked already. */
function isLabel(label: string): boolean {
  if (LABEL.test(label)) return !label.startsWith("xn--");
  return belongsTo(label, "identifier") && !/^\p{M}|^..--/u.test(label);
}

/** Labels of letters, digits and hyphens; a last label of digits is an IPv4 address or nothing, so `1.2.3` is no name. */
function hasHostLabels(name: string, addressAllowed: boolean): boolean {
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return false;
  if (!/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) return true;
  return addressAllowed && labels.length === 4 && labels.every((label) => OCTET.test(label));
}
