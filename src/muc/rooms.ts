// The rooms of the server and their lanes. What is sent to a room is decided in the room's own lane, in one order for all; what the room
// sends goes through a second one, which keeps that order. Who sent it waits for the room (rulings 6). Rooms are loaded when they are needed.
import type { Owners } from "../core/accounts.js";
import { LoadFault } from "../core/accounts.js";
import type { Context } from "../core/context.js";
import { Flow } from "../core/flow.js";
import type { Lane } from "../core/lane.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { StoreFault } from "../storage/port.js";
import { LOADED_STORES, OWNED } from "./documents.js";
import { PARTS } from "./parts.js";
import { Rates } from "./rates.js";
import { Room } from "./room.js";
import { take } from "./taking.js";
import { Turn, type TurnContext } from "./turn.js";

/** The lanes of a room, while anything is under way in them. */
interface Traffic {
  readonly decisions: Lane;
  readonly sends: Lane;
  underway: number;
}

const RETRY_MS = 1000;

export class Rooms {
  readonly #context: Context;
  readonly #forTurns: TurnContext;
  readonly #rooms: Owners<Room>;
  readonly #decisions: () => Lane;
  readonly #sends: () => Lane;
  readonly #traffic = new Map<string, Traffic>();
  /** What comes back from where the room has sent something, by this server's own doing. */
  readonly #bounces = new WeakSet<Flow>();

  constructor(context: Context) {
    this.#context = context;
    this.#forTurns = {
      ...context,
      admins: new Set(context.config.admins.map((admin) => JID.parse(admin).toString())),
      rates: new Rates(() => context.clock.now()),
      parts: PARTS,
      requests: new Map(PARTS.flatMap((part) => Object.entries(part.iq ?? {}))),
    };
    this.#rooms = context.owners(LOADED_STORES, (jid) => new Room(jid));
    this.#decisions = context.lanes((flow) => this.#decide(flow));
    this.#sends = context.lanes();
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
    if (!room?.isReady || mayCreate(flow, room)) return this.#decideLater(flow, jid);
    this.#turn(flow, room, 0);
    return undefined;
  }

  /** Loads what the decision needs: the room, its recent messages, how many rooms the sender has. */
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
      if (room.decided.exists) await room.recall(storage, config.limits.room_history);
      const ownedRooms = mayCreate(flow, room) ? await this.#ownedBy(flow.root.from?.bare) : 0;
      if (room.isStale) return false;
      this.#turn(flow, room, ownedRooms);
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

  #turn(flow: Flow, room: Room, ownedRooms: number): void {
    const from = flow.root.from;
    const traffic = this.#traffic.get(room.jid.toString());
    if (!from || !traffic) return;
    const turn = new Turn(this.#forTurns, flow, room, { from, ownedRooms, isBounce: this.#bounces.has(flow) });
    take(turn);
    turn.close((sending) => {
      this.#count(sending, room.jid.toString(), traffic);
      traffic.sends.run(sending);
    });
  }
}

/** It would make the room, if its sender may. */
function mayCreate({ root }: Flow, room: Room): boolean {
  return !room.decided.exists && root.kind === "presence" && root.type === undefined;
}
