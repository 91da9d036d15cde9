// XEP-0425: a moderator has the room retract what somebody said. The room has nothing of it any more, keeps that it was there, and tells
// everybody. With the namespaces of versions 0.2 (`urn:xmpp:message-moderate:0`, in XEP-0422) and 0.3.
import type { Answer } from "../../core/feature.js";
import { idFromText, idToText } from "../../core/ids.js";
import { message } from "../../stanza/build.js";
import { StanzaError } from "../../stanza/errors.js";
import type { Stanza } from "../../stanza/stanza.js";
import { attributeIn } from "../../xml/attribute.js";
import { type Element, xml } from "../../xml/element.js";
import type { Span } from "../../xml/fragment.js";
import { NS } from "../../xml/namespaces.js";
import { tellAll } from "../messages.js";
import type { Part } from "../part.js";
import { occupantIdElement } from "./occupant-id.js";
import { denyModeration } from "../privileges.js";
import type { Turn } from "../turn.js";
import { isLogged } from "./logging.js";
import { bury, isRetracted, now } from "./retraction.js";

export const messageModeration: Part = {
  name: "message-moderation",
  features: ({ config }) => (isLogged.of(config) ? [NS.moderation, NS.moderation0] : []),
  cites,
  pass: (_, said) => withoutForgeries(said),
  iq: {
    "set urn:xmpp:message-moderate:1 moderate": (turn, moderate) =>
      moderated(turn, moderate.getChild("retract", NS.retraction) && moderate),
    "set urn:xmpp:fasten:0 apply-to": (turn, applied) => {
      const moderate = applied.getChild("moderate", NS.moderation0);
      return moderated(turn, moderate?.getChild("retract", NS.retraction0) && moderate);
    },
  },
};

/** The message that a request is about; in both versions the outermost element names it. */
function cites(stanza: Stanza): number | undefined {
  const [child] = stanza.children;
  if (stanza.type !== "set" || !child) return undefined;
  const isRequest = isElement(child, "moderate", NS.moderation) || isElement(child, "apply-to", NS.fasten);
  return isRequest ? idFromText(attributeIn(stanza.raw(child), "id") ?? "") : undefined;
}

/** `moderate`: undefined if what it asks for is nothing that is known here. */
function moderated(turn: Turn, moderate: Element | undefined): Answer {
  const { cited, occupant, state } = turn;
  if (!isLogged.of(state.config)) return new StanzaError("service-unavailable");
  if (!occupant || denyModeration(occupant)) return FORBIDDEN;
  if (!moderate) return new StanzaError("feature-not-implemented");
  // What the room itself has said is no message of anybody, and what has been retracted is not there any more.
  if (cited?.stanza.from?.isBare !== false || isRetracted(cited)) return new StanzaError("item-not-found");
  const reason = moderate.getChildText("reason") ?? "";
  const by = { jid: occupant.jid.toString(), id: occupantIdElement(state, occupant) };
  const moderation = new Moderation(idToText(cited.id), by, reason);
  bury(turn, cited, ...moderation.tombstone(now(turn)));
  tellAll(turn, moderation.announcement(turn));
  return [];
}

const FORBIDDEN = new StanzaError("forbidden", "auth", "only moderators may moderate messages");

/** The occupant JID, and the `<occupant-id/>`. */
interface Moderator {
  readonly jid: string;
  readonly id: Element;
}

/** What a moderator has decided, in both namespaces. */
class Moderation {
  readonly #target: string;
  readonly #by: Moderator;
  readonly #reason: readonly Element[];

  /** `target`: the message's id in the archive. */
  constructor(target: string, by: Moderator, reason: string) {
    this.#target = target;
    this.#by = by;
    this.#reason = reason === "" ? [] : [xml("reason", {}, reason)];
  }

  get id(): string {
    return `moderation-${this.#target}`;
  }

  announcement({ jid }: Turn): Stanza {
    const moderated0 = this.#moderated(NS.moderation0, xml("retract", { xmlns: NS.retraction0 }), ...this.#reason);
    return message(
      { from: jid, type: "groupchat", id: this.id },
      xml("retract", { xmlns: NS.retraction, id: this.#target }, this.#moderated(NS.moderation), ...this.#reason),
      xml("apply-to", { xmlns: NS.fasten, id: this.#target }, moderated0),
    );
  }

  tombstone(stamp: string): readonly Element[] {
    const retracted0 = xml("retracted", { xmlns: NS.retraction0, stamp });
    const about = [this.#moderated(NS.moderation), ...this.#reason];
    return [
      xml("retracted", { xmlns: NS.retraction, id: this.id, stamp }, ...about),
      this.#moderated(NS.moderation0, retracted0, ...this.#reason),
    ];
  }

  #moderated(xmlns: string, ...children: readonly Element[]): Element {
    const { jid: by, id } = this.#by;
    return xml("moderated", { xmlns, by }, ...(xmlns === NS.moderation ? [id] : []), ...children);
  }
}

/** Only the room says that something has been moderated, or is a tombstone. */
function withoutForgeries(said: Stanza): Stanza {
  const forged = said.children.filter((span) => isForged(said, span));
  return forged.length === 0 ? said : said.without(...forged);
}

const ROOMS_WORDS: ReadonlySet<string> = new Set([NS.moderation, NS.moderation0]);

function isForged(said: Stanza, span: Span): boolean {
  if (ROOMS_WORDS.has(span.ns) || isElement(span, "retracted", NS.retraction)) return true;
  const isWrapper = isElement(span, "retract", NS.retraction) || isElement(span, "apply-to", NS.fasten);
  return (
    isWrapper &&
    said
      .elementOf(span)
      .getChildElements()
      .some((child) => ROOMS_WORDS.has(child.getNS() ?? ""))
  );
}

function isElement({ name, ns }: Span, wantedName: string, wantedNs: string): boolean {
  return name === wantedName && ns === wantedNs;
}
