// XEP-0049: XML that a client keeps for itself on the server, by namespace and name of its root element. Only the account itself
// may read or write it. Beside each document its size is noted, so that the quota is known without reading all of them.
import type { Account } from "../core/account.js";
import type { Context } from "../core/context.js";
import type { Answer, Feature, Iq } from "../core/feature.js";
import { AccountSlot } from "../core/slot.js";
import { StanzaError } from "../stanza/errors.js";
import type { Row } from "../storage/port.js";
import type { Write } from "../storage/writes.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { bytesIn, restored, stored } from "../xml/stored-xml.js";

const STORE = "private";
const SIZES = "private_sizes";
const OVERHEAD_BYTES = 64; // what a row costs beside its text, so that many tiny ones count too

/** Bytes of each document, by its key. */
const sizes = new AccountSlot(
  SIZES,
  (rows) => new Map(Object.entries(rows[0]?.doc["bytes"] ?? {}).map(([k, n]) => [k, Number(n)])),
);

export function privateXml(context: Context): Feature {
  return {
    name: "private-xml",
    specs: [{ xep: 49, version: "1.2", status: "complete", since: "0.1.0" }],
    disco: { server: [NS.privateXml], account: [NS.privateXml] },
    stores: [
      { name: STORE, data: "account" },
      { name: SIZES, withAccount: true, data: "account" },
    ],
    iq: {
      account: {
        "get jabber:iq:private query": (iq) => get(context, iq),
        "set jabber:iq:private query": (iq) => set(context, iq),
      },
    },
  };
}

function get(context: Context, { account, own, payload }: Iq): Answer | (() => Promise<Answer>) {
  if (!account || !own) return new StanzaError("forbidden");
  const asked = elementsOf(payload);
  const [first] = asked;
  if (!first || !asked.every(hasOwnNamespace)) return new StanzaError("not-acceptable");
  if (asked.length > 1) return new StanzaError("bad-request");
  return async () => {
    const row = await context.storage.get(STORE, account.jid.toString(), keyOf(first));
    return [xml("query", { xmlns: NS.privateXml }, ...(row ? keptIn(row) : [emptied(first)]))];
  };
}

function set(context: Context, { flow, account, own, payload }: Iq): Answer {
  if (!account || !own) return new StanzaError("forbidden");
  const given = elementsOf(payload);
  if (given.length === 0 || !given.every(hasOwnNamespace)) return new StanzaError("not-acceptable");
  const texts = textsByKey(given);
  const changed = new Map(sizes.of(account));
  for (const [key, list] of texts) changed.set(key, sizeOf(key, list));
  if (total(changed) > context.config.limits.private_bytes) return new StanzaError("resource-constraint", "wait");
  flow.apply({ owner: account, writes: writesFor(account, texts, changed), effect: () => remember(account, changed) });
  return [];
}

function writesFor(
  account: Account,
  texts: ReadonlyMap<string, readonly string[]>,
  bytes: ReadonlyMap<string, number>,
): Write[] {
  const owner = account.jid.toString();
  const puts = [...texts].map(([key, list]): Write => ({
    op: "put",
    store: STORE,
    owner,
    key,
    doc: { v: 1, xml: list },
  }));
  return [...puts, { op: "put", store: SIZES, owner, key: "", doc: { v: 1, bytes: Object.fromEntries(bytes) } }];
}

function remember(account: Account, changed: ReadonlyMap<string, number>): void {
  const known = sizes.of(account);
  for (const [key, bytes] of changed) known.set(key, bytes);
}

/** "an IQ set or result MAY contain multiple elements qualified by the same namespace": those of one name are one document. */
function textsByKey(elements: readonly Element[]): ReadonlyMap<string, string[]> {
  const texts = new Map<string, string[]>();
  for (const element of elements) {
    const key = keyOf(element);
    texts.set(key, [...(texts.get(key) ?? []), stored(element)]);
  }
  return texts;
}

function sizeOf(key: string, texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + bytesIn(text), bytesIn(key) + OVERHEAD_BYTES);
}

function total(bytes: ReadonlyMap<string, number>): number {
  return [...bytes.values()].reduce((sum, one) => sum + one, 0);
}

function keptIn({ doc }: Row): Element[] {
  const texts: unknown = doc["xml"];
  return Array.isArray(texts) ? texts.map((text) => restored(String(text))) : [];
}

function emptied(element: Element): Element {
  return xml(element.getName(), { xmlns: element.getNS() });
}

function elementsOf(query: Element): Element[] {
  return query.getChildElements();
}

function hasOwnNamespace(element: Element): boolean {
  const ns = element.getNS();
  return ns !== undefined && ns !== "" && ns !== NS.privateXml;
}

function keyOf(element: Element): string {
  return `${element.getNS() ?? ""} ${element.getName()}`;
}
