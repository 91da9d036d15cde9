// Makes a database ready at start: whose it is and how new is looked at first, without touching it; then, under the lease, it is migrated
// and gets its indexes. Every step may be repeated.
import { DeclaredStores } from "../lookups.js";
import type { StoreSpec } from "../port.js";
import type { Doc } from "../writes.js";
import { findsOf } from "./documents.js";
import { readFact, writeFact } from "./facts.js";
import { foreignFault, newerFault } from "./faults.js";
import type { Link } from "./link.js";
import { COLLECTION, type DocumentRecord, INDEXES, MIGRATIONS, SCHEMA_VERSION } from "./schema.js";

const PROGRAM = "rookery";
/** Documents indexed anew at a time. */
const SLICE = 500;

/** Rejects with a StoreFault if the database is not ours or newer than this program; nothing is written. */
export async function inspect(link: Link): Promise<void> {
  const schema = await readFact(link, "schema");
  if (schema?.program === PROGRAM) {
    if (schema.version > SCHEMA_VERSION) throw newerFault(link.place, schema.version, SCHEMA_VERSION);
    return;
  }
  if (schema) throw foreignFault(link.place, COLLECTION.facts);
  for (const name of [COLLECTION.documents, COLLECTION.log, COLLECTION.cursors, COLLECTION.erased])
    if (await link.collection(name).findOne({}, link.bounds)) throw foreignFault(link.place, name);
}

/** Lifts the data to the newest schema, and makes the indexes and look-ups that are declared. */
export async function prepare(link: Link, stores: readonly StoreSpec[]): Promise<void> {
  const found = (await readFact(link, "schema"))?.version ?? 0;
  for (const [at, migrate] of MIGRATIONS.entries()) {
    if (at < found) continue;
    await migrate(link);
    await writeFact(link, { _id: "schema", program: PROGRAM, version: at + 1 });
  }
  for (const [collection, indexes] of Object.entries(INDEXES))
    await link.collection(collection).createIndexes([...indexes]); // those that are there are left alone
  await declare(link, stores);
}

/** Indexes anew the documents of stores whose look-ups have changed. */
async function declare(link: Link, stores: readonly StoreSpec[]): Promise<void> {
  const declared = new DeclaredStores(stores);
  const fact = await readFact(link, "lookups");
  const known = new Map(fact?.stores.map(({ name, fields }) => [name, fields]));
  const wanted = stores.map(({ name }) => ({ name, fields: [...declared.fieldsOf(name)].sort() }));
  const changed = wanted.filter(({ name, fields }) => JSON.stringify(known.get(name) ?? []) !== JSON.stringify(fields));
  for (const { name, fields } of changed) await reindex(link, name, fields);
  for (const { name, fields } of wanted) known.set(name, fields);
  const all = [...known].map(([name, fields]) => ({ name, fields }));
  if (!fact || changed.length > 0) await writeFact(link, { _id: "lookups", stores: all });
}

async function reindex(link: Link, store: string, fields: readonly string[]): Promise<void> {
  const documents = link.collection<DocumentRecord>(COLLECTION.documents);
  for (let after = `${store}\0`; ;) {
    const range = documents.find({ _id: { $gt: after, $lt: `${store}\x01` } }, link.bounds).sort({ _id: 1 });
    const some = await range.limit(SLICE).toArray();
    const last = some.at(-1);
    if (!last) return;
    const changes = some.map(({ _id, doc }) => {
      const finds = findsOf(store, JSON.parse(doc) as Doc, fields);
      const update = finds.length > 0 ? { $set: { finds } } : { $unset: { finds: "" as const } };
      return { updateOne: { filter: { _id }, update } };
    });
    await documents.bulkWrite(changes, { ordered: false });
    after = last._id;
  }
}
