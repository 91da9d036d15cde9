// RFC 6121 §4.6: whom a session has sent presence to directly, so that they are told when it goes.
import type { Session } from "../core/session.js";
import { Slot } from "../core/slot.js";
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";

/** Addresses that think the session available, by their text. */
const told = new Slot(() => new Map<string, JID>());

/** All addresses that the session has sent presence to, and that think it available. */
export function directedTo(session: Session): readonly JID[] {
  return [...told.get(session).values()];
}

export class Directed {
  readonly #limit: number;

  /** `limit`: addresses per session (`limits.directed_presence`). */
  constructor(limit: number) {
    this.#limit = limit;
  }

  available(session: Session, to: JID): StanzaError | undefined {
    const addresses = told.get(session);
    const key = to.toString();
    if (!addresses.has(key) && addresses.size >= this.#limit)
      return new StanzaError("policy-violation", "modify", "presence sent directly to too many addresses");
    addresses.set(key, to);
    return undefined;
  }

  unavailable(session: Session, to: JID): undefined {
    told.get(session).delete(to.toString());
  }

  /** The address, or the bare one it belongs to, thinks the session available. */
  reaches(session: Session, to: JID): boolean {
    const addresses = told.get(session);
    return addresses.has(to.toString()) || addresses.has(to.bare.toString());
  }

  restore(session: Session, addresses: readonly JID[]): void {
    told.set(session, new Map(addresses.map((to) => [to.toString(), to])));
  }

  /** All addresses, which are forgotten. */
  forget(session: Session): readonly JID[] {
    const addresses = directedTo(session);
    told.set(session, new Map());
    return addresses;
  }
}
