import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import type { Answer, StreamInfo } from "../core/feature.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { PrecisError } from "../stanza/precis.js";
import { parseElement } from "../xml/document.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { toWire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";
import { conditionOf, World } from "./world.test.kit.js";

const OPEN = '[registration]\nmode = "open"\n';
const JULIET = { accounts: ["juliet@localhost"] };

function stream(changes: Partial<StreamInfo> = {}): StreamInfo {
  return {
    domain: "localhost",
    secure: true,
    authenticated: false,
    address: "192.0.2.1",
    registrations: 0,
    ...changes,
  };
}

function early(world: World, type: "get" | "set", content: string, on = stream()): Promise<Answer> {
  const handler = world.core.features.flatMap((feature) => feature.earlyIq?.[`${NS.register} query`] ?? [])[0];
  const payload = elementOf(parseElement(toWire(`<query xmlns='${NS.register}'>${content}</query>`), UNLIMITED));
  if (!handler) throw new Error("nobody registers");
  return handler(payload, type, on);
}

async function outcomeOf(answer: Promise<Answer>): Promise<string> {
  const given = await answer;
  return given instanceof StanzaError ? given.condition : "done";
}

const wanted = (username: string, password = "R0m30") =>
  `<username>${username}</username><password>${password}</password>`;
const passwordOf = async (world: World, jid: string) =>
  (await world.storage.get("account", jid, ""))?.doc["credentials"];

describe("registration before login", () => {
  it("tells the fields and makes an account when it is open @1.8", async () => {
    const world = await World.open(features, { config: OPEN });
    const on = stream();
    const fields = await early(world, "get", "", on);
    expect(String(fields)).toContain("<username/><password/>");
    expect(await early(world, "set", wanted("Juliet"), on)).toEqual([]);
    expect(await passwordOf(world, "juliet@localhost")).toEqual({ password: "R0m30" });
    expect(on.registrations).toBe(1);
    expect(JSON.stringify(world.events)).not.toContain("R0m30");
  });

  it.each([
    ["a taken name", wanted("juliet"), "conflict"],
    ["the name of an administrator who has no account yet", wanted("boss"), "conflict"],
    ["no name", wanted(""), "not-acceptable"],
    ["no password", wanted("romeo", ""), "not-acceptable"],
    ["nothing at all", "", "not-acceptable"],
    ["a name that is none", wanted("a b"), "not-acceptable"],
    ["a removal", "<remove/>", "unexpected-request"],
  ])("refuses %s @1.8", async (_, content, condition) => {
    const world = await World.open(features, { config: `admins = ["boss@localhost"]\n${OPEN}`, ...JULIET });
    expect(await outcomeOf(early(world, "set", content))).toBe(condition);
    expect(await world.core.users.exists(JID.parse("romeo@localhost"))).toBe(false);
  });

  it.each([
    ["closed", "service-unavailable", "not-allowed"],
    ["invite", "not-allowed", "not-allowed"],
  ])("is refused in the mode %s @1.8", async (mode, get, set) => {
    const world = await World.open(features, { config: `[registration]\nmode = "${mode}"` });
    expect(await outcomeOf(early(world, "get", ""))).toBe(get);
    expect(await outcomeOf(early(world, "set", wanted("romeo")))).toBe(set);
    expect(await world.core.users.exists(JID.parse("romeo@localhost"))).toBe(false);
  });

  it("needs TLS, unless logging in needs none either @1.8 @A2", async () => {
    const plain = stream({ secure: false });
    const strict = await World.open(features, { config: OPEN });
    expect(await outcomeOf(early(strict, "get", "", plain))).toBe("not-authorized");
    expect(await outcomeOf(early(strict, "set", wanted("romeo"), plain))).toBe("not-authorized");
    const lax = await World.open(features, { config: `${OPEN}[c2s]\nrequire_tls = false` });
    expect(await outcomeOf(early(lax, "set", wanted("romeo"), plain))).toBe("done");
  });

  it("is limited by the hour for each address, not by the stream @1.8 @limit.registrations_per_hour", async () => {
    const world = await World.open(features, { config: `${OPEN}[limits]\nregistrations_per_hour = 2` });
    const on = stream();
    const attempt = (name: string, where = on) => outcomeOf(early(world, "set", wanted(name), where));
    expect([await attempt("a"), await attempt("b"), await attempt("c")]).toEqual([
      "done",
      "done",
      "resource-constraint",
    ]);
    expect(await attempt("d", stream({ address: "192.0.2.2" }))).toBe("done");
    world.clock.advance(3_600_000);
    expect(await attempt("c")).toBe("done");
  });

  it("is announced in the stream features only where it is possible @1.8", async () => {
    const announced = (world: World, on: StreamInfo) =>
      world.core.features
        .flatMap((f) => f.streamFeatures?.(on) ?? [])
        .some((f) => f.is("register", NS.registerFeature));
    const open = await World.open(features, { config: OPEN });
    const closed = await World.open(features);
    expect(announced(open, stream())).toBe(true);
    expect(announced(open, stream({ secure: false }))).toBe(false);
    expect(announced(open, stream({ authenticated: true }))).toBe(false);
    expect(announced(closed, stream())).toBe(false);
  });

  it("that the store cannot keep is put off @1.8", async () => {
    const world = await World.open(features, { config: OPEN });
    world.storage.failNext("refused");
    expect(await outcomeOf(early(world, "set", wanted("romeo")))).toBe("resource-constraint");
  });

  it("refuses a password that is not allowed @1.8", async () => {
    const world = await World.open(features, { config: OPEN });
    world.core.users.create = () => Promise.reject(new PrecisError("has a control character"));
    expect(await outcomeOf(early(world, "set", wanted("romeo")))).toBe("not-acceptable");
  });
});

describe("registration after login", () => {
  const query = (type: string, content: string, to = "to='localhost'") =>
    `<iq type='${type}' ${to} id='1'><query xmlns='${NS.register}'>${content}</query></iq>`;

  async function loggedIn() {
    const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"] });
    return { world, juliet: await world.device("juliet@localhost/balcony") };
  }

  it.each(["to='localhost'", ""])("tells the account that it is registered: %s @1.8", async (to) => {
    const { juliet } = await loggedIn();
    const answer = (await juliet.asks(query("get", "", to))).getChild("query");
    expect(answer?.getChild("registered")).toBeDefined();
    expect(answer?.getChildText("username")).toBe("juliet");
    expect(answer?.getChildText("password")).toBe("");
  });

  it("changes the password @1.8", async () => {
    const { world, juliet } = await loggedIn();
    expect((await juliet.asks(query("set", wanted("juliet", "new")))).attrs["type"]).toBe("result");
    expect(await passwordOf(world, "juliet@localhost")).toEqual({ password: "new" });
  });

  it.each([
    ["an empty password", wanted("juliet", ""), "bad-request"],
    ["no name", "<password>new</password>", "bad-request"],
    ["the name of another", wanted("romeo", "new"), "not-acceptable"],
    ["a removal with anything else", "<remove/><username>juliet</username>", "bad-request"],
    ["a removal in another language", "<remove xmlns='urn:x'/>", "bad-request"],
    [
      "a password in another language",
      "<username>juliet</username><password xmlns='urn:x'>new</password>",
      "bad-request",
    ],
  ])("refuses %s and changes nothing @1.8", async (_, content, condition) => {
    const { world, juliet } = await loggedIn();
    expect(conditionOf(await juliet.asks(query("set", content)))).toBe(condition);
    for (const jid of ["juliet@localhost", "romeo@localhost"])
      expect(await passwordOf(world, jid)).toEqual({ password: "secret" });
  });

  it.each(["romeo@localhost", "nobody@localhost"])("does nothing to another account: %s @1.8", async (jid) => {
    const { world, juliet } = await loggedIn();
    const answer = await juliet.asks(query("set", "<remove/>", `to='${jid}'`));
    expect(conditionOf(answer)).toBe("service-unavailable");
    expect(await world.core.users.exists(JID.parse("romeo@localhost"))).toBe(true);
  });

  it.each(["<remove/>", wanted("juliet", "new")])("is of the account's own host only: %s @1.8", async (content) => {
    const config = 'domains = ["localhost", "b.example"]';
    const world = await World.open(features, { accounts: ["juliet@localhost", "juliet@b.example"], config });
    const juliet = await world.device("juliet@localhost/balcony");
    const answers = [await juliet.asks(query("set", content, "to='b.example'"))];
    answers.push(await juliet.asks(query("get", "", "to='b.example'")));
    expect(answers.map(conditionOf)).toEqual(["registration-required", "service-unavailable"]);
    for (const jid of ["juliet@localhost", "juliet@b.example"])
      expect(await passwordOf(world, jid)).toEqual({ password: "secret" });
  });

  it("removes the account with all its data; the answer comes before the streams close @1.8", async () => {
    const { world, juliet } = await loggedIn();
    const phone = await world.device("juliet@localhost/phone");
    await phone.sends("<presence/>");
    await juliet.sends("<iq type='set' id='0'><vCard xmlns='vcard-temp'><FN>J</FN></vCard></iq>");
    const answer = await juliet.asks(query("set", "<remove/>"));
    expect(answer.attrs["type"]).toBe("result");
    expect([juliet.closedWith?.condition, phone.closedWith?.condition]).toEqual(["not-authorized", "not-authorized"]);
    expect(await world.core.users.exists(JID.parse("juliet@localhost"))).toBe(false);
    for (const store of ["account", "vcard", "last"])
      expect(await world.storage.get(store, "juliet@localhost", "")).toBeUndefined();
  });

  it("keeps the account when the store refuses its removal @1.8", async () => {
    const { world, juliet } = await loggedIn();
    world.storage.failNext("refused");
    expect(conditionOf(await juliet.asks(query("set", "<remove/>")))).toBe("resource-constraint");
    expect(juliet.closedWith).toBeUndefined();
    expect(await world.core.users.exists(JID.parse("juliet@localhost"))).toBe(true);
  });
});
