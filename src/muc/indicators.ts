// XEP-0437 "Room Activity Indicators": clients that ask the service for it are told that there is something new in a room they are not in, once
// for each room, if they are on its lists (so that they may enter). All of it is in memory, and ends with the process; but for the subscriptions
// of sessions that do not (listening.ts). Those are told once more of rooms they have been told of: the notice may have been lost.
import { message } from "../stanza/build.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { isOnLists, type RoomState } from "./state.js";

export const NS_RAI = "urn:xmpp:rai:0";

const MOST_UNSEEN = 100; // rooms of one account; of more those that have been quiet for longest are not told

/** A client that has asked. */
interface Subscription {
  readonly client: JID;
  readonly service: JID;
  /** The rooms it has been told of. */
  readonly told: Set<string>;
}

/** An account one of whose clients has asked, now or before. */
interface Listener {
  readonly account: JID;
  /** By full JID and service: a client may have asked several. */
  readonly subscriptions: Map<string, Subscription>;
  /** Rooms where something has been said since it was last in them, by address. */
  readonly unseen: Map<string, JID>;
}

export class Indicators {
  readonly #most: number;
  /** By bare JID; who has asked last is the last. */
  readonly #listeners = new Map<string, Listener>();
  #subscriptions = 0;

  /** `most`: clients, and as many accounts (`limits.activity_subscriptions`). */
  constructor(most: number) {
    this.#most = most;
  }

  /** The client wants to be told from now on. The rooms with something new for its account; undefined: there are too many clients. */
  subscribe(client: JID, service: JID): readonly JID[] | undefined {
    this.unsubscribe(client, service);
    if (this.#subscriptions >= this.#most) return undefined;
    const key = client.bare.toString();
    const listener: Listener = this.#listeners.get(key) ?? {
      account: client.bare,
      subscriptions: new Map(),
      unseen: new Map(),
    };
    this.#listeners.delete(key);
    this.#listeners.set(key, listener);
    this.#subscriptions++;
    listener.subscriptions.set(keyOf(client, service), { client, service, told: new Set() });
    this.#forgetSome();
    return [...listener.unseen.values()].filter(({ domain }) => domain === service.domain);
  }

  unsubscribe(client: JID, service: JID): void {
    const subscriptions = this.#listeners.get(client.bare.toString())?.subscriptions;
    if (subscriptions?.delete(keyOf(client, service))) this.#subscriptions--;
  }

  /** The services that the client has asked. */
  servicesOf(client: JID): readonly JID[] {
    const all = [...(this.#listeners.get(client.bare.toString())?.subscriptions.values() ?? [])];
    return all.filter((one) => one.client.equals(client)).map(({ service }) => service);
  }

  /** What a client is sent that has just asked: those rooms that it has not been told of since. */
  notice(client: JID, service: JID, rooms: readonly JID[]): Stanza | undefined {
    const subscription = this.#listeners.get(client.bare.toString())?.subscriptions.get(keyOf(client, service));
    return subscription && noticeOf(subscription, rooms);
  }

  /** Something has been said in the room: what clients are sent that are not in it. */
  spoken(room: JID, state: RoomState): readonly Stanza[] {
    const concerned = this.#concerned(state);
    if (concerned.length === 0) return [];
    const inside = new Set([...state.occupants.values()].map(({ account }) => account.toString()));
    return concerned.flatMap((listener) => {
      if (!inside.has(listener.account.toString())) note(listener, room);
      const outside = [...listener.subscriptions.values()].filter(({ client }) => !state.nicks.has(client.toString()));
      const here = outside.filter(({ service }) => service.domain === room.domain);
      return here.flatMap((subscription) => noticeOf(subscription, [room]) ?? []);
    });
  }

  /** The account is in the room: it sees for itself. */
  seen(room: JID, account: JID): void {
    this.#listeners.get(account.toString())?.unseen.delete(room.toString());
  }

  /** Whoever is on the room's lists, by whichever way is shorter. */
  #concerned(state: RoomState): readonly Listener[] {
    if (this.#listeners.size === 0) return [];
    const all =
      state.affiliations.size < this.#listeners.size
        ? [...state.affiliations.keys()].flatMap((account) => this.#listeners.get(account) ?? [])
        : [...this.#listeners.values()];
    return all.filter(({ account }) => isOnLists(state, account));
  }

  /** Accounts none of whose clients is there: those that have not been for longest. */
  #forgetSome(): void {
    for (const [key, { subscriptions }] of this.#listeners) {
      if (this.#listeners.size <= this.#most) return;
      if (subscriptions.size === 0) this.#listeners.delete(key);
    }
  }
}

function keyOf(client: JID, service: JID): string {
  return `${client.toString()} ${service.domain}`;
}

function note({ unseen }: Listener, room: JID): void {
  const key = room.toString();
  unseen.delete(key);
  unseen.set(key, room);
  const [quietest] = unseen.keys();
  if (unseen.size > MOST_UNSEEN && quietest !== undefined) unseen.delete(quietest);
}

/** Of the rooms it has not been told of; it has been by then. */
function noticeOf({ client, service, told }: Subscription, rooms: readonly JID[]): Stanza | undefined {
  const fresh = rooms.map(String).filter((room) => !told.has(room));
  if (fresh.length === 0) return undefined;
  for (const room of fresh) told.add(room);
  const activity = fresh.map((room) => xml("activity", {}, room));
  return message({ from: service, to: client }, xml("rai", { xmlns: NS_RAI }, ...activity), NO_STORE);
}

const NO_STORE = xml("no-store", { xmlns: NS.hints });
