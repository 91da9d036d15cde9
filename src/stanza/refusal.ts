// The answer to a stanza that cannot even be read (RFC 6120 §8.3.3.8): made from its raw head, since there is no stanza to build on.
import { unescape, escapeAttribute } from "../xml/escape.js";
import type { Fragment } from "../xml/fragment.js";
import { type Wire, w } from "../xml/wire.js";
import type { StanzaError } from "./errors.js";
import { JID } from "./jid.js";

/** The error as an answer to the fragment's sender on the same stream; undefined for what must not be answered (§8.3.1). */
export function refusalOf(fragment: Fragment, error: StanzaError): Wire | undefined {
  const type = valueOf(fragment, "type");
  if (type === "error" || (type === "result" && fragment.name === "iq")) return undefined;
  const id = valueOf(fragment, "id");
  const to = fragment.attributes.find((attribute) => attribute.name === "to");
  const from = to && JID.parseWire(to.value)?.wire;
  const kind = fragment.name as Wire;
  return w`<${kind}${attribute("from", from)}${attribute("id", id === undefined ? undefined : escapeAttribute(id))} type='error'>${error.toWire()}</${kind}>`;
}

function valueOf(fragment: Fragment, name: string): string | undefined {
  const found = fragment.attributes.find((attribute) => attribute.name === name);
  return found && unescape(found.value);
}

function attribute(name: string, value: Wire | undefined): Wire {
  return (value === undefined ? "" : ` ${name}='${value}'`) as Wire;
}
