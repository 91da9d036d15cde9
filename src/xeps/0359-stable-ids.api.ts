// What other features need of XEP-0359: the ids that this server gives, and those that clients gave.
import type { Account } from "../core/account.js";
import type { Stamp } from "../core/flow.js";
import { idToText } from "../core/ids.js";
import { RuntimeSlot } from "../core/slot.js";
import { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import { attributeIn, rawAttributeIn } from "../xml/attribute.js";
import { escapeAttribute } from "../xml/escape.js";
import type { Span } from "../xml/fragment.js";
import { NS } from "../xml/namespaces.js";
import { type Wire, w } from "../xml/wire.js";

/** `<stanza-id/>` of a log entry, for copies that go to the owner of the log (`by`) and to nobody else. */
export function stanzaId(by: JID, id: number): Wire {
  return w`<stanza-id xmlns='${escapeAttribute(NS.stanzaIds)}' by='${by.wire}' id='${idToText(id) as Wire}'/>`;
}

/** The stanza without the ids that claim to be by this owner (rules 2 and 4): all of them, however `by` is written. */
export function withoutStanzaIds(stanza: Stanza, owner: JID): Stanza {
  const forged = claimsIn(stanza).filter(({ by }) => by?.equals(owner));
  return forged.length > 0 ? stanza.without(...forged.map(({ span }) => span)) : stanza;
}

/** By a bare JID; also where it was written with a resource, which never assigns ids: a client may compare less strictly than it should. */
interface Claim {
  readonly span: Span;
  readonly by: JID | undefined;
}

const NO_CLAIMS: readonly Claim[] = [];

/** Of the last message that was looked at: its copies to all who are in a room come one after the other, and share their content. */
let last: { readonly children: readonly Span[]; readonly claims: readonly Claim[] } | undefined;

function claimsIn(stanza: Stanza): readonly Claim[] {
  const { children } = stanza;
  if (!children.some(isStanzaId)) return NO_CLAIMS;
  if (last?.children !== children) last = { children, claims: claimsOf(stanza) };
  return last.claims;
}

function claimsOf(stanza: Stanza): readonly Claim[] {
  return stanza.children.filter(isStanzaId).map((span) => {
    const by = rawAttributeIn(stanza.raw(span), "by");
    return { span, by: by === undefined ? undefined : JID.parseWire(by)?.bare };
  });
}

function isStanzaId({ name, ns }: Span): boolean {
  return ns === NS.stanzaIds && name === "stanza-id";
}

/** The sender's own id of the message; undefined if it gave none. */
export function originIdOf(stanza: Stanza): string | undefined {
  for (const span of stanza.children)
    if (span.name === "origin-id" && span.ns === NS.stanzaIds) return attributeIn(stanza.raw(span), "id") || undefined;
  return undefined;
}

const stamps = new RuntimeSlot<{ stamp: Stamp | undefined }>(() => ({ stamp: undefined }));

/** For `flow.append`: the account's own copies carry the id of the entry. */
export function stampFor(account: Account): Stamp {
  const known = stamps.of(account);
  known.stamp ??= (stanza, id) => stanza.plus(stanzaId(account.jid, id));
  return known.stamp;
}
