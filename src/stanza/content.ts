// What a message is worth keeping for later: the one rule for offline storage and archives (XEP-0160, XEP-0313, XEP-0334).
import { NS } from "../xml/namespaces.js";
import type { Stanza } from "./stanza.js";

/**
 * - `keep`: normal or chat with content, or marked with `<store/>`
 * - `hidden`: the same, but never in an archive (`<no-permanent-store/>`): kept only until it is delivered
 * - `none`: headline, groupchat, error, nothing but chat states, `<no-store/>`, or a result of an archive (ruling 22)
 */
export type Worth = "keep" | "hidden" | "none";

/** Namespaces of children that say something about the message and are no content of their own. */
const ABOUT: ReadonlySet<string> = new Set([
  NS.chatStates,
  NS.hints,
  NS.stanzaIds,
  NS.delay,
  NS.carbons,
  NS.occupantId,
]);
/** Elements that do so in namespaces that also have content, such as receipts (XEP-0184) and markers (XEP-0333) themselves. */
const ABOUT_ELEMENTS: ReadonlySet<string> = new Set([
  `thread ${NS.client}`,
  `request ${NS.receipts}`,
  `markable ${NS.chatMarkers}`,
]);

export function worthOf(message: Stanza): Worth {
  if (message.type !== "normal" && message.type !== "chat") return "none";
  if (message.has("no-store", NS.hints) || message.has("result", NS.mam)) return "none";
  if (!message.has("store", NS.hints) && !hasContent(message)) return "none";
  return message.has("no-permanent-store", NS.hints) ? "hidden" : "keep";
}

/** A message to a room is kept if there is something to read in it, whatever it says; else if it has other content, or asks for it, and does not object. */
export function worthInRoom(message: Stanza): boolean {
  if (message.has("body", NS.client) || message.has("subject", NS.client)) return true;
  if (message.has("no-store", NS.hints) || message.has("no-permanent-store", NS.hints)) return false;
  return message.has("store", NS.hints) || hasContent(message);
}

function hasContent(message: Stanza): boolean {
  return message.children.some(({ name, ns }) => {
    if (isBody(name, ns)) return true;
    if (ns === NS.mucUser) return isInvitation(message);
    return !(ABOUT.has(ns) || ABOUT_ELEMENTS.has(`${name} ${ns}`));
  });
}

/** What else a room says in this way is about the message, or about who is in the room at the moment (XEP-0045). */
function isInvitation(message: Stanza): boolean {
  const x = message.child("x", NS.mucUser);
  return ["invite", "decline"].some((name) => x?.getChild(name) !== undefined);
}

function isBody(name: string, ns: string): boolean {
  return name === "body" && ns === NS.client;
}
