import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { doapOf, type Project } from "./doap.js";
import { MANIFESTS, STORES } from "./features.js";
import { serverInfo } from "./xeps/0030-disco.api.js";

const at = (name: string) => new URL(`../${name}`, import.meta.url);
const project = JSON.parse(readFileSync(at("package.json"), "utf8")) as Project;

describe("the manifests of the features", () => {
  it("are what doap.xml says (else: npm run doap)", () => {
    expect(readFileSync(at("doap.xml"), "utf8")).toBe(doapOf(project, MANIFESTS));
  });

  it("claim each specification once", () => {
    const twice = [...MANIFESTS, { name: "again", specs: MANIFESTS.flatMap(({ specs }) => specs).slice(0, 1) }];
    expect(() => doapOf(project, twice)).toThrow(/two features claim XEP-\d{4}/);
  });

  it("have names and stores of their own", () => {
    const names = MANIFESTS.map(({ name }) => name);
    const stores = STORES.map(({ name }) => name);
    expect([new Set(names).size, new Set(stores).size]).toEqual([names.length, stores.length]);
  });

  it("announce what they answer: the namespace of each request is among the features of its target", () => {
    const silent = ["urn:ietf:params:xml:ns:xmpp-session", "jabber:iq:roster", "jabber:iq:register"]; // the RFCs'; without a `to`
    const account = new Set(MANIFESTS.flatMap((feature) => feature.disco?.account ?? []));
    const server = new Set(serverInfo(MANIFESTS.filter(({ name }) => name !== "contact")).features);
    const namespaces = (target: "account" | "server") =>
      MANIFESTS.flatMap((feature) => Object.keys(feature.iq?.[target] ?? {}).map((key) => key.split(" ")[1] ?? ""));
    expect(namespaces("server").filter((ns) => !server.has(ns) && !silent.includes(ns))).toEqual([]);
    expect(namespaces("account").filter((ns) => !account.has(ns) && !silent.includes(ns))).toEqual([]);
  });
});
