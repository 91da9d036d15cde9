// The X.509 library, loaded only when a certificate is made or read. It keeps its parts in a container that needs the metadata
// functions of reflect-metadata to be there first.
import type * as X509 from "@peculiar/x509";

/** The library. Loaded once. */
export async function loadX509(): Promise<typeof X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
