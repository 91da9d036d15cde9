// Follows the copies of log entries (rulings 2 and 9, engineering 3): the first that arrives settles its entry; where a session ends
// without its copy, another device gets it, or it waits in the log.
import type { Stanza } from "../stanza/stanza.js";
import type { Account } from "./account.js";
import type { Receipt } from "./copies.js";
import { Deferred, type Keeper } from "./deferred.js";
import { type Append, Flow } from "./flow.js";
import { late } from "./late.js";
import type { Turn } from "./line.js";
import type { Order } from "./order.js";
import type { Session } from "./session.js";
import type { Wire } from "../xml/wire.js";

const NOTHING = "" as Wire;

export interface CustodyPorts {
  readonly keeper: Keeper;
  readonly order: Order;
  /** Starts a flow of the server's own. */
  readonly start: (flow: Flow) => void;
}

export class Custody {
  readonly #ports: CustodyPorts;
  /** Written entries that have arrived somewhere, while copies of them are elsewhere. */
  readonly #arrived = new WeakSet<Append>();
  /** The last copy for the owner of a log that was told the entry's id: the owner's next session gets the same one. */
  #stamped: { readonly entry: Append; readonly stanza: Stanza; readonly copy: Stanza } | undefined;

  constructor(ports: CustodyPorts) {
    this.#ports = ports;
  }

  get keeper(): Keeper {
    return this.#ports.keeper;
  }

  /** Sends a copy of what belongs to the entry, if to any. `again`: see `Session.send`. */
  give(session: Session, stanza: Stanza, entry: Append | undefined, again: boolean): void {
    if (!entry) return session.send(stanza, undefined, again);
    const copy = this.#copyOf(stanza, entry);
    if (!isPending(entry)) return session.send(copy, undefined, again);
    if (session.isNegative) {
      session.send(copy);
      if (entry instanceof Deferred) void entry.keep(this.keeper);
      return;
    }
    if (entry instanceof Deferred) entry.give(session);
    if (!session.isAvailable) session.givenEarly(entry);
    session.send(copy, new CopyReceipt(this, { entry, stanza, session }));
  }

  /** Acts when it is known what becomes of the messages before this one, from its sender to the account. */
  inTurn(account: Account, stanza: Stanza, act: () => void): void {
    this.#ports.order.inTurn(account, stanza, act);
  }

  /** The session has ended; whether its client has the copy is soon known. Another session gets later messages only then. */
  waitFor({ stanza, session }: CopyOfEntry): Turn {
    return this.#ports.order.reserve(session.account, stanza);
  }

  #copyOf(stanza: Stanza, entry: Append): Stanza {
    const { stamp, id } = entry;
    if (!stamp || id === 0) return stanza;
    if (this.#stamped?.entry !== entry || this.#stamped.stanza !== stanza)
      this.#stamped = { entry, stanza, copy: stamp(stanza, id) };
    return this.#stamped.copy;
  }

  /** Nobody was there any more when it was to be delivered. */
  unclaimed(account: Account, stanza: Stanza, entry: Append | undefined, again: boolean): void {
    if (entry instanceof Deferred) this.#keepAndOffer(entry, account, stanza);
    else if (again && !(entry && isPending(entry))) this.#decideAnew(stanza);
  }

  /** Follows a copy that another process sent. */
  takeOver(session: Session, stanza: Stanza, { owner, id }: Pick<Append, "owner" | "id">): Receipt {
    const kept = { with: "", stanza: NOTHING, pending: true, hidden: true };
    return new CopyReceipt(this, { entry: { op: "append", owner, id, entry: kept }, stanza, session });
  }

  arrived(entry: Append): void {
    if (entry instanceof Deferred) return entry.arrived(this.keeper);
    if (this.#arrived.has(entry)) return;
    this.#arrived.add(entry);
    this.keeper.delivered(entry);
  }

  /** The session ended without its copy. `turn`: reserved for what follows from that. */
  lost({ entry, stanza, session }: CopyOfEntry, turn?: Turn): void {
    const { account } = session;
    if (entry instanceof Deferred) {
      if ([...entry.given].some(({ open }) => open)) turn?.take(nothing);
      else this.#keepAndOffer(entry, account, stanza, turn);
      return;
    }
    const act = (): void => {
      if (this.#arrived.has(entry) || stanza.to?.isBare !== false) return; // the others were given a copy of their own
      this.#offer(account, stanza, entry, (other) => other !== session);
    };
    if (turn) turn.take(act);
    else this.inTurn(account, stanza, act);
  }

  /** Later messages of the sender wait until this one has been offered. */
  #keepAndOffer(entry: Deferred, account: Account, stanza: Stanza, reserved?: Turn): void {
    const turn = reserved ?? this.#ports.order.reserve(account, stanza);
    const act = (isKept: boolean): void => {
      if (entry.hasArrived) return;
      if (isKept) this.#offer(account, stanza, entry, (session) => !entry.given.has(session));
      else this.#decideAnew(stanza, () => entry.giveUp());
    };
    void entry.keep(this.keeper).then((isKept) => turn.take(() => act(isKept)));
  }

  /** To the devices that are there now. Those that came later than the entry find it in the log themselves. */
  #offer(account: Account, stanza: Stanza, entry: Append, pick: (session: Session) => boolean): void {
    for (const session of account.sessions.values())
      if (session.isNonNegative && session.readUpTo < entry.id && pick(session))
        this.give(session, late(stanza, entry, session.jid.domain), entry, false);
  }

  #decideAnew(stanza: Stanza, whenOver: () => void = () => undefined): void {
    const flow = new Flow(stanza, { kind: "server" }, "received");
    flow.whenOver(whenOver);
    this.#ports.start(flow);
  }
}

interface CopyOfEntry {
  readonly entry: Append;
  readonly stanza: Stanza;
  readonly session: Session;
}

class CopyReceipt implements Receipt {
  readonly #custody: Custody;
  readonly #copy: CopyOfEntry;
  #hasFaded = false;
  #turn: Turn | undefined;

  constructor(custody: Custody, copy: CopyOfEntry) {
    this.#custody = custody;
    this.#copy = copy;
  }

  get entry(): Append {
    return this.#copy.entry;
  }

  arrived(): void {
    this.#custody.arrived(this.#copy.entry);
    this.#turn?.take(nothing);
  }

  ending(): void {
    this.#turn ??= this.#custody.waitFor(this.#copy);
  }

  parked(): void {
    if (this.#hasFaded) return;
    this.#hasFaded = true;
    const { entry } = this.#copy;
    if (entry instanceof Deferred) entry.fades(this.#custody.keeper);
  }

  lost(): void {
    this.parked();
    this.#custody.lost(this.#copy, this.#turn);
  }
}

function isPending(entry: Append): boolean {
  return entry instanceof Deferred || entry.entry.pending;
}

function nothing(): void {
  // only the turn passes
}
