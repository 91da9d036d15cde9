// doap.xml: what this project implements, in the vocabulary of the XMPP Standards Foundation (XEP-0453), from the features' manifests.
import type { Feature, Spec } from "./core/feature.js";
import { type Element, xml } from "./xml/element.js";

/** What package.json says of the project. */
export interface Project {
  readonly name: string;
  readonly description: string;
  readonly license: string;
}

const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DOAP = "http://usefulinc.com/ns/doap#";
const XMPP = "https://linkmauve.fr/ns/xmpp-doap#";

/** The whole document. Throws if two features claim the same specification. */
export function doapOf(project: Project, features: readonly Feature[]): string {
  const specs = features.flatMap((feature) => feature.specs).sort((a, b) => a.xep - b.xep);
  const doubled = specs.find(({ xep }, i) => specs[i + 1]?.xep === xep);
  if (doubled) throw new Error(`two features claim XEP-${numberText(doubled)}`);
  const about = [
    xml("name", {}, project.name),
    xml("shortdesc", { "xml:lang": "en" }, project.description),
    xml("license", { "rdf:resource": `https://spdx.org/licenses/${project.license}` }),
    xml("programming-language", {}, "TypeScript"),
    xml("os", {}, "Linux"),
    xml("category", { "rdf:resource": "https://linkmauve.fr/ns/xmpp-doap#category-server" }),
  ];
  const implemented = ["6120", "6121", "7622"].map((rfc) =>
    xml("implements", { "rdf:resource": `https://www.rfc-editor.org/info/rfc${rfc}` }),
  );
  const content = [...about, ...implemented, ...specs.map(specElement)];
  const root = xml("rdf:RDF", { "xmlns:rdf": RDF, xmlns: DOAP, "xmlns:xmpp": XMPP }, xml("Project", {}, ...content));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!-- Made from the features' manifests by npm run doap. -->\n${indented(root)}`;
}

function specElement(spec: Spec): Element {
  const details = [
    xml("xmpp:xep", { "rdf:resource": `https://xmpp.org/extensions/xep-${numberText(spec)}.html` }),
    xml("xmpp:version", {}, spec.version),
    xml("xmpp:status", {}, spec.status),
    xml("xmpp:since", {}, spec.since),
    ...(spec.note === undefined ? [] : [xml("xmpp:note", {}, spec.note)]),
  ];
  return xml("implements", {}, xml("xmpp:SupportedXep", {}, ...details));
}

function numberText({ xep }: Spec): string {
  return String(xep).padStart(4, "0");
}

/** One element a line; elements with text stay on theirs. */
function indented(element: Element, depth = 0): string {
  const margin = "  ".repeat(depth);
  const children = element.getChildElements();
  if (children.length === 0) return `${margin}${element.toString()}\n`;
  const open = element.toString().slice(0, element.toString().indexOf(">") + 1);
  return `${margin}${open}\n${children.map((child) => indented(child, depth + 1)).join("")}${margin}</${element.name}>\n`;
}
