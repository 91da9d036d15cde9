// What the tests of rosters and presence share: a core with both features, and what devices got as one short line per stanza.
import { house, type Device, type House, type HouseOptions } from "../core/testing/factories.js";
import type { Stanza } from "../stanza/stanza.js";
import { NS } from "../xml/namespaces.js";
import { ROSTER_STORE } from "./items.js";
import { LAST_STORE } from "./last.js";
import { presenceFeature } from "./presence.js";
import { rosterFeature } from "./roster.js";

export function verona(options: Partial<HouseOptions> = {}): Promise<House> {
  return house({
    features: (context) => [rosterFeature(context), presenceFeature(context)],
    stores: [
      { name: ROSTER_STORE, withAccount: true, data: "account" },
      { name: LAST_STORE, data: "account" },
    ],
    ...options,
  });
}

/** What the device has got since the last look: "presence from juliet@a/balcony", "push romeo@a to ask", "result r". */
export function got(device: Device): readonly string[] {
  return device.take().map(line);
}

export function line(stanza: Stanza): string {
  const { kind, type, from, id } = stanza;
  if (kind === "presence") return `${type ?? "presence"} from ${String(from)}`;
  const item = type === "set" ? stanza.child("query", NS.roster)?.getChild("item") : undefined;
  if (!item) return `${type ?? kind} ${id ?? ""}${conditionOf(stanza)}`;
  const { jid, subscription, ask, approved } = item.attrs as Record<string, string | undefined>;
  return ["push", jid, subscription, ask && "ask", approved && "approved"].filter(Boolean).join(" ");
}

/** " forbidden" of an error. */
export function conditionOf(stanza: Stanza): string {
  const error = stanza.child("error", NS.client);
  return error
    ? ` ${error
        .getChildElements()
        .map(({ name }) => name)
        .join(" ")}`
    : "";
}

/** Logs the device in as clients do: it asks for its roster and sends initial presence; what it is told is passed over. */
export async function online(scene: House, ...devices: readonly Device[]): Promise<void> {
  for (const device of devices) {
    device.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    device.send("<presence/>");
  }
  await scene.settle();
  for (const device of devices) device.take();
}

/** The first sees the second's presence; both end without anything unread. */
export async function sees(scene: House, user: Device, contact: Device): Promise<void> {
  user.send(`<presence type='subscribe' to='${contact.account.jid.toString()}'/>`);
  await scene.settle();
  contact.send(`<presence type='subscribed' to='${user.account.jid.toString()}'/>`);
  await scene.settle();
  user.take();
  contact.take();
}
