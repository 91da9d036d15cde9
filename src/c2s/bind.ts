// RFC 6120 §7: the resource a client asks for, or one of ours, bound to its stream.
import type { Session, Sink } from "../core/session.js";
import { StanzaError } from "../stanza/errors.js";
import { type JID, JidError } from "../stanza/jid.js";
import type { Element } from "../xml/element.js";
import { randomText } from "../core/random.js";
import type { C2SPorts } from "./ports.js";

/** Binds what the `<bind/>` asks for. `bad-request` for a resource that is none (§7.7.2.1). */
export async function bindResource(
  bind: Element,
  user: JID,
  ports: Pick<C2SPorts, "sessions" | "random">,
  sink: Sink,
): Promise<Session | StanzaError> {
  const wanted = bind.getChildText("resource") ?? "";
  const jid = fullJid(user, wanted === "" ? randomText(ports.random, 96) : wanted);
  return jid ? ports.sessions.bind(jid, sink) : new StanzaError("bad-request", "modify", "this is not a resource");
}

function fullJid(user: JID, resource: string): JID | undefined {
  try {
    return user.withResource(resource);
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}
