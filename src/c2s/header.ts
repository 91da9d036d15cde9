// The stream header (RFC 6120 §4.7): what is wrong with theirs, and the text of ours.
import type { StreamCondition } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { escapeAttribute } from "../xml/escape.js";
import { NS } from "../xml/namespaces.js";
import type { StreamHead } from "../xml/scanner.js";
import { toWire, type Wire, w } from "../xml/wire.js";

/** The language of what the server itself says to people. */
export const PUBLIC_LANG = "en";

/** The stream error that a peer's header deserves. After login it may only name the user's own domain. */
export function headerFault(
  head: StreamHead,
  domains: readonly string[],
  user: JID | undefined,
): StreamCondition | undefined {
  if (head.ns !== NS.streams || head.contentNs !== NS.client) return "invalid-namespace";
  if (head.name !== "stream") return "bad-format";
  if (!isVersionOne(head.attribute("version"))) return "unsupported-version";
  const domain = domainOf(head);
  if (!domains.includes(domain)) return "host-unknown";
  return user && user.domain !== domain ? "not-authorized" : undefined;
}

/** Our header for theirs; `id` is fresh for each document. */
export function headerWire(theirs: StreamHead | undefined, domain: string, id: string): Wire {
  const from = theirs?.attribute("from");
  const to = from === undefined ? ("" as Wire) : w` to='${escapeAttribute(from)}'`;
  return w`<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${toWire(NS.streams)}' id='${toWire(id)}' from='${escapeAttribute(domain)}'${to} version='1.0' xml:lang='${toWire(PUBLIC_LANG)}'>`;
}

/** The domain that the header asks for, "" if it names none. */
export function domainOf(head: StreamHead): string {
  const to = head.attribute("to");
  if (to === undefined) return "";
  try {
    const jid = JID.parse(to);
    return jid.local === "" && jid.resource === "" ? jid.domain : "";
  } catch {
    return ""; // not an address, so no host of ours
  }
}

/** RFC 6120 §4.7.5: a higher minor version is ours to answer with 1.0. */
function isVersionOne(version: string | undefined): boolean {
  return version !== undefined && /^0*1\.\d+$/.test(version);
}
