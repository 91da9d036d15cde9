// The stream header (RFC 6120 §4.7): what the client's says, as far as the server wants to know, and the server's own.
import type { StreamCondition } from "../stanza/errors.js";
import { JID, JidError } from "../stanza/jid.js";
import { escapeAttribute } from "../xml/escape.js";
import { NS } from "../xml/namespaces.js";
import type { StreamHead } from "../xml/scanner.js";
import { toWire, w, type Wire } from "../xml/wire.js";

/** The language of the texts the server writes itself. */
export const PUBLIC_LANG = "en";

/** Copies of a header's values: the header itself is not kept for the life of the stream. */
export interface ClientHeader {
  /** Normalised; "" when `to` is missing or names no host. */
  readonly domain: string;
  readonly from: string | undefined;
  readonly lang: string | undefined;
  /** Set when the stream has to end because of the header, whatever domain it asks for. */
  readonly fault: StreamCondition | undefined;
}

export function readHeader(head: StreamHead): ClientHeader {
  return {
    domain: domainOf(head.attribute("to")),
    from: head.attribute("from"),
    lang: languageOf(head.attribute("xml:lang")),
    fault: faultOf(head),
  };
}

/** `to` answers the client's `from` (§4.7.2). */
export function serverHeader(domain: string, to: string | undefined, id: string): Wire {
  const answered = to === undefined ? ("" as Wire) : w` to='${escapeAttribute(to)}'`;
  return w`<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${toWire(NS.streams)}' id='${toWire(id)}' from='${escapeAttribute(domain)}'${answered} version='1.0' xml:lang='${toWire(PUBLIC_LANG)}'>`;
}

function faultOf(head: StreamHead): StreamCondition | undefined {
  if (head.ns !== NS.streams || head.contentNs !== NS.client) return "invalid-namespace";
  if (head.name !== "stream") return "bad-format";
  return isVersionOne(head.attribute("version")) ? undefined : "unsupported-version";
}

/** RFC 6120 §4.7.5: a higher minor version is ours to answer with 1.0. */
function isVersionOne(version: string | undefined): boolean {
  return version !== undefined && /^0*1\.\d+$/.test(version);
}

function domainOf(to: string | undefined): string {
  if (to === undefined) return "";
  try {
    const jid = JID.parse(to);
    return jid.local === "" && jid.resource === "" ? jid.domain : "";
  } catch (error) {
    if (error instanceof JidError) return ""; // not an address, so no host of ours
    throw error;
  }
}

// RFC 5646 §2.1. The stream's language is added to every stanza without one: were it long, each would grow by that.
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7}$/;

function languageOf(lang: string | undefined): string | undefined {
  return lang !== undefined && LANGUAGE.test(lang) ? lang : undefined;
}
