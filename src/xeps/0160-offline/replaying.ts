// After a crash (rulings 3): a client that has come back to its session is sent what the log has and it may not have had: all that came
// after its last acknowledgement on record, and what still waits. Some of it comes twice, with the same stanza-id.
import type { Context } from "../../core/context.js";
import type { Missed } from "../../core/feature.js";
import type { Session } from "../../core/session.js";
import { StreamError } from "../../stanza/errors.js";
import type { Stanza } from "../../stanza/stanza.js";
import type { LogRange, LogRow } from "../../storage/port.js";
import { PAGE, sendStored } from "./reading.js";

/** Sends it ahead of the live stanzas, which wait. A session that cannot be given all of it ends: its client begins anew. */
export async function replay(context: Context, session: Session, missed: Missed): Promise<void> {
  const before = session.readUpTo + 1;
  try {
    await send(context, session, missed, { before: Math.min(before, missed.after + 1), pending: true });
    await send(context, session, missed, { before, after: missed.after });
  } catch (error) {
    context.log.warn({ ev: "sm.replay_failed", jid: session.jid, err: error });
    session.expel(new StreamError("internal-server-error"));
  }
}

async function send(context: Context, session: Session, { held }: Missed, range: LogRange): Promise<void> {
  const owner = session.jid.bare.toString();
  for (let after: number | undefined = range.after ?? -1; after !== undefined;) {
    const rows: readonly LogRow[] = await context.storage.log(owner, { ...range, after, limit: PAGE });
    const there = rows.filter(({ id, stanza }) => stanza !== "" && !held.has(id));
    if (!(await sendStored(context, session, there, (row, stanza) => isFor(session, row, stanza)))) return;
    after = rows.length < PAGE ? undefined : rows.at(-1)?.id;
  }
}

/** The session would have been given it when it came (RFC 6121 §8.5), or it waits for a resource that is no longer there. */
function isFor({ jid, account, isNonNegative }: Session, { pending }: LogRow, { to }: Stanza): boolean {
  if (!to?.bare.equals(jid.bare)) return false; // sent, not received
  if (to.equals(jid)) return true;
  return isNonNegative && (to.isBare || (pending && !account.sessions.has(to.resource)));
}
