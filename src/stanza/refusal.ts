// The answer to a stanza that cannot even be read (RFC 6120 §8.3.3.8): its head, made from the raw one, since there is no stanza to build on.
import { unescape } from "../xml/escape.js";
import type { Fragment } from "../xml/fragment.js";
import { JID } from "./jid.js";

/** The head of the error for the fragment's sender; undefined for what must not be answered (§8.3.1). */
export function refusalHead(
  fragment: Fragment,
): { readonly from: JID | undefined; readonly id: string | undefined; readonly type: "error" } | undefined {
  const type = valueOf(fragment, "type");
  if (type === "error" || (type === "result" && fragment.name === "iq")) return undefined;
  const to = fragment.attributes.find((attribute) => attribute.name === "to");
  return { from: to && JID.parseWire(to.value), id: valueOf(fragment, "id"), type: "error" };
}

function valueOf(fragment: Fragment, name: string): string | undefined {
  const found = fragment.attributes.find((attribute) => attribute.name === name);
  return found && unescape(found.value);
}
