// "given … in a room": makes a room for a scene, configured as it says, and lets its members in one after the other.
import type { ClientStream } from "./stream.js";
import { child, elements, escapeXml, show, type Tree } from "./xml.js";

const MUC = "http://jabber.org/protocol/muc";
const STANZAS_OF_A_JOIN = 1000; // the room's occupants and its history; more is no room of ours

/** Somebody who is to be in the room. */
export interface Guest {
  readonly stream: ClientStream;
  readonly nick: string;
}

export interface RoomPlan {
  /** Its address. */
  readonly room: string;
  /** Fields of the configuration form that are not left as the server has them. */
  readonly fields: ReadonlyMap<string, string>;
  readonly limitMs: number;
}

/** The first guest makes the room and configures it, the others enter. What they are told is left in their inboxes. */
export async function gather(guests: readonly Guest[], plan: RoomPlan): Promise<void> {
  for (const [index, guest] of guests.entries()) {
    await enter(guest, plan);
    if (index === 0) await configure(guest.stream, plan);
  }
}

async function enter({ stream, nick }: Guest, { room, fields, limitMs }: RoomPlan): Promise<void> {
  const secret = fields.get("muc#roomconfig_roomsecret");
  const password = secret === undefined ? "" : `<password>${escapeXml(secret)}</password>`;
  const occupant = `${room}/${nick}`;
  stream.send(`<presence to='${escapeXml(occupant)}'><x xmlns='${MUC}'>${password}</x></presence>`);
  for (let count = 0; count < STANZAS_OF_A_JOIN; count++) {
    const tree = await stream.nextElement(limitMs);
    if (tree.name !== "presence" || !tree.attributes.get("from")?.startsWith(room)) continue;
    if (tree.attributes.get("type") === "error") throw new Error(`${occupant} is not let in: ${show(tree)}`);
    if (tree.attributes.get("from") === occupant && isSelf(tree)) return;
  }
  throw new Error(`${occupant} is told too much before its own presence`);
}

async function configure(stream: ClientStream, { room, fields, limitMs }: RoomPlan): Promise<void> {
  const filled = [...fields].map(([name, value]) => field(name, value)).join("");
  const form = fields.size === 0 ? "" : field("FORM_TYPE", `${MUC}#roomconfig`) + filled;
  const query = `<query xmlns='${MUC}#owner'><x xmlns='jabber:x:data' type='submit'>${form}</x></query>`;
  const id = "given-room";
  const answer = await stream.ask(id, `<iq type='set' id='${id}' to='${escapeXml(room)}'>${query}</iq>`, limitMs);
  if (answer.attributes.get("type") !== "result") throw new Error(`the room is not configured: ${show(answer)}`);
}

function field(name: string, value: string): string {
  return `<field var='${escapeXml(name)}'><value>${escapeXml(value)}</value></field>`;
}

function isSelf(presence: Tree): boolean {
  const x = child(presence, "x", `${MUC}#user`);
  return x !== undefined && elements(x).some((each) => each.name === "status" && each.attributes.get("code") === "110");
}
