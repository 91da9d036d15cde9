// What service discovery asks and answers, and what the features' manifests say about the server and its accounts. Shared by all that answers it.
import type { DiscoIdentity, Feature } from "../core/feature.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

/** What a disco#info answer holds. */
export interface DiscoInfo {
  readonly identities: readonly DiscoIdentity[];
  readonly features: readonly string[];
  /** XEP-0128 */
  readonly forms: readonly Element[];
}

/** What the server's domain is and can do. */
export function serverInfo(features: readonly Feature[]): DiscoInfo {
  return {
    identities: features.flatMap((feature) => feature.disco?.serverIdentities ?? []),
    features: sorted(features.flatMap((feature) => feature.disco?.server ?? [])),
    forms: features.flatMap((feature) => feature.disco?.serverForms?.() ?? []),
  };
}

/** What an account's bare JID is and can do. */
export function accountInfo(features: readonly Feature[]): DiscoInfo {
  return {
    identities: features.flatMap((feature) => feature.disco?.accountIdentities ?? []),
    features: sorted(features.flatMap((feature) => feature.disco?.account ?? [])),
    forms: [],
  };
}

/** The answer to a disco#info request; `node` is mirrored (XEP-0030 "Info Nodes"). */
export function infoQuery(info: DiscoInfo, node: string | undefined): Element {
  const identities = info.identities.map(({ category, type, name }) => xml("identity", { category, type, name }));
  const features = info.features.map((feature) => xml("feature", { var: feature }));
  return xml("query", { xmlns: NS.discoInfo, node }, ...identities, ...features, ...info.forms);
}

/** The answer to a disco#items request. */
export function itemsQuery(items: readonly Element[], node: string | undefined): Element {
  return xml("query", { xmlns: NS.discoItems, node }, ...items);
}

/** The node that is asked about. An empty one names none, but is mirrored like any other. */
export function nodeOf(query: Element): string | undefined {
  const node: unknown = query.attrs["node"];
  return typeof node === "string" ? node : undefined;
}

function sorted(features: readonly string[]): readonly string[] {
  return [...new Set(features)].sort();
}
