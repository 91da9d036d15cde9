// XEP-0437 "Room Activity Indicators", as clients ask the service for it by presence. What they have asked for lasts as long as their session, which
// may outlive the process (rulings 3): whoever resumes it is not asked to begin anew, and would not know that they have to.
import type { Context } from "../core/context.js";
import type { Feature } from "../core/feature.js";
import { LoadFault } from "../core/accounts.js";
import { Flow } from "../core/flow.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { NS_RAI } from "./indicators.js";
import { type Rooms, roomsOf } from "./rooms.js";
import { isOnLists } from "./state.js";

/** What of it outlives the process. */
export function listening(context: Context): Feature {
  const indicators = () => roomsOf(context).indicators;
  return {
    name: "room-activity",
    specs: [
      {
        xep: 437,
        version: "0.2.0",
        status: "complete",
        since: "0.1.0",
        note: "for those who are on the lists of a room",
      },
    ],
    session: {
      save: ({ jid }) => {
        const services = indicators().servicesOf(jid);
        return services.length === 0 ? undefined : services.map(String);
      },
      restore: ({ jid }, saved) => {
        if (Array.isArray(saved)) for (const service of saved) indicators().subscribe(jid, JID.parse(String(service)));
      },
    },
  };
}

/** A client wants to be told where something is said, or no more. */
export function listen(context: Context, rooms: Rooms, flow: Flow): void {
  const { type, from, to } = flow.stanza;
  const { indicators } = rooms;
  if (!from || !to || from.isBare) return;
  if (type === "unavailable") return indicators.unsubscribe(from, to);
  if (type !== undefined || !flow.stanza.has("rai", NS_RAI)) return;
  const unseen = indicators.subscribe(from, to);
  if (!unseen) return flow.refuse(new StanzaError("resource-constraint"));
  flow.atRelease(() => void catchUp(context, rooms, { client: from, service: to }, unseen));
}

/** Only of rooms that they may still enter. */
async function catchUp(
  { log, start }: Context,
  rooms: Rooms,
  { client, service }: { readonly client: JID; readonly service: JID },
  unseen: readonly JID[],
): Promise<void> {
  const open: JID[] = [];
  try {
    for (const room of unseen) if (isOnLists(await rooms.stateOf(room), client.bare)) open.push(room);
  } catch (error) {
    if (!(error instanceof LoadFault)) throw error;
    log.warn({ ev: "muc.load_failed", err: error });
  }
  const notice = rooms.indicators.notice(client, service, open);
  if (notice) start(new Flow(notice, { kind: "server" }, "received"));
}
