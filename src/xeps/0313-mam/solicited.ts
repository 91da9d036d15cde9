// XEP-0313 "Sender Impersonation", ruling 22: what looks like a result of a query reaches a session only from an address that it has
// sent such a query to, until the answer to that has come. Results from the own archive do not come this way.
import type { Account } from "../../core/account.js";
import type { Flow } from "../../core/flow.js";
import type { Session } from "../../core/session.js";
import { Slot } from "../../core/slot.js";
import { StanzaError } from "../../stanza/errors.js";
import type { JID } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import { NS } from "../../xml/namespaces.js";

interface Asked {
  readonly to: JID;
  readonly id: string | undefined;
  readonly queryId: string | undefined;
}

const MAX_ASKED = 64; // queries without an answer, of one session; the oldest is given up

const asked = new Slot<Asked[]>(() => []);

/** On what a session sends: a query to somebody else's archive is remembered. */
export function noteQuery({ session, stanza }: Flow): void {
  const { to } = stanza;
  if (!session || !to || stanza.type !== "set" || to.equals(session.jid.bare)) return;
  const query = stanza.child("query", NS.mam);
  if (!query) return;
  const list = asked.get(session);
  list.push({ to, id: stanza.id, queryId: textOf(query.attrs["queryid"]) });
  if (list.length > MAX_ASKED) list.shift();
}

/** On what an account receives: the answer ends the query. */
export function noteAnswer({ stanza }: Flow, account: Account): void {
  const session = recipient(stanza, account);
  if (!session || (stanza.type !== "result" && stanza.type !== "error")) return;
  const list = asked.get(session);
  const at = list.findIndex(({ to, id }) => id === stanza.id && stanza.from?.equals(to));
  if (at >= 0) list.splice(at, 1);
}

/** A result that nobody asked for is refused. */
export function refuseUnsolicited({ stanza }: Flow, account: Account): StanzaError | undefined {
  if (!stanza.has("result", NS.mam)) return undefined;
  const session = recipient(stanza, account);
  const list = session ? asked.get(session) : [];
  return resultsIn(stanza).every((queryId) => isAwaited(list, stanza.from, queryId))
    ? undefined
    : new StanzaError("policy-violation", "modify", "a result of an archive that was not asked for");
}

/** The queryid of each. */
function resultsIn(stanza: Stanza): (string | undefined)[] {
  return stanza.children
    .filter(({ name, ns }) => name === "result" && ns === NS.mam)
    .map((span) => textOf(stanza.elementOf(span).attrs["queryid"]));
}

function isAwaited(list: readonly Asked[], from: JID | undefined, queryId: string | undefined): boolean {
  return list.some((query) => query.queryId === queryId && from?.equals(query.to));
}

function recipient({ to }: Stanza, account: Account): Session | undefined {
  return to && account.sessions.get(to.resource);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
