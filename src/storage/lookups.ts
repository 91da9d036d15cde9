// Declared stores and their look-up fields: which values of a document can be found, the same for every driver.
import type { StoreSpec } from "./port.js";
import type { Doc } from "./writes.js";

/** The stores a driver was opened with. Asking for anything undeclared is a bug of the caller and throws. */
export class DeclaredStores {
  readonly #fields: ReadonlyMap<string, readonly string[]>;

  constructor(stores: readonly StoreSpec[]) {
    this.#fields = new Map(stores.map((store) => [store.name, store.lookups ?? []]));
    if (this.#fields.size < stores.length) throw new Error("a store is declared twice");
  }

  /** The look-up fields of a store. */
  fieldsOf(store: string): readonly string[] {
    const fields = this.#fields.get(store);
    if (!fields) throw new Error(`store "${store}" is not declared`);
    return fields;
  }

  checkField(store: string, field: string): void {
    if (!this.fieldsOf(store).includes(field)) throw new Error(`store "${store}" declares no look-up "${field}"`);
  }
}

/** The distinct values under which a document is found by one of its fields. */
export function valuesOf(doc: Doc, field: string): readonly string[] {
  const value = doc[field];
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? [...new Set(value.filter((item) => typeof item === "string"))] : [];
}
