// The X.509 library, loaded when a certificate is made or read. It keeps its parts in a container that asks for the metadata
// functions of the decorators proposal on Reflect; the few that it calls are provided here before it is loaded.

import type * as X509 from "@peculiar/x509";

/** The library. Loaded once. */
export async function loadX509(): Promise<typeof X509> {
  provideMetadata();
  return import("@peculiar/x509");
}

type Target = object;
type Values = Map<unknown, unknown>;

/** Adds `defineMetadata`, `getMetadata`, `getOwnMetadata` and `metadata` to Reflect unless someone has done so. */
function provideMetadata(): void {
  if ("getMetadata" in Reflect) return;
  const store = new WeakMap<Target, Map<unknown, Values>>();
  const own = (key: unknown, target: Target, property?: unknown): unknown => store.get(target)?.get(property)?.get(key);
  const inherited = (key: unknown, target: Target | null, property?: unknown): unknown =>
    target === null
      ? undefined
      : (own(key, target, property) ?? inherited(key, Reflect.getPrototypeOf(target), property));
  const define = (key: unknown, value: unknown, target: Target, property?: unknown): void => {
    const properties = store.get(target) ?? new Map<unknown, Values>();
    const values = properties.get(property) ?? new Map<unknown, unknown>();
    store.set(target, properties.set(property, values.set(key, value)));
  };
  Object.assign(Reflect, {
    defineMetadata: define,
    getMetadata: inherited,
    getOwnMetadata: own,
    metadata: (key: unknown, value: unknown) => (target: Target, property?: unknown) =>
      define(key, value, target, property),
  });
}
