// One stanza's turn in a room: what is decided on the state of that moment, what is written, and who is sent what, in order, once that is
// durable. The core releases turns in the order in which they were decided.
import type { Context } from "../core/context.js";
import { type Append, Flow } from "../core/flow.js";
import type { LimitName } from "../core/limits.js";
import { errorOf, resultOf } from "../stanza/build.js";
import { answerLater } from "../core/answering.js";
import type { Answer, Child } from "../core/feature.js";
import type { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Entry, Write } from "../storage/writes.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import type { Indicators } from "./indicators.js";
import type { Part, RoomIqHandler } from "./part.js";
import type { ArchiveReading } from "../xeps/0313-mam/api.js";
import type { Cited } from "./archived.js";
import { type Affiliation, ROLES, type Standing } from "./privileges.js";
import type { Rates } from "./rates.js";
import type { Room } from "./room.js";
import { affiliationOf, type Occupant, occupantWith, type RoomState } from "./state.js";

export interface TurnContext extends Pick<
  Context,
  "clock" | "config" | "erasures" | "isHosted" | "log" | "random" | "start" | "storage"
> {
  /** Bare JIDs of those who administer the server: they own every room. */
  readonly admins: ReadonlySet<string>;
  readonly rates: Rates;
  readonly parts: readonly Part[];
  readonly indicators: Indicators;
  /** The parts' requests to a room, by their keys. */
  readonly requests: ReadonlyMap<string, RoomIqHandler>;
  readonly archives: ArchiveReading;
  /** A room as it is decided now, for what goes on after a turn. */
  readonly stateOf: (room: JID) => Promise<RoomState>;
}

/** Something to send, or what makes it: once the turn is durable, so that ids of the archive are known. */
type Out = Stanza | (() => readonly Stanza[]);

export class Turn {
  readonly context: TurnContext;
  readonly flow: Flow;
  readonly room: Room;
  readonly stanza: Stanza;
  /** Who sent it. */
  readonly from: JID;
  #state: RoomState;
  readonly #writes: Write[] = [];
  readonly #out: Out[] = [];

  /** How many rooms the sender owns; known where a room may be made. */
  readonly ownedRooms: number;

  /** This server itself says so of something that the room has sent: the client is not there. */
  readonly isBounce: boolean;

  /** The message that the stanza is about, if the archive has it (`Part.cites`). */
  readonly cited: Cited | undefined;

  constructor(
    context: TurnContext,
    flow: Flow,
    room: Room,
    { from, ownedRooms, isBounce, cited }: Pick<Turn, "from" | "ownedRooms" | "isBounce" | "cited">,
  ) {
    this.context = context;
    this.flow = flow;
    this.room = room;
    this.stanza = flow.stanza;
    this.from = from;
    this.ownedRooms = ownedRooms;
    this.isBounce = isBounce;
    this.cited = cited;
    this.#state = room.decided;
  }

  /** The room as this turn has it so far. */
  get state(): RoomState {
    return this.#state;
  }

  get parts(): readonly Part[] {
    return this.context.parts;
  }

  /** The room's address. */
  get jid(): JID {
    return this.room.jid;
  }

  /** The sender, if they are in the room with this client. */
  get occupant(): Occupant | undefined {
    return occupantWith(this.#state, this.from);
  }

  /** The sender's affiliation; administrators of the server own every room. */
  get affiliation(): Affiliation {
    return this.affiliationOf(this.from);
  }

  /** As the room is by now, or was or will be. */
  affiliationOf(jid: JID, state: RoomState = this.#state): Affiliation {
    return this.isStaff(jid) ? "owner" : affiliationOf(state, jid.bare);
  }

  /** Where an account stands, with the highest role it has in the room; "none" if it is not in. */
  standingOf(jid: JID): Standing {
    const roles = [...this.#state.occupants.values()].filter(({ account }) => account.equals(jid.bare));
    const role = ROLES.findLast((one) => roles.some((occupant) => occupant.role === one)) ?? "none";
    return { affiliation: this.affiliationOf(jid), role, isStaff: this.isStaff(jid) };
  }

  /** Where somebody stands who is in the room. */
  standingAs({ account, role }: Occupant): Standing {
    return { affiliation: this.affiliationOf(account), role, isStaff: this.isStaff(account) };
  }

  /** Administrators of the server. */
  isStaff(jid: JID): boolean {
    return this.context.admins.has(jid.bare.toString());
  }

  /** The sender is not faster in this room than the limit allows. */
  mayGoOn(rate: "messages" | "errors" | "presences", limit: LimitName): boolean {
    const { rates, config } = this.context;
    return rates[rate].take(`${this.jid.toString()} ${this.from.bare.toString()}`, config.limits[limit]);
  }

  /** Takes as many of the invitations that the sender may send in an hour, to whatever rooms; false if there are not that many left. */
  mayInviteMore(count: number): boolean {
    const { rates, config } = this.context;
    return rates.invitations.take(this.from.bare.toString(), config.limits.invitations_per_hour, count);
  }

  /** From here on the room is so; the writes make it durable. */
  change(next: RoomState, ...writes: readonly Write[]): void {
    this.#state = next;
    this.#writes.push(...writes);
  }

  /** Keeps an entry in the room's archive. */
  archive(entry: Entry): Append {
    return this.flow.append(this.jid.toString(), entry);
  }

  send(...out: readonly Out[]): void {
    this.#out.push(...out);
  }

  /** Answers a request. */
  answer(...children: readonly Child[]): void {
    this.send(resultOf(this.stanza, ...children));
  }

  /** Answers a request once the turn is released and the work is done. */
  answerLater(work: () => Promise<Answer>): void {
    const { log, start } = this.context;
    const send = (answer: Stanza): void => start(new Flow(answer, { kind: "server" }, "received"));
    answerLater(this.flow, this.stanza, work, { log, send });
  }

  /**
   * Refuses what was sent; what may not be answered is dropped. By `<x/>` clients know that it is a room that lets them not in
   * ("Entering a Room", examples); a password in it is not repeated.
   */
  refuse(error: StanzaError): void {
    const repeated = this.stanza.kind === "presence" ? [xml("x", { xmlns: NS.muc })] : [];
    const answer = errorOf(this.stanza, error, ...repeated);
    if (answer) this.send(answer);
  }

  /** The turn is over. It rests on all turns before it, also if it changes nothing. `run` starts what the room sends. */
  close(run: (sending: Flow) => void): void {
    const { room, flow } = this;
    const state = this.#state;
    flow.apply({ owner: room, writes: this.#writes, effect: () => room.decide(state) });
    flow.atRelease(() => {
      room.release(state);
      let sending: Flow | undefined;
      for (const out of this.#out)
        for (const stanza of typeof out === "function" ? out() : [out])
          if (sending) sending.route(stanza);
          else sending = new Flow(stanza, { kind: "server" }, "received");
      if (sending) run(sending);
    });
    if (this.#writes.some(({ op }) => op === "erase")) flow.atRelease(() => this.context.erasures.begin());
    flow.whenOver((failure) => failure && room.takeBack());
  }
}
