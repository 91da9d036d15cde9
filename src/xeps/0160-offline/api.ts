// What the archive and the offline messages, two views of one log, need to know of each other.
import type { Account } from "../../core/account.js";
import type { Receipt } from "../../core/copies.js";
import type { Flow } from "../../core/flow.js";
import type { Session } from "../../core/session.js";
import { Slot } from "../../core/slot.js";
import type { LogRow } from "../../storage/port.js";

/** The stanza is for one resource only, which settles no entry (rulings 2): one of negative priority. */
export function settlesNothing({ stanza, verdict }: Flow, account: Account): boolean {
  return verdict?.kind === "resource" && account.sessions.get(stanza.to?.resource ?? "")?.isNegative === true;
}

/** A pending entry that a session was sent from its archive. */
interface Shown {
  /** Its client has it. */
  hasArrived: boolean;
  /** What that means, once the session is one that messages are for. */
  settle: (() => void) | undefined;
}

const MAX_SHOWN = 10_000; // of one session, some hundred bytes each; what is beyond comes twice

const shown = new Slot<Map<number, Shown>>(() => new Map());

/**
 * Rulings 2, XEP-0313 "User Archives": what a client has been sent from its archive before its presence is not sent to it again then. A
 * query by itself settles nothing: the entry stays pending until the client has acknowledged it and is one that messages are for.
 */
export function noteShown(session: Session, { owner, id, pending }: LogRow): Receipt | undefined {
  const seen = shown.get(session);
  if (!pending || session.isAvailable || seen.size >= MAX_SHOWN) return undefined;
  const one: Shown = { hasArrived: false, settle: undefined };
  seen.set(id, one);
  const arrived = (): void => {
    one.hasArrived = true;
    one.settle?.();
  };
  return { entry: { owner, id: 0 }, arrived, parked: () => undefined, lost: () => undefined };
}

/** Whether the session was sent the entry from its archive. If so, `settle` is called when its client has it. */
export function wasShown(session: Session, { id }: LogRow, settle: () => void): boolean {
  const seen = shown.get(session);
  const one = seen.get(id);
  if (!one) return false;
  seen.delete(id);
  one.settle = settle;
  if (one.hasArrived) settle();
  return true;
}
