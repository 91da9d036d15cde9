// How a client of the load gets into a room, makes it one that stays, and learns whether it is in.
import type { Client } from "./client.js";

export const NS_MUC = "http://jabber.org/protocol/muc";

/** With the account's name as nick, and without history. */
export function enter(client: Client, room: string): void {
  const history = "<history maxstanzas='0'/>";
  client.send(`<presence to='${room}/${client.user}'><x xmlns='${NS_MUC}'>${history}</x></presence>`);
}

/** By its owner: the room is there for others, and for ever (XEP-0045 §10.1). */
export async function makePersistent(client: Client, room: string): Promise<void> {
  await client.ask((id) => `<iq type='set' to='${room}' id='${id}'>${CONFIGURATION}</iq>`);
}

/** Whether the room says so of this session (XEP-0410). */
export async function isIn(client: Client, room: string): Promise<boolean> {
  const to = `${room}/${client.user}`;
  const answer = await client.ask((id) => `<iq type='get' to='${to}' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`);
  return answer?.attributes.get("type") === "result";
}

const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;
const CONFIGURATION =
  `<query xmlns='${NS_MUC}#owner'><x xmlns='jabber:x:data' type='submit'>` +
  field("FORM_TYPE", `${NS_MUC}#roomconfig`) +
  field("muc#roomconfig_persistentroom", "1") +
  "</x></query>";
