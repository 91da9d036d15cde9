// XEP-0452 "MUC Mention Notifications" (muc#roomconfig_forwardmentions): whoever is on the room's lists and mentioned (XEP-0372) while none of
// their clients is in is sent the message. They are named by their address, or as in the room: by its address with the nick that is registered for
// them. Nobody but they learns whose nick it is, or that there was somebody to be told.
import { message } from "../../stanza/build.js";
import { forwarded } from "../../stanza/forward.js";
import { JID, JidError } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import { attributeIn } from "../../xml/attribute.js";
import { w } from "../../xml/wire.js";
import { flag, flagField } from "../config.js";
import { withEntryId } from "../history.js";
import { ownerOf } from "../nicks.js";
import type { Part } from "../part.js";
import { isOnLists, isPresent } from "../state.js";
import type { Turn } from "../turn.js";

const REFERENCE = "urn:xmpp:reference:0";
const SCHEME = "xmpp:";
const MOST_MENTIONS = 20; // of one message: each costs a message to somebody else

const forwards = flag("forwardMentions", false);

export const mentions: Part = {
  name: "mentions",
  fields: [
    flagField(
      forwards,
      "muc#roomconfig_forwardmentions",
      "Messages are forwarded to those who are mentioned, not there, and on the lists of the room",
    ),
  ],
  heard: (turn, said) => {
    if (!forwards.of(turn.state.config)) return;
    const absent = mentionedIn(turn, said).filter((account) => isAbsentAffiliate(turn, account));
    if (absent.length > 0) forward(turn, said, absent);
  },
};

/** The accounts, each once. */
function mentionedIn(turn: Turn, said: Stanza): readonly JID[] {
  const found = new Map<string, JID>();
  for (const span of said.children) {
    if (span.name !== "reference" || span.ns !== REFERENCE) continue;
    const raw = said.raw(span);
    const account =
      attributeIn(raw, "type") === "mention" ? accountOf(turn, addressIn(attributeIn(raw, "uri"))) : undefined;
    if (account && found.size < MOST_MENTIONS) found.set(account.toString(), account);
  }
  return [...found.values()];
}

/** Of one's own address, or of an occupant JID of this room. */
function accountOf({ jid, state }: Turn, address: JID | undefined): JID | undefined {
  if (!address?.bare.equals(jid)) return address?.bare;
  const owner = ownerOf(state, address.resource);
  return owner === undefined ? undefined : JID.parse(owner);
}

/** RFC 5122, without what it asks for; undefined for anything else. */
function addressIn(uri: string | undefined): JID | undefined {
  if (!uri?.startsWith(SCHEME)) return undefined;
  try {
    const [address = ""] = uri.slice(SCHEME.length).split(/[?#]/);
    return JID.parse(decodeURIComponent(address));
  } catch (error) {
    if (error instanceof JidError || error instanceof URIError) return undefined;
    throw error;
  }
}

function isAbsentAffiliate(turn: Turn, account: JID): boolean {
  return isOnLists(turn.state, account) && !isPresent(turn.state, account);
}

/** As everybody has got it, with its id. */
function forward(turn: Turn, said: Stanza, accounts: readonly JID[]): void {
  const { jid, state, context } = turn;
  const remembered = state.history.at(-1);
  const entry = remembered?.message === said ? remembered.entry : undefined;
  const at = context.clock.now();
  turn.send(() => {
    const whole = withEntryId(said, jid, entry).readdress(said.from, jid);
    const content = w`<mentions xmlns='urn:xmpp:mmn:0'>${forwarded(whole, at)}</mentions>`;
    return accounts.map((to) => message({ from: jid, to }, content));
  });
}
