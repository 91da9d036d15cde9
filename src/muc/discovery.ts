// XEP-0045 "Querying for Room Information", "Querying for Room Items": what a room says of itself to whoever asks.
import type { Answer } from "../core/feature.js";
import { StanzaError } from "../stanza/errors.js";
import { form } from "../stanza/forms.js";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { infoQuery, itemsQuery, nodeOf } from "../xeps/0030-disco.api.js";
import { commandInfo, commandItems, NS_COMMANDS } from "../xeps/0050-commands.api.js";
import { commandsOf } from "./commands.js";
import { nickOf } from "./nicks.js";
import type { Part } from "./part.js";
import { roomName } from "./parts/naming.js";
import { unread } from "./reading.js";
import type { Turn } from "./turn.js";

const NICK_NODE = "x-roomuser-item";
const TRAFFIC_NODE = "http://jabber.org/protocol/muc#traffic";
const STABLE_ID = "http://jabber.org/protocol/muc#stable_id";

/** What the service and every room can do. */
export const MUC_FEATURES: readonly string[] = [
  NS.discoInfo,
  NS.discoItems,
  NS.muc,
  STABLE_ID,
  NS.stanzaIds,
  NS.occupantId,
];

export const discovery: Part = {
  name: "discovery",
  iq: {
    "get http://jabber.org/protocol/disco#info query": info,
    "get http://jabber.org/protocol/disco#items query": items,
  },
};

function info(turn: Turn, query: Element): Answer {
  const { context, state, jid, parts, from } = turn;
  const node = nodeOf(query);
  if (node === NICK_NODE) return [ownNick(nickOf(state, from.bare))];
  // "If a service does not discard any namespaces" (Allowable Traffic).
  if (node === TRAFFIC_NODE) return new StanzaError("service-unavailable");
  if (node) return nodeInfo(turn, node);
  const features = parts.flatMap((part) => part.features?.(state) ?? []);
  const isReader = !unread(turn);
  const fields = parts.flatMap((part) => part.info?.(state, context, isReader) ?? []);
  const name = roomName.of(state.config) || jid.local;
  const about = {
    identities: [{ category: "conference", type: "text", name }],
    features: [...MUC_FEATURES, ...features].sort(),
    forms: [form("result", NS.mucRoomInfo, fields)],
  };
  return [infoQuery(about, node)];
}

/** Commands are all that a room has beside itself. */
function nodeInfo(turn: Turn, node: string): Answer {
  const found = commandInfo(commandsOf(turn), turn, node);
  return found ? [found] : new StanzaError("item-not-found");
}

/** "Discovering Reserved Room Nickname" */
function ownNick(nick: string | undefined): Element {
  const identities = nick === undefined ? [] : [{ category: "conference", type: "text", name: nick }];
  return infoQuery({ identities, features: [], forms: [] }, NICK_NODE);
}

/** Who is in the room is told to those who are in it, by presence; nobody else is told. What has no items is there all the same. */
function items(turn: Turn, query: Element): Answer {
  const node = nodeOf(query);
  const commands = commandsOf(turn);
  if (node === NS_COMMANDS) return [commandItems(commands, turn, turn.jid.toString())];
  const isThere = !node || node === NICK_NODE || commandInfo(commands, turn, node) !== undefined;
  return isThere ? [itemsQuery([], node)] : new StanzaError("item-not-found");
}
