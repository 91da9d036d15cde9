// XEP-0115 "Verification String": the hash of a disco#info answer by which others recognise it.
import { createHash } from "node:crypto";
import { type Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { type DiscoInfo, infoQuery } from "./0030-disco.api.js";

/** Names this software among all others, as the `node` of its capabilities. */
export const SOFTWARE_URI = "urn:rookery:server";

/** The disco node under which a server with this information can be asked what the hash stands for. */
export function capsNode(info: DiscoInfo): string {
  return `${SOFTWARE_URI}#${verification(infoQuery(info, undefined))}`;
}

/** The `ver` of a disco#info `<query/>` for the hash sha-1. Forms without a hidden FORM_TYPE do not count. */
export function verification(query: Element): string {
  const text = [...identities(query), ...features(query), ...forms(query)].map((factor) => `${factor}<`).join("");
  return createHash("sha1").update(text, "utf8").digest("base64");
}

function identities(query: Element): string[] {
  const keys = query.getChildren("identity").map(({ attrs }) => {
    const { category = "", type = "", name = "" } = attrs as Readonly<Record<string, string | undefined>>;
    return [category, type, (attrs["xml:lang"] as string | undefined) ?? "", name];
  });
  return keys.sort(byParts).map((key) => key.join("/"));
}

function features(query: Element): string[] {
  const names = query.getChildren("feature").map(({ attrs }) => String(attrs["var"] ?? ""));
  return names.sort(byOctets);
}

function forms(query: Element): string[] {
  const typed = query
    .getChildren("x", NS.dataForms)
    .flatMap((form) => {
      const type = formType(form);
      return type === undefined ? [] : [{ type, form }];
    })
    .sort((a, b) => byOctets(a.type, b.type));
  return typed.flatMap(({ type, form }) => [type, ...fields(form)]);
}

function fields(form: Element): string[] {
  const named = form
    .getChildren("field")
    .map((field) => ({ name: String(field.attrs["var"] ?? ""), values: valuesOf(field) }))
    .filter(({ name }) => name !== "FORM_TYPE")
    .sort((a, b) => byOctets(a.name, b.name));
  return named.flatMap(({ name, values }) => [name, ...values.sort(byOctets)]);
}

function formType(form: Element): string | undefined {
  const field = form
    .getChildren("field")
    .find(({ attrs }) => attrs["var"] === "FORM_TYPE" && attrs["type"] === "hidden");
  return field && valuesOf(field)[0];
}

function valuesOf(field: Element): string[] {
  return field.getChildren("value").map((value) => value.text());
}

/** The collation i;octet (RFC 4790 §9.3). */
function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function byParts(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : byOctets(a[at] ?? "", b[at] ?? "");
}
