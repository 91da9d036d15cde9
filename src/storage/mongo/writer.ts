// A commit from beginning to end: what must be known is read, the units become statements, the statements are sent, and each unit gets
// its outcome. One commit at a time; purging and indexing come in between.
import type { DeclaredStores } from "../lookups.js";
import type { OpenEntries } from "../pending.js";
import type { StoreFault } from "../port.js";
import type { Append, Outcome, Unit, Write } from "../writes.js";
import { placesWithConditions, Versions } from "./conditions.js";
import { CursorChanges, Cursors } from "./cursors.js";
import { entryPlace, settledBy } from "./entries.js";
import type { Erasures } from "./erasures.js";
import { Fates } from "./fates.js";
import { faultOf } from "./faults.js";
import { Layers } from "./layers.js";
import type { Lease } from "./lease.js";
import type { Link } from "./link.js";
import type { Numbers } from "./numbers.js";
import { COLLECTION, type DocumentRecord, type EntryRecord } from "./schema.js";
import { Sender } from "./sender.js";
import { appendStep, eraseSteps, makeRoomStep, putStep, removeStep, reviseStep, type Step } from "./steps.js";

export interface WriterPorts {
  readonly link: Link;
  readonly declared: DeclaredStores;
  readonly lease: Lease;
  readonly numbers: Numbers;
  readonly erasures: Erasures;
  readonly report: (fault: StoreFault) => void;
}

/** Entries removed at a time. */
const PURGE_SLICE = 500;

/** What had to be read before a batch could be planned. */
interface Known {
  readonly versions: ReadonlyMap<string, number>;
  readonly open: ReadonlyMap<string, OpenEntries>;
  /** Entries that are there already. */
  readonly present: ReadonlySet<string>;
  /** Those whose id is not above all others. */
  readonly late: ReadonlySet<Append>;
}

interface Plan {
  readonly layers: Layers;
  readonly conflicts: readonly number[];
  readonly erased: ReadonlyMap<string, number>;
}

export class Writer {
  readonly #ports: WriterPorts;
  readonly #cursors: Cursors;
  /** A row of a run that ended without knowing its outcome has a number that this run meant to give. */
  #collided = false;

  constructor(ports: WriterPorts) {
    this.#ports = ports;
    this.#cursors = new Cursors(ports.link, ports.erasures);
  }

  /** Not to be called again before it has resolved. */
  async commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    const known = await this.#prepare(units);
    if (!known) return units.map(() => "refused");
    const { layers, conflicts, erased } = this.#plan(units, known);
    const fates = new Fates(units.length, layers.all);
    for (const unit of conflicts) fates.conflicts(unit);
    await this.#sender(fates).sendAll(layers.all);
    this.#conclude(units, fates.outcomes, erased);
    return fates.outcomes;
  }

  /** Removes the oldest entries below `before` that are not pending. */
  async purge(owner: string, before: number, limit: number): Promise<number> {
    const { link, numbers, lease, erasures } = this.#ports;
    await lease.renewIfExpired();
    return link.ask(async () => {
      await erasures.settleDoubt();
      const open = (await this.#cursors.load([owner])).get(owner);
      const filter = { owner, ...erasures.beyond(owner), id: { $lt: before } };
      const rows = link.collection<EntryRecord>(COLLECTION.log);
      const settled = rows
        .find({ $and: [filter, ...(open ? [settledBy(open.cursor)] : [])] }, link.bounds)
        .sort({ id: 1 });
      const some = settled.limit(Math.min(limit, PURGE_SLICE)).project<Pick<EntryRecord, "id">>({ _id: 0, id: 1 });
      const ids = limit <= 0 ? [] : (await some.toArray()).map(({ id }) => id);
      if (ids.length === 0) return 0;
      await numbers.save();
      return (await rows.deleteMany({ owner, id: { $in: ids } }, link.bounds)).deletedCount;
    });
  }

  /** Nothing has been written when it answers undefined; the fault has been reported. */
  async #prepare(units: readonly Unit[]): Promise<Known | undefined> {
    const { link, lease, numbers, erasures, report } = this.#ports;
    const writes = units.flatMap((unit) => unit.writes);
    const late = lateAppends(writes, numbers.highest);
    const settling = writes.flatMap((write) => (write.op === "settle" ? [write.owner] : []));
    const owners = [...settling, ...late.filter(({ entry }) => entry.pending).map(({ owner }) => owner)];
    try {
      await lease.renewIfExpired();
      if (this.#collided) await numbers.catchUp();
      this.#collided = false;
      await erasures.settleDoubt();
      if (writes.some(({ op }) => op === "erase")) await numbers.save();
      const [versions, open, present] = await Promise.all([
        this.#versions(units),
        this.#cursors.load(owners),
        this.#present(late),
      ]);
      return { versions, open, present, late: new Set(late) };
    } catch (error) {
      report(faultOf(error, link.place));
      return undefined;
    }
  }

  async #versions(units: readonly Unit[]): Promise<ReadonlyMap<string, number>> {
    const places = placesWithConditions(units);
    if (places.length === 0) return new Map();
    const { link } = this.#ports;
    const found = link
      .collection<DocumentRecord>(COLLECTION.documents)
      .find({ _id: { $in: [...places] } }, link.bounds);
    const records = await found.project<Pick<DocumentRecord, "_id" | "version">>({ version: 1 }).toArray();
    return new Map(records.map(({ _id, version }) => [_id, version]));
  }

  /** Which of these entries are there, from an earlier try of the same unit. */
  async #present(appends: readonly Append[]): Promise<ReadonlySet<string>> {
    const byOwner = new Map<string, number[]>();
    for (const { owner, id } of appends) byOwner.set(owner, [...(byOwner.get(owner) ?? []), id]);
    if (byOwner.size === 0) return new Set();
    const { link, erasures } = this.#ports;
    const $or = [...byOwner].map(([owner, ids]) => ({ owner, id: { $in: ids }, ...erasures.beyond(owner) }));
    const found = link.collection<EntryRecord>(COLLECTION.log).find({ $or }, link.bounds);
    const records = await found.project<Pick<EntryRecord, "owner" | "id">>({ _id: 0, owner: 1, id: 1 }).toArray();
    return new Set(records.map(entryPlace));
  }

  #plan(units: readonly Unit[], known: Known): Plan {
    const versions = new Versions(units, known.versions);
    const changes = new CursorChanges(this.#cursors, known);
    const layers = new Layers();
    const conflicts: number[] = [];
    units.forEach((unit, number) => {
      if (!versions.admits(unit)) conflicts.push(number);
      else
        layers.add(
          number,
          unit.writes.flatMap((write) => this.#steps(write, number, changes, known)),
        );
    });
    for (const { step, units: moved } of changes.last()) layers.addLast(step, moved);
    return { layers, conflicts, erased: changes.erasedOwners };
  }

  #steps(write: Write, unit: number, changes: CursorChanges, { late }: Known): readonly Step[] {
    switch (write.op) {
      case "put":
        return [putStep(write, this.#ports.declared.fieldsOf(write.store))];
      case "remove":
        return [removeStep(write)];
      case "append":
        if (changes.isPresent(write)) return [];
        return [
          ...(late.has(write) ? this.#makeRoom(write, changes) : []),
          ...changes.append(write),
          appendStep(this.#ports.numbers.next(), write),
        ];
      case "settle":
        return changes.settle(write, unit);
      case "revise":
        return [reviseStep(write)];
      case "erase":
        changes.erase(write.owner, this.#ports.numbers.last);
        return eraseSteps(write.owner, this.#ports.numbers.last);
    }
  }

  #makeRoom(append: Append, changes: CursorChanges): readonly Step[] {
    const upTo = changes.erasedUpTo(append.owner) ?? this.#ports.erasures.upTo(append.owner);
    return upTo === undefined ? [] : [makeRoomStep(append, upTo)];
  }

  #sender(fates: Fates): Sender {
    const { link, lease, report } = this.#ports;
    return new Sender(
      {
        send: (command) => (lease.isHeld ? link.send(command) : Promise.resolve(lease.refusal)),
        report,
        collided: () => (this.#collided = true),
      },
      fates,
    );
  }

  #conclude(units: readonly Unit[], outcomes: readonly Outcome[], erased: ReadonlyMap<string, number>): void {
    const { erasures } = this.#ports;
    units.forEach(({ writes }, at) => {
      if (outcomes[at] !== "done" && outcomes[at] !== "unknown") return;
      for (const write of writes) if (write.op === "append") this.#ports.numbers.written(write.id);
      if (outcomes[at] === "unknown") return;
      for (const { op, owner } of writes) if (op === "erase") erasures.marked(owner, erased.get(owner) ?? 0);
    });
    if (!outcomes.some((outcome) => outcome === "refused" || outcome === "unknown")) return;
    this.#cursors.forget();
    if (erased.size > 0) erasures.doubt();
  }
}

/** Appends whose id is not above all before them: sent again, or brought from another store. */
function lateAppends(writes: readonly Write[], highest: number): readonly Append[] {
  const late: Append[] = [];
  let top = highest;
  for (const write of writes) {
    if (write.op !== "append") continue;
    if (write.id <= top) late.push(write);
    else top = write.id;
  }
  return late;
}
