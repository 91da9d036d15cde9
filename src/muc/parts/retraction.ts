// XEP-0424 in rooms: whoever said something may take it back, whatever their nick is by now. The room then has nothing of it any more; that it
// was there, and that it was retracted, stays in the archive.
import { idFromText } from "../../core/ids.js";
import type { Child } from "../../stanza/build.js";
import { timestamp } from "../../stanza/delay.js";
import { StanzaError } from "../../stanza/errors.js";
import type { Stanza } from "../../stanza/stanza.js";
import { xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { retractedBy, tombstoneOf } from "../../xeps/0313-mam/api.js";
import { originIdOf } from "../../xeps/0359-stable-ids.api.js";
import { type Cited, signatureOf } from "../archived.js";
import type { Part } from "../part.js";
import { forgetting, type Occupant, type Past } from "../state.js";
import type { Turn } from "../turn.js";
import { isLogged } from "./logging.js";

export const retraction: Part = {
  name: "retraction",
  features: ({ config }) => (isLogged.of(config) ? [NS.retraction, `${NS.retraction}#tombstone`] : []),
  cites: (stanza) => (stanza.type === "groupchat" ? idFromText(retractedBy(stanza) ?? "") : undefined),
  speak: ({ stanza, cited }, { account }) => {
    if (!cited || retractedBy(stanza) === undefined || cited.author?.equals(account)) return undefined;
    return new StanzaError("forbidden", "auth", "only whoever said it may retract it");
  },
  heard: (turn, said, speaker) => {
    const target = retractedBy(said);
    if (target === undefined) return;
    const by = said.id ?? originIdOf(said) ?? "";
    if (!turn.cited) turn.change(forgetting(turn.state, (past) => isMeant(past, speaker, target)));
    else if (!isRetracted(turn.cited))
      bury(turn, turn.cited, xml("retracted", { xmlns: NS.retraction, id: by, stamp: now(turn) }));
  },
};

/** It is a tombstone: that a moderator has set it is not for its author to undo. */
export function isRetracted({ stanza }: Cited): boolean {
  return stanza.has("retracted", NS.retraction);
}

/** What the room has of a message goes, from the history as well; `children` take its place in the archive. */
export function bury(turn: Turn, { id, stanza }: Cited, ...children: readonly Child[]): void {
  const left = tombstoneOf(stanza, signatureOf(stanza), ...children);
  turn.change(
    forgetting(turn.state, (past) => past.entry?.id === id),
    { op: "revise", owner: turn.jid.toString(), id, stanza: left },
  );
}

/** The time of the turn, for tombstones. */
export function now({ context }: Turn): string {
  return timestamp(context.clock.now());
}

/** Where nothing is archived, messages have no ids but their senders' ("Using the correct ID"). */
function isMeant({ message, author }: Past, speaker: Occupant, target: string): boolean {
  return author?.equals(speaker.account) === true && hasId(message, target);
}

function hasId(message: Stanza, id: string): boolean {
  return message.id === id || originIdOf(message) === id;
}
