// XEP-0421: every presence and message of an occupant carries an id that is the same whenever that account is in this room, tells nothing
// of the account, and is another one in every other room. It is made with a secret that the room has from its first occupant on.
import { createHmac } from "node:crypto";
import { type Random, randomText } from "../../core/random.js";
import type { Stanza } from "../../stanza/stanza.js";
import { type Element, xml } from "../../xml/element.js";
import { escapeAttribute } from "../../xml/escape.js";
import { NS } from "../../xml/namespaces.js";
import { toWire, type Wire, w } from "../../xml/wire.js";
import { type RoomConfig, text } from "../config.js";
import type { Part } from "../part.js";
import type { Occupant, RoomState } from "../state.js";

const SECRET_BITS = 256;

/** In no form. */
const secret = text("occupantSecret");

export const occupantId: Part = {
  name: "occupant-id",
  pass: ({ state }, message, speaker) => identified(state, message, speaker),
  mark: (state, occupant) => [idOf(state, occupant)],
};

/** The configuration with a secret; as it is, if it has one. */
export function withSecret(config: RoomConfig, random: Random): RoomConfig {
  return secret.of(config) === "" ? secret.set(config, randomText(random, SECRET_BITS)) : config;
}

/** The stanza with the occupant's id, and no other. */
export function identified(state: RoomState, stanza: Stanza, occupant: Occupant): Stanza {
  return withoutOccupantIds(stanza).plus(idOf(state, occupant));
}

/** Without the ids that a client has made up. */
export function withoutOccupantIds(stanza: Stanza): Stanza {
  const forged = stanza.children.filter(({ name, ns }) => name === "occupant-id" && ns === NS.occupantId);
  return forged.length === 0 ? stanza : stanza.without(...forged);
}

/** The id as an element of its own. */
export function occupantIdElement({ config }: RoomState, occupant: Occupant): Element {
  return xml("occupant-id", { xmlns: NS.occupantId, id: digest(secret.of(config), occupant) });
}

const known = new WeakMap<Occupant, Wire>();

function idOf({ config }: RoomState, occupant: Occupant): Wire {
  const before = known.get(occupant);
  if (before !== undefined) return before;
  const made = w`<occupant-id xmlns='${escapeAttribute(NS.occupantId)}' id='${digest(secret.of(config), occupant)}'/>`;
  known.set(occupant, made);
  return made;
}

function digest(key: string, { jid, account }: Occupant): Wire {
  return toWire(createHmac("sha256", key).update(`${jid.bare.toString()}\0${account.toString()}`).digest("base64url"));
}
