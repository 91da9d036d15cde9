// XEP-0413 "Order-By": in which order a list is wanted. Shared by the protocols that have lists in an order of time.
import { StanzaError } from "../stanza/errors.js";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

export interface Order {
  readonly by: "creation" | "modification";
  readonly descending: boolean;
}

const MAX_LEVELS = 8; // there are two orders, each with two directions

/** The feature to announce beside the general one for a protocol in which the order can be chosen ("Discovering Support"). */
export function orderByFeature(protocol: string): string {
  return `${NS.orderBy}@${protocol}`;
}

/**
 * The wanted orders, the main one first; none when the request does not say. Throws StanzaError: `feature-not-implemented` for an
 * order nobody here knows, `bad-request` for a malformed one.
 */
export function ordersOf(request: Element): readonly Order[] {
  const orders = request.getChildren("order", NS.orderBy);
  if (orders.length > MAX_LEVELS) throw new StanzaError("bad-request", "modify", "too many orders");
  return orders.map(({ attrs }) => ({ by: fieldOf(attrs["by"]), descending: isTrue(attrs["desc"]) }));
}

function fieldOf(by: unknown): Order["by"] {
  if (by === "creation" || by === "modification") return by;
  if (typeof by !== "string") throw new StanzaError("bad-request", "modify", "an order by nothing");
  throw new StanzaError("feature-not-implemented", "cancel", "an unknown order");
}

function isTrue(desc: unknown): boolean {
  if (desc === undefined || desc === "false" || desc === "0") return false;
  if (desc === "true" || desc === "1") return true;
  throw new StanzaError("bad-request", "modify", "desc is neither true nor false");
}
