// The rooms of the server and their lanes. What is sent to a room is decided in the room's own lane, in one order for all; what the room
// sends goes through a second one, which keeps that order. Who sent it waits for the room (rulings 6). Rooms are loaded when they are needed.
import type { Owners } from "../core/accounts.js";
import { LoadFault } from "../core/accounts.js";
import type { Context } from "../core/context.js";
import { Flow } from "../core/flow.js";
import type { Lane } from "../core/lane.js";
import { message } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { StoreFault } from "../storage/port.js";
import { archiveReading } from "../xeps/0313-mam/api.js";
import { type Cited, citedIn } from "./archived.js";
import { Departures } from "./departures.js";
import { depart } from "./departing.js";
import { LOADED_STORES, OWNED } from "./documents.js";
import { historyBounds } from "./history.js";
import { Indicators } from "./indicators.js";
import { PARTS } from "./parts.js";
import { Rates } from "./rates.js";
import { Room } from "./room.js";
import type { RoomState } from "./state.js";
import { take } from "./taking.js";
import { Turn, type TurnContext } from "./turn.js";

/** The lanes of a room, while anything is under way in them. */
interface Traffic {
  readonly decisions: Lane;
  readonly sends: Lane;
  underway: number;
}

/** What the decision about a stanza rests on beside the room. */
interface Grounds {
  readonly ownedRooms: number;
  readonly cited: Cited | undefined;
}

const NO_GROUNDS: Grounds = { ownedRooms: 0, cited: undefined };

const RETRY_MS = 1000;

const made = new WeakMap<Context, Rooms>();

/** Those of a server: the same for all that deal with them. */
export function roomsOf(context: Context): Rooms {
  const rooms = made.get(context) ?? new Rooms(context);
  made.set(context, rooms);
  return rooms;
}

export class Rooms {
  readonly #context: Context;
  /** Who is told of activity in rooms (XEP-0437). */
  readonly indicators: Indicators;
  readonly #forTurns: TurnContext;
  readonly #rooms: Owners<Room>;
  readonly #decisions: () => Lane;
  readonly #sends: () => Lane;
  readonly #traffic = new Map<string, Traffic>();
  readonly departures: Departures;
  /** What comes back from where the room has sent something, by this server's own doing. */
  readonly #bounces = new WeakSet<Flow>();

  /** What turns do that the server has begun by itself. */
  readonly #acts = new WeakMap<Flow, (turn: Turn) => void>();

  constructor(context: Context) {
    this.#context = context;
    this.indicators = new Indicators(context.config.limits.activity_subscriptions);
    this.#forTurns = {
      ...context,
      admins: new Set(context.config.admins.map((admin) => JID.parse(admin).toString())),
      rates: new Rates(() => context.clock.now()),
      parts: PARTS,
      indicators: this.indicators,
      requests: new Map(PARTS.flatMap((part) => Object.entries(part.iq ?? {}))),
      archives: archiveReading(context),
      stateOf: (room) => this.stateOf(room),
    };
    this.#rooms = context.owners(LOADED_STORES, (jid) => new Room(jid));
    this.#decisions = context.lanes((flow) => this.#decide(flow));
    this.#sends = context.lanes();
    this.departures = new Departures(context, (account, room) => this.act({ room, from: account }, depart));
  }

  /** Hands the flow's current stanza over to the room it is for. Its sender waits, unless the room itself has caused it. */
  handOver(flow: Flow, room: JID): void {
    const { stanza, origin, isPart } = flow;
    const waits = origin.kind !== "server" && !isPart;
    const part = new Flow(stanza, waits ? origin : { kind: "server" }, "received");
    flow.isRequest = stanza.kind === "presence" && stanza.type === undefined;
    if (waits) flow.await(part);
    else if (!isPart) this.#bounces.add(part);
    this.#run(part, room);
  }

  /** The room, if it is in memory. */
  peek(room: JID): Room | undefined {
    return this.#rooms.peek(room);
  }

  /** The addresses of rooms that somebody is in. */
  *occupied(): Iterable<JID> {
    for (const { jid, decided } of this.#rooms.inUse()) if (decided.occupants.size > 0) yield jid;
  }

  /** A turn that no stanza asks for, in the room's order like any other. Resolves when it is over: whether it has not failed. */
  act({ room, from }: { readonly room: JID; readonly from: JID }, act: (turn: Turn) => void): Promise<boolean> {
    const flow = new Flow(message({ from, to: room, type: "error" }), { kind: "server" }, "received"); // nobody is answered
    this.#acts.set(flow, act);
    const over = new Promise<boolean>((resolve) => flow.whenOver((failure) => resolve(failure === undefined)));
    this.#run(flow, room);
    return over;
  }

  /** How many are in it; in a room that is not in memory nobody is. */
  occupantsOf(room: JID): number {
    return this.#rooms.peek(room)?.decided.occupants.size ?? 0;
  }

  /** The room as it has been decided. Rejects with a LoadFault. */
  async stateOf(jid: JID): Promise<RoomState> {
    const room = this.#rooms.hold(await this.#rooms.load(jid));
    this.#rooms.release(room);
    return room.decided;
  }

  #run(flow: Flow, room: JID): void {
    const key = room.toString();
    const traffic = this.#traffic.get(key) ?? { decisions: this.#decisions(), sends: this.#sends(), underway: 0 };
    this.#traffic.set(key, traffic);
    this.#count(flow, key, traffic);
    if (flow.root.kind === "presence" && flow.root.type === "unavailable") this.#insist(flow, room);
    traffic.decisions.run(flow);
  }

  #count(flow: Flow, key: string, traffic: Traffic): void {
    traffic.underway++;
    flow.whenOver(() => {
      traffic.underway--;
      if (traffic.underway === 0) this.#traffic.delete(key);
    });
  }

  /** Whose session has ended has gone, also where the store failed at that moment: nobody else would tell the room a second time. */
  #insist(flow: Flow, room: JID): void {
    flow.whenOver((failure) => {
      if (!failure || flow.session?.open) return;
      const again = new Flow(flow.root, { kind: "server" }, "received");
      this.#context.clock.after(RETRY_MS, () => this.#run(again, room));
    });
  }

  #decide(flow: Flow): Promise<void> | undefined {
    const jid = flow.root.to?.bare;
    const room = jid && this.#rooms.peek(jid);
    if (!jid || !flow.root.from) return undefined;
    if (!room?.isReady || mayCreate(flow, room) || cites(flow)) return this.#decideLater(flow, jid);
    this.#turn(flow, room, NO_GROUNDS);
    return undefined;
  }

  /** Loads what the decision needs: the room, its recent messages, how many rooms the sender has, what the stanza is about. */
  async #decideLater(flow: Flow, jid: JID): Promise<void> {
    try {
      for (let isDecided = false; !isDecided;) isDecided = await this.#attempt(flow, jid);
    } catch (error) {
      if (!(error instanceof LoadFault) && !(error instanceof StoreFault)) throw error;
      this.#context.log.warn({ ev: "muc.load_failed", err: error });
      flow.fail(new StanzaError("resource-constraint", "wait"), "store");
    }
  }

  /** False if the room has become stale meanwhile. */
  async #attempt(flow: Flow, jid: JID): Promise<boolean> {
    const { storage, config } = this.#context;
    const room = this.#rooms.hold(await this.#rooms.load(jid));
    try {
      if (room.decided.exists) await room.recall(storage, historyBounds(config.limits));
      const ownedRooms = mayCreate(flow, room) ? await this.#ownedBy(flow.root.from?.bare) : 0;
      const cited = room.decided.exists ? await this.#citedBy(flow, jid) : undefined;
      if (room.isStale) return false;
      this.#turn(flow, room, { ownedRooms, cited });
      return true;
    } finally {
      this.#rooms.release(room);
    }
  }

  async #ownedBy(account: JID | undefined): Promise<number> {
    const { storage, config } = this.#context;
    const most = Math.min(config.limits.rooms_per_account, Number.MAX_SAFE_INTEGER);
    if (!account) return 0;
    return (await storage.find(OWNED.store, OWNED.field, account.toString(), most)).length;
  }

  async #citedBy(flow: Flow, room: JID): Promise<Cited | undefined> {
    const ids = PARTS.flatMap((part) => part.cites?.(flow.root) ?? []).slice(0, 1);
    if (ids.length === 0) return undefined;
    const [row] = await this.#context.storage.log(room.toString(), { shown: true, ids, limit: 1 });
    return row && citedIn(row);
  }

  #turn(flow: Flow, room: Room, grounds: Grounds): void {
    const from = flow.root.from;
    const traffic = this.#traffic.get(room.jid.toString());
    if (!from || !traffic) return;
    const turn = new Turn(this.#forTurns, flow, room, { from, ...grounds, isBounce: this.#bounces.has(flow) });
    (this.#acts.get(flow) ?? take)(turn);
    turn.close((sending) => {
      this.#count(sending, room.jid.toString(), traffic);
      traffic.sends.run(sending);
    });
  }
}

/** It is about something in the room's archive. */
function cites({ root }: Flow): boolean {
  return PARTS.some((part) => part.cites?.(root) !== undefined);
}

/** It would make the room, if its sender may. */
function mayCreate({ root }: Flow, room: Room): boolean {
  return !room.decided.exists && root.kind === "presence" && root.type === undefined;
}
