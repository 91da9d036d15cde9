// A room in memory: its state as decided, which the next decision sees, and as released, which everybody has been told. Where a commit
// failed, the decided one goes back: who is in it to what was released, the rest to what the store has.
import { Owner } from "../core/owner.js";
import type { LogRow, Row, Storage } from "../storage/port.js";
import { timeOf } from "../core/ids.js";
import { authorOf, storedIn, withoutAuthor } from "./archived.js";
import { durable } from "./documents.js";
import { type HistoryBounds, isHistoric, latest } from "./history.js";
import { isLogged } from "./parts/logging.js";
import { NO_ROOM, type Past, type RoomState } from "./state.js";
import { Unanswered } from "./unanswered.js";

export class Room extends Owner {
  override readonly isSerial = true;
  #decided: RoomState = NO_ROOM;
  #released: RoomState = NO_ROOM;
  #remembers = false;
  /** Somebody is in it, or was and has not left for everybody yet. */
  #isOccupied = false;
  readonly unanswered = new Unanswered();

  /** The store has a room that nobody has configured, and whose maker has gone with an earlier process: it counts as none. */
  hasRemains = false;

  get decided(): RoomState {
    return this.#decided;
  }

  get released(): RoomState {
    return this.#released;
  }

  /** Its recent messages have been read. */
  get isReady(): boolean {
    return !this.isStale && (this.#remembers || !this.#decided.exists);
  }

  override load(rows: readonly Row[]): void {
    super.load(rows);
    const { occupants, nicks, history, spoken, changes } = this.#released;
    const stored = durable((store) => this.rows(store));
    this.hasRemains = stored.isLocked && occupants.size === 0;
    this.#decided = this.hasRemains ? NO_ROOM : { ...stored, occupants, nicks, history, spoken, changes };
    this.#released = this.#decided;
    this.#hold();
  }

  /** Reads the latest messages of its archive, if that is to be seen, the first time it is loaded. Rejects with a StoreFault. */
  async recall(storage: Pick<Storage, "log">, most: HistoryBounds): Promise<void> {
    if (this.#remembers) return;
    const limit = isLogged.of(this.#decided.config) ? most.stanzas : 0;
    const rows = limit === 0 ? [] : await storage.log(this.jid.toString(), { shown: true, backwards: true, limit });
    const history = latest(rows.toReversed().flatMap(pastOf), most);
    this.#remembers = true;
    this.#decided = { ...this.#decided, history };
    this.#released = { ...this.#released, history };
  }

  decide(next: RoomState): void {
    this.#decided = next;
    if (next.exists) this.#remembers = true;
    this.#hold();
  }

  /** Everybody is being told what was decided then. */
  release(state: RoomState): void {
    this.#released = state;
    this.#hold();
  }

  /** What was decided has failed. If it has been loaded again since, that has been seen to. */
  takeBack(): void {
    if (!this.isStale) return;
    this.#decided = this.#released;
    this.#hold();
  }

  /** Who is in it is known in memory only: it stays there for as long. */
  #hold(): void {
    const isOccupied = this.#decided.occupants.size > 0 || this.#released.occupants.size > 0;
    if (isOccupied === this.#isOccupied) return;
    this.#isOccupied = isOccupied;
    if (isOccupied) this.home?.keep(this);
    else this.home?.release(this);
  }
}

/** An entry that cannot be read, or is nothing to remember, is passed over. */
function pastOf(row: LogRow): readonly Past[] {
  const kept = storedIn(row);
  if (!kept || !isHistoric(kept)) return [];
  return [{ message: withoutAuthor(kept), author: authorOf(kept), entry: row, at: timeOf(row.id) }];
}
