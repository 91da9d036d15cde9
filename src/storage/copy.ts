// Copies everything from one store into another, of whatever driver (`rookery migrate`), and counts on both sides. A copy that was
// interrupted can be begun again: every write may be repeated, and until the end a mark keeps a server from starting on half of it.
import { type LogRow, placeOf, type Row, type Storage, StoreFault, type StoreSpec } from "./port.js";
import type { Unit } from "./writes.js";

/** What was copied. */
export interface Copied {
  documents: number;
  logs: number;
  entries: number;
}

/** Where the mark of an unfinished copy lies. */
const MARK = { store: "server", owner: "", key: "unfinished copy" } as const;
const PAGE = 500; // rows read and written at once: 128 MiB with the largest stanzas

/** A copy has begun in this store and has not come to its end: no server may work on it. */
export async function isUnfinished(storage: Pick<Storage, "get">): Promise<boolean> {
  return (await storage.get(MARK.store, MARK.owner, MARK.key)) !== undefined;
}

/** The fault with which a server refuses such a store. */
export function unfinishedFault(): StoreFault {
  return new StoreFault("failed", "the store holds half of a copy", "run `rookery migrate` again, to its end");
}

/**
 * Copies all documents of these stores and all logs. Rejects with a StoreFault when the target holds anything of its own, takes a
 * write not, or holds something else than the source in the end; the source is only read.
 */
export async function copyStore(from: Storage, to: Storage, stores: readonly StoreSpec[]): Promise<Copied> {
  if (await isUnfinished(from)) throw unfinishedFault();
  if (!(await isUnfinished(to)) && !(await isEmpty(to, stores)))
    throw new StoreFault("failed", "the target is not empty", "name a new file or database with --to");
  await write(to, [{ writes: [{ op: "put", ...MARK, doc: { v: 1 } }] }]);
  const copied: Copied = { documents: 0, logs: 0, entries: 0 };
  for (const { name } of stores) copied.documents += await copyDocuments(from, to, name);
  for await (const owner of ownersOf(from)) {
    copied.logs++;
    copied.entries += await copyLog(from, to, owner);
  }
  await compare(from, to, stores, copied);
  await write(to, [{ writes: [{ op: "remove", ...MARK }] }]);
  return copied;
}

async function isEmpty(storage: Storage, stores: readonly StoreSpec[]): Promise<boolean> {
  for (const { name } of stores) if ((await storage.list(name, { limit: 1 })).length > 0) return false;
  return (await storage.logOwners({ limit: 1 })).length === 0;
}

async function copyDocuments(from: Storage, to: Storage, store: string): Promise<number> {
  let documents = 0;
  for await (const rows of pagesOf(from, store)) {
    await write(
      to,
      rows.map(({ owner, key, doc }) => ({ writes: [{ op: "put", store, owner, key, doc }] })),
    );
    documents += rows.length;
  }
  return documents;
}

async function copyLog(from: Storage, to: Storage, owner: string): Promise<number> {
  let entries = 0;
  for (let after = -1; ;) {
    const rows = await from.log(owner, { after, limit: PAGE });
    await write(to, rows.map(appendOf));
    entries += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return entries;
    after = last.id;
  }
}

function appendOf({ owner, id, ...entry }: LogRow): Unit {
  return { writes: [{ op: "append", owner, id, entry }] };
}

/** Counts the target: what it has more or less than was copied came from elsewhere, or was lost. */
async function compare(from: Storage, to: Storage, stores: readonly StoreSpec[], copied: Copied): Promise<void> {
  const found: Copied = { documents: 0, logs: 0, entries: 0 };
  for (const { name } of stores) for await (const rows of pagesOf(to, name)) found.documents += rows.length;
  for await (const owner of ownersOf(to)) {
    found.logs++;
    found.entries += await to.countLog(owner, {});
    const undelivered = { pending: true } as const;
    if ((await to.countLog(owner, undelivered)) !== (await from.countLog(owner, undelivered)))
      throw differs(`the undelivered messages of ${owner}`);
  }
  for (const what of ["documents", "logs", "entries"] as const)
    if (found[what] !== copied[what]) throw differs(`${found[what]} ${what}, not ${copied[what]}`);
}

function differs(what: string): StoreFault {
  return new StoreFault("failed", `the copy differs from its source (${what})`, "run it again with an empty target");
}

/** The rows of a store page by page, but for the mark. */
async function* pagesOf(storage: Storage, store: string): AsyncGenerator<readonly Row[]> {
  let after: string | undefined;
  for (;;) {
    const rows = await storage.list(store, after === undefined ? { limit: PAGE } : { after, limit: PAGE });
    yield rows.filter((row) => !(store === MARK.store && row.owner === MARK.owner && row.key === MARK.key));
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = placeOf(last);
  }
}

async function* ownersOf(storage: Storage): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const owners = await storage.logOwners(after === undefined ? { limit: PAGE } : { after, limit: PAGE });
    yield* owners;
    after = owners.at(-1);
    if (owners.length < PAGE || after === undefined) return;
  }
}

async function write(to: Storage, units: readonly Unit[]): Promise<void> {
  if (units.length === 0) return;
  const outcomes = await to.commit(units);
  if (outcomes.some((outcome) => outcome !== "done"))
    throw new StoreFault(
      "failed",
      "the target did not take a write",
      "see to its disk or server, and run the copy again",
    );
}
