// The writing side, in its own thread: one transaction per batch; when that fails, unit by unit, so that each gets its due.
import type { Outcome } from "../writes.js";
import { errorNumber, SQLITE } from "./engine.js";
import type { Database } from "./engine.js";
import { faultOf, toMessage } from "./faults.js";
import type { FaultMessage } from "./faults.js";
import { openForWriting, transaction } from "./file.js";
import type { FileOptions } from "./file.js";
import { Tape } from "./packing.js";
import type { Packed, PackedUnit } from "./packing.js";
import { Scribe } from "./scribe.js";
import { shrink } from "./space.js";
import type { IndexProgress } from "./word-index.js";

/** The outcomes of a batch (undefined: all done), and the engine's fault if one was met. */
export interface CommitReply {
  readonly outcomes?: readonly Outcome[];
  readonly fault?: FaultMessage;
}

/** Which entries to remove: below `before`, at most `limit`. */
export interface PurgeRequest {
  readonly owner: string;
  readonly before: number;
  readonly limit: number;
}

/** What a probe writes and removes again, in bytes: enough that a disk with only a few pages left counts as full. */
const PROBE_BYTES = 65_536;

/** COMMIT itself failed on the disk: whether the unit would be found after a crash, nobody can say. */
class CommitFault extends Error {}

export class Writer {
  readonly #db: Database;
  readonly #file: string;
  readonly #scribe: Scribe;
  #fault: FaultMessage | undefined;

  constructor(options: FileOptions) {
    this.#file = options.file;
    this.#db = openForWriting(options);
    this.#scribe = new Scribe(this.#db);
    try {
      this.probe();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  commit(batch: Packed): CommitReply {
    const tape = new Tape(batch);
    const units = tape.units();
    const outcomes =
      this.#together(tape, units, false) ??
      this.#together(tape, units, true) ??
      units.map((unit) => this.#alone(tape, unit));
    const fault = this.#fault;
    this.#fault = undefined;
    const plain = outcomes.every((outcome) => outcome === "done");
    return { ...(plain ? {} : { outcomes }), ...(fault ? { fault } : {}) };
  }

  /** Writes and removes something, durably. Throws a StoreFault. */
  probe(): void {
    try {
      transaction(this.#db, () =>
        this.#db.exec(`INSERT INTO probes VALUES (zeroblob(${PROBE_BYTES})); DELETE FROM probes`),
      );
    } catch (error) {
      throw faultOf(error, this.#file);
    }
  }

  /** Takes a slice of log entries into the index of words. Throws a StoreFault. */
  index(): IndexProgress {
    return this.#slice(() => this.#scribe.log.words.advance());
  }

  /** Answers when all that was asked before has been done. */
  turn(): void {
    return;
  }

  /** One slice of a purge. Throws a StoreFault. */
  purge({ owner, before, limit }: PurgeRequest): number {
    return this.#slice(() => this.#scribe.log.purge(owner, before, limit));
  }

  /** One slice of removing what erased owners had. Throws a StoreFault. */
  discard(): boolean {
    return this.#slice(() => this.#scribe.log.discard());
  }

  /** One slice of giving space back. Throws a StoreFault. */
  shrink(): boolean {
    return shrink(this.#db);
  }

  close(): void {
    this.#db.close();
  }

  /**
   * All units in one transaction. Conditional units get a savepoint, or all of them with `guarded`, which also lets a
   * unit fail by itself. Undefined if the transaction as a whole could not be made.
   */
  #together(tape: Tape, units: readonly PackedUnit[], guarded: boolean): Outcome[] | undefined {
    try {
      return this.#transaction(() =>
        units.map((unit) =>
          guarded || unit.conditional ? this.#guarded(tape, unit, guarded) : this.#apply(tape, unit),
        ),
      );
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  /** One unit in a transaction of its own: whatever it meets is its own outcome. */
  #alone(tape: Tape, unit: PackedUnit): Outcome {
    try {
      return this.#transaction(() => this.#guarded(tape, unit, false));
    } catch (error) {
      this.#note(error);
      return error instanceof CommitFault ? "unknown" : "refused";
    }
  }

  /** One unit in a savepoint. With `contained` an error of the engine refuses just this unit, if the transaction still stands. */
  #guarded(tape: Tape, unit: PackedUnit, contained: boolean): Outcome {
    this.#scribe.savepoint();
    try {
      const outcome = this.#apply(tape, unit);
      if (outcome === "conflict") this.#scribe.takeBack();
      else this.#scribe.release();
      return outcome;
    } catch (error) {
      if (!contained || !this.#db.isTransaction) throw error;
      this.#note(error);
      this.#scribe.takeBack();
      return "refused";
    }
  }

  #apply(tape: Tape, unit: PackedUnit): "done" | "conflict" {
    tape.at = unit.start;
    while (tape.at < unit.end) if (!this.#scribe.write(tape)) return "conflict";
    return "done";
  }

  #transaction<T>(body: () => T): T {
    this.#scribe.begin();
    try {
      const result = body();
      this.#scribe.flush();
      this.#commit();
      return result;
    } catch (error) {
      this.#scribe.forget();
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #slice<T>(work: () => T): T {
    try {
      return this.#transaction(work);
    } catch (error) {
      throw faultOf(error instanceof CommitFault ? error.cause : error, this.#file);
    }
  }

  #commit(): void {
    try {
      this.#scribe.commit();
    } catch (error) {
      if (errorNumber(error) !== SQLITE.ioError) throw error;
      throw new CommitFault("the disk failed during a commit", { cause: error });
    }
  }

  #note(error: unknown): void {
    this.#fault = toMessage(faultOf(error instanceof CommitFault ? error.cause : error, this.#file));
  }
}
