// Whose nick is it? Nicks are compared as RFC 8266 says (small letters, compatibility forms, single spaces): who is in the room and who has
// registered keep others from theirs, and from what looks the same but for that ("Nickname Conflict", "Registering with a Room").
import type { JID } from "../stanza/jid.js";
import { nicknameKey, PrecisError } from "../stanza/precis.js";
import type { Affiliate, Occupant, RoomState } from "./state.js";

/** What a nick is compared by. It is a resource already: should the profile refuse it, it is compared as it is. */
export function keyOf(nick: string): string {
  try {
    return nicknameKey(nick);
  } catch (error) {
    if (error instanceof PrecisError) return nick;
    throw error;
  }
}

/** The nick that is registered for an account. */
export function nickOf({ affiliations }: RoomState, account: JID): string | undefined {
  return affiliations.get(account.toString())?.nick;
}

/** The bare JID of the account for which a nick is registered. */
export function ownerOf({ affiliations }: RoomState, nick: string): string | undefined {
  return registeredKeys(affiliations).get(keyOf(nick));
}

/** Somebody else is there under this nick, or has registered it. */
export function isTaken({ occupants, affiliations }: RoomState, nick: string, account: JID): boolean {
  const key = keyOf(nick);
  const present = presentKeys(occupants).get(key);
  const owner = registeredKeys(affiliations).get(key);
  const own = account.toString();
  return (present !== undefined && present !== own) || (owner !== undefined && owner !== own);
}

const present = new WeakMap<ReadonlyMap<string, Occupant>, ReadonlyMap<string, string>>();
const registered = new WeakMap<ReadonlyMap<string, Affiliate>, ReadonlyMap<string, string>>();

/** The accounts of those who are in, by the keys of their nicks. */
function presentKeys(occupants: RoomState["occupants"]): ReadonlyMap<string, string> {
  const known = present.get(occupants);
  if (known) return known;
  const made = new Map<string, string>();
  for (const occupant of occupants.values()) made.set(keyOfOccupant(occupant), occupant.account.toString());
  present.set(occupants, made);
  return made;
}

const keys = new WeakMap<Occupant, string>();

function keyOfOccupant(occupant: Occupant): string {
  const known = keys.get(occupant) ?? keyOf(occupant.nick);
  keys.set(occupant, known);
  return known;
}

/** The same of those who have registered one. */
function registeredKeys(affiliations: RoomState["affiliations"]): ReadonlyMap<string, string> {
  const known = registered.get(affiliations);
  if (known) return known;
  const made = new Map<string, string>();
  for (const [account, { nick }] of affiliations) if (nick !== undefined) made.set(keyOf(nick), account);
  registered.set(affiliations, made);
  return made;
}
