// The full lists of owners and admins in the form of the configuration (muc#roomconfig_roomowners, muc#roomconfig_roomadmins; XEP-0045
// "Creating a Reserved Room", "Subsequent Room Configuration"). What the form does not name stays as it is.
import { type Field, type Submission, unacceptable } from "../../stanza/forms.js";
import { JID, JidError } from "../../stanza/jid.js";
import type { AffiliationChange } from "../affiliating.js";
import type { Affiliation } from "../privileges.js";
import { listed, type RoomState } from "../state.js";

const OWNERS = "muc#roomconfig_roomowners";
const ADMINS = "muc#roomconfig_roomadmins";

export function peopleFields(state: RoomState): readonly Field[] {
  return [
    { var: ADMINS, type: "jid-multi", label: "Admins", values: listed(state, "admin") },
    { var: OWNERS, type: "jid-multi", label: "Owners", values: listed(state, "owner") },
  ];
}

/** What the filled-in lists change. Throws StanzaError `not-acceptable` for what is no address. */
export function peopleChanges(state: RoomState, form: Submission): readonly AffiliationChange[] {
  const owners = filled(form, OWNERS) ?? new Set(listed(state, "owner"));
  const admins = filled(form, ADMINS) ?? new Set([...listed(state, "admin"), ...listed(state, "owner")]);
  const next = (jid: string): Affiliation => (owners.has(jid) ? "owner" : admins.has(jid) ? "admin" : "member");
  const concerned = new Set([...owners, ...admins, ...listed(state, "owner"), ...listed(state, "admin")]);
  return [...concerned]
    .filter((jid) => next(jid) !== state.affiliations.get(jid)?.affiliation)
    .map((jid) => ({ account: JID.parse(jid), affiliation: next(jid) }));
}

/** Bare JIDs; undefined if the field was not filled in. */
function filled(form: Submission, name: string): ReadonlySet<string> | undefined {
  if (!form.names.includes(name)) return undefined;
  return new Set(
    form
      .all(name)
      .filter((value) => value !== "")
      .map((value) => bareIn(name, value)),
  );
}

function bareIn(name: string, value: string): string {
  try {
    return JID.parse(value).bare.toString();
  } catch (error) {
    if (error instanceof JidError) throw unacceptable(name, "has something that is no address");
    throw error;
  }
}
