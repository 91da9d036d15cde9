// The stores that the contract suite writes to.
import type { StoreSpec } from "../port.js";

export const CONTRACT_STORES: readonly StoreSpec[] = [
  { name: "notes" },
  { name: "tokens", lookups: ["user", "tags"] },
  { name: "rooms" },
];
