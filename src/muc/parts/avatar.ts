// XEP-0486 "MUC Avatars": the room's vCard (XEP-0054), set by its owners, and the picture in it, whose hash (XEP-0153) is in disco and in
// presence of the room itself.
import { createHash } from "node:crypto";
import type { Answer } from "../../core/feature.js";
import { presence } from "../../stanza/build.js";
import { StanzaError } from "../../stanza/errors.js";
import type { Stanza } from "../../stanza/stanza.js";
import { bytesIn, restored, stored } from "../../xml/stored-xml.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { announce, CONFIGURATION_CHANGED } from "../announcing.js";
import { putVcard, VCARD_STORE } from "../documents.js";
import type { Part } from "../part.js";
import { mayEnter, maySetVcard } from "../privileges.js";
import type { Turn } from "../turn.js";
import { isMembersOnly } from "./members-only.js";

const UPDATE = "vcard-temp:x:update";
const MOST_PICTURES = 8; // one picture in several formats

export const avatar: Part = {
  name: "avatar",
  features: () => [NS.vcardTemp],
  info: ({ avatar: hashes }) =>
    hashes.length === 0
      ? []
      : [{ var: "muc#roominfo_avatarhash", type: "text-multi", label: "Avatar hash", values: hashes }],
  welcome: (turn, _, to) => {
    if (turn.state.avatar.length > 0) turn.send(shown(turn).readdress(turn.jid, to));
  },
  iq: {
    "get vcard-temp vCard": get,
    "set vcard-temp vCard": set,
  },
};

/** For those who may see what is in the room. */
function get({ affiliation, context, jid, state }: Turn): Answer | (() => Promise<Answer>) {
  if (!mayEnter(affiliation, { isMembersOnly: isMembersOnly.of(state.config) })) return new StanzaError("forbidden");
  return async () => {
    const text = (await context.storage.get(VCARD_STORE, jid.toString(), ""))?.doc["xml"];
    return typeof text === "string" ? [restored(text)] : new StanzaError("item-not-found");
  };
}

/** An empty vCard takes the stored one away. */
function set(turn: Turn, card: Element): Answer {
  if (!maySetVcard(turn.affiliation)) return new StanzaError("forbidden", "auth", "Only owners may set the avatar.");
  const text = stored(card);
  if (bytesIn(text) > turn.context.config.limits.vcard_bytes) return new StanzaError("policy-violation");
  const before = turn.state.avatar;
  const hashes = hashesIn(card);
  const isEmpty = card.getChildElements().length === 0;
  turn.change({ ...turn.state, avatar: hashes }, ...putVcard(turn.jid, isEmpty ? undefined : text, hashes));
  announce(turn, [CONFIGURATION_CHANGED]);
  if (before.join() !== hashes.join()) show(turn);
  return [];
}

/** Of the bytes of each picture. */
function hashesIn(card: Element): readonly string[] {
  const pictures = card.getChildren("PHOTO", NS.vcardTemp).slice(0, MOST_PICTURES);
  const contents = pictures.map((photo) => Buffer.from(photo.getChildText("BINVAL", NS.vcardTemp) ?? "", "base64"));
  return contents.filter(({ length }) => length > 0).map((bytes) => createHash("sha1").update(bytes).digest("hex"));
}

function show(turn: Turn): void {
  const update = shown(turn);
  for (const { seats } of turn.state.occupants.values())
    for (const seat of seats) turn.send(update.readdress(turn.jid, seat.jid));
}

/** COMPAT: clients that look for the hash here and not in disco; XEP-0486 "Previous Usage of Presence for Avatar Advertising". */
function shown({ state }: Turn): Stanza {
  const [hash = ""] = state.avatar;
  return presence({}, xml("x", { xmlns: UPDATE }, xml("photo", {}, hash)));
}
