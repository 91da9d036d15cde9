import { describe, expect, it } from "@jest/globals";
import type { Account } from "../core/account.js";
import type { Device, House } from "../core/testing/factories.js";
import { JID } from "../stanza/jid.js";
import { NS } from "../xml/namespaces.js";
import { contacts, mayseePresence, subscriptionOf } from "./api.js";
import { ROSTER_STORE, rosterOf } from "./items.js";
import { rosterFeature } from "./roster.js";
import { got, line, online, sees, verona } from "./scene.test.support.js";

async function juliet(toml = ""): Promise<{ scene: House; balcony: Device; phone: Device }> {
  const scene = await verona({ toml });
  await scene.accounts("juliet@a", "romeo@a");
  return { scene, balcony: await scene.device("juliet@a/balcony"), phone: await scene.device("juliet@a/phone") };
}

const get = (id: string, ver?: string): string =>
  `<iq type='get' id='${id}'><query xmlns='jabber:iq:roster'${ver === undefined ? "" : ` ver='${ver}'`}/></iq>`;
const set = (id: string, item: string, to = ""): string =>
  `<iq type='set' id='${id}'${to}><query xmlns='jabber:iq:roster'>${item}</query></iq>`;

async function versionOf(scene: House, device: Device): Promise<string> {
  device.send(get("ver", ""));
  await scene.settle();
  const query = device.take().at(-1)?.child("query", NS.roster);
  return String(query?.attrs["ver"]);
}

describe("the roster", () => {
  it("is empty at first, and has no version unless one was asked for @1.6", async () => {
    const { scene, balcony } = await juliet();
    balcony.send(get("1"));
    await scene.settle();
    expect(balcony.take().map((stanza) => stanza.toWire())).toEqual([
      "<iq from='juliet@a' to='juliet@a/balcony' id='1' type='result'><query xmlns='jabber:iq:roster'/></iq>",
    ]);
  });

  it("is edited: all interested resources get a push, the others do not, and the request is answered @1.6", async () => {
    const { scene, balcony, phone } = await juliet();
    const idle = await scene.device("juliet@a/idle");
    await online(scene, balcony, phone);
    balcony.take();
    phone.take();
    balcony.send(set("1", "<item jid='romeo@a' name='Romeo'><group>Lovers</group></item>"));
    await scene.settle();
    expect(got(balcony)).toEqual(["push romeo@a none", "result 1"]);
    expect(got(phone)).toEqual(["push romeo@a none"]);
    expect(got(idle)).toEqual([]);
    expect(contacts(balcony.account)).toMatchObject([{ name: "Romeo", groups: ["Lovers"], subscription: "none" }]);
  });

  it("pushes without a from, to the full JID, with the new version @1.6", async () => {
    const { scene, balcony } = await juliet();
    await online(scene, balcony);
    balcony.send(set("1", "<item jid='romeo@a'/>"));
    await scene.settle();
    const [push] = balcony.take();
    const ver = String(rosterOf(balcony.account).version);
    expect(push?.toWire()).toBe(
      `<iq to='juliet@a/balcony' id='push-${ver}' type='set'><query xmlns='jabber:iq:roster' ver='${ver}'><item jid='romeo@a' subscription='none'/></query></iq>`,
    );
  });

  it("lets the server alone decide about subscriptions: other attributes of a set are passed over @1.6", async () => {
    const { scene, balcony } = await juliet();
    balcony.send(set("1", "<item jid='Romeo@A/orchard' subscription='both' ask='subscribe' approved='true'/>"));
    await scene.settle();
    expect(
      rosterOf(balcony.account)
        .listed()
        .map((item) => [item.jid.toString(), item.state, item.approved]),
    ).toEqual([["romeo@a", "none", false]]);
  });

  it("replaces name and groups at an update and keeps the subscription @1.6", async () => {
    const { scene, balcony, phone } = await juliet();
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, balcony, phone, romeo);
    await sees(scene, balcony, romeo);
    balcony.send(set("1", "<item jid='romeo@a' name='R'><group>A</group></item>"));
    balcony.send(set("2", "<item jid='romeo@a'><group>B</group><group>C</group></item>"));
    await scene.settle();
    expect(contacts(balcony.account)).toMatchObject([{ name: "", groups: ["B", "C"], subscription: "to" }]);
  });

  it.each([
    ["no item", "", "bad-request"],
    ["two items", "<item jid='romeo@a'/><item jid='paris@a'/>", "bad-request"],
    ["no address", "<item name='who'/>", "bad-request"],
    ["something else", "<thing jid='romeo@a'/>", "bad-request"],
    ["an address that is none", "<item jid='@a'/>", "jid-malformed"],
    ["a group without a name", "<item jid='romeo@a'><group/></item>", "not-acceptable"],
    ["a group twice", "<item jid='romeo@a'><group>A</group><group>A</group></item>", "bad-request"],
    ["a name that is too long", `<item jid='romeo@a' name='${"é".repeat(600)}'/>`, "not-acceptable"],
    ["a group that is too long", `<item jid='romeo@a'><group>${"x".repeat(1024)}</group></item>`, "not-acceptable"],
    ["the account itself", "<item jid='juliet@a'/>", "not-allowed"],
    ["removal of nobody", "<item jid='romeo@a' subscription='remove'/>", "item-not-found"],
  ])("refuses a set with %s: %s gives %s @1.6 @1.bad", async (_what, item, condition) => {
    const { scene, balcony } = await juliet();
    balcony.send(set("1", item));
    await scene.settle();
    expect(got(balcony)[0]).toMatch(new RegExp(`^error 1 ${condition}`));
    expect(rosterOf(balcony.account).size).toBe(0);
  });

  it("is pushed to a resource by nobody else, whether the resource is there or not @1.6 @R2 @R5", async () => {
    const { scene, balcony } = await juliet();
    const romeo = await scene.device("romeo@a/orchard");
    for (const resource of ["juliet@a/balcony", "juliet@a/gone", "nobody@a/x"])
      romeo.send(set("p", "<item jid='romeo@a' subscription='both'/>", ` to='${resource}'`));
    await scene.settle();
    expect(got(romeo)).toEqual(["error p forbidden", "error p forbidden", "error p forbidden"]);
    expect(got(balcony)).toEqual([]);
  });

  it("is forbidden to others, whether the account exists or not @1.6 @R5", async () => {
    const { scene, balcony } = await juliet();
    for (const owner of ["romeo@a", "nobody@a"]) {
      balcony.send(set("s", "<item jid='juliet@a'/>", ` to='${owner}'`));
      balcony.send(`<iq type='get' id='g' to='${owner}'><query xmlns='jabber:iq:roster'/></iq>`);
    }
    await scene.settle();
    expect(got(balcony)).toEqual(["error s forbidden", "error g forbidden", "error s forbidden", "error g forbidden"]);
  });

  it("holds no more contacts and groups than the limits allow, however they come @1.6 @1.bad @limit.roster_items @limit.roster_groups", async () => {
    const { scene, balcony } = await juliet("[limits]\nroster_items = 2\nroster_groups = 1");
    balcony.send(set("1", "<item jid='a@a'><group>A</group><group>B</group></item>"));
    balcony.send(set("2", "<item jid='a@a'/>"));
    balcony.send(set("3", "<item jid='b@a'/>"));
    balcony.send(set("4", "<item jid='c@a'/>"));
    balcony.send("<presence type='subscribe' to='c@a' id='5'/>");
    balcony.send(set("6", "<item jid='b@a' name='changed'/>"));
    await scene.settle();
    expect(got(balcony)).toEqual([
      "error 1 policy-violation text",
      "result 2",
      "result 3",
      "error 4 policy-violation text",
      "error from c@a",
      "result 6",
    ]);
    expect(rosterOf(balcony.account).size).toBe(2);
  });

  it("ends subscriptions both ways when a contact is removed, within the same commit @1.6", async () => {
    const { scene, balcony } = await juliet();
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, balcony, romeo);
    await sees(scene, balcony, romeo);
    await sees(scene, romeo, balcony);
    const commits = scene.storage.commits;
    balcony.send(set("1", "<item jid='romeo@a' subscription='remove'/>"));
    await scene.settle();
    expect(scene.storage.commits).toBe(commits + 1);
    expect(got(balcony)).toEqual(["push romeo@a remove", "result 1", "unavailable from romeo@a/orchard"]);
    expect(got(romeo)).toEqual([
      "unsubscribe from juliet@a",
      "push juliet@a to",
      "unavailable from juliet@a/balcony",
      "unsubscribed from juliet@a",
      "push juliet@a none",
    ]);
    expect(rosterOf(balcony.account).size).toBe(0);
  });

  it("announces versions and pre-approval to those who are logged in @1.6", async () => {
    const { scene } = await juliet();
    const { streamFeatures } = rosterFeature(scene.context);
    const stream = { domain: "a", secure: true, address: "::1", registrations: 0 };
    expect(streamFeatures?.({ ...stream, authenticated: true }).map(String)).toEqual([
      '<ver xmlns="urn:xmpp:features:rosterver"/>',
      '<sub xmlns="urn:xmpp:features:pre-approval"/>',
    ]);
    expect(streamFeatures?.({ ...stream, authenticated: false })).toEqual([]);
  });
});

describe("versions of the roster (RFC 6121 §2.6)", () => {
  it("answer a client that has the newest with an empty result and nothing else @1.6", async () => {
    const { scene, balcony, phone } = await juliet();
    phone.send(set("1", "<item jid='romeo@a'/>"));
    await scene.settle();
    balcony.send(get("2", await versionOf(scene, phone)));
    await scene.settle();
    expect(balcony.take().map((stanza) => stanza.toWire())).toEqual([
      "<iq from='juliet@a' to='juliet@a/balcony' id='2' type='result'/>",
    ]);
  });

  it("answer a client that has an older one with pushes of what changed since, in order @1.6", async () => {
    const { scene, balcony, phone } = await juliet();
    phone.send(set("1", "<item jid='a@a'/>"));
    phone.send(set("2", "<item jid='b@a'/>"));
    const old = await versionOf(scene, phone);
    phone.send(set("3", "<item jid='c@a'/>"));
    phone.send(set("4", "<item jid='a@a' name='new'/>"));
    await scene.settle();
    balcony.send(get("5", old));
    await scene.settle();
    const stanzas = balcony.take();
    expect(stanzas.map(line)).toEqual(["result 5", "push c@a none", "push a@a none"]);
    const last = stanzas.at(-1)?.child("query", NS.roster);
    expect(last?.attrs["ver"]).toBe(await versionOf(scene, phone));
  });

  it.each(["", "0", "99999999999999999", "-1", "abc"])(
    "answer an unknown version (%s) with the whole roster @1.6",
    async (ver) => {
      const { scene, balcony } = await juliet();
      balcony.send(set("1", "<item jid='a@a'/>"));
      balcony.send(get("2", ver));
      await scene.settle();
      expect(balcony.take().at(-1)?.child("query", NS.roster)?.getChildren("item")).toHaveLength(1);
    },
  );

  it("answer a version from before a removal with the whole roster @1.6", async () => {
    const { scene, balcony } = await juliet();
    balcony.send(set("1", "<item jid='a@a'/>"));
    balcony.send(set("2", "<item jid='b@a'/>"));
    const old = await versionOf(scene, balcony);
    balcony.send(set("3", "<item jid='b@a' subscription='remove'/>"));
    balcony.send(get("4", old));
    await scene.settle();
    expect(balcony.take().at(-1)?.child("query", NS.roster)?.getChildren("item")).toHaveLength(1);
  });

  it("survive a restart @1.6", async () => {
    const { scene, balcony } = await juliet();
    balcony.send(set("1", "<item jid='a@a'/>"));
    balcony.send(set("2", "<item jid='b@a'/>"));
    balcony.send(set("3", "<item jid='b@a' subscription='remove'/>"));
    const ver = await versionOf(scene, balcony);
    const again = await verona({ disk: scene.disk });
    expect(await versionOf(again, await again.device("juliet@a/balcony"))).toBe(ver);
  });

  it("of an account that was removed and made again are never taken for the old ones @1.6", async () => {
    const { scene, balcony } = await juliet();
    balcony.send(set("1", "<item jid='a@a'/>"));
    const old = await versionOf(scene, balcony);
    await scene.core.users.remove(balcony.account.jid);
    balcony.leave();
    await scene.settle();
    scene.clock.advance(1000);
    await scene.accounts("juliet@a");
    const device = await scene.device("juliet@a/balcony");
    device.send(set("2", "<item jid='c@a'/>"));
    device.send(get("3", old));
    await scene.settle();
    expect(device.take().at(-1)?.child("query", NS.roster)?.getChildren("item")).toHaveLength(1);
  });
});

describe("a roster whose commit fails", () => {
  const story = async (scene: House, balcony: Device, romeo: Device): Promise<void> => {
    balcony.send(set("1", "<item jid='romeo@a' name='R'/>"));
    await scene.settle();
    balcony.send("<presence type='subscribe' to='romeo@a'/>");
    await scene.settle();
    romeo.send("<presence type='subscribed' to='juliet@a'/>");
    await scene.settle();
    balcony.send(set("2", "<item jid='paris@a'/>"));
    balcony.send(set("3", "<item jid='romeo@a' subscription='remove'/>"));
    balcony.send(set("4", "<item jid='nurse@a'/>"));
    await scene.settle();
  };

  it.each([1, 2, 3, 4, 5, 6])("commit %i after login fails: memory is what the store says @1.6", async (k) => {
    const accountsMade = 2;
    const scene = await verona({ plan: new Map([[accountsMade + k, { outcome: "refused" }]]) });
    await scene.accounts("juliet@a", "romeo@a");
    const balcony = await scene.device("juliet@a/balcony");
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, balcony, romeo);
    expect(scene.storage.commits).toBe(accountsMade);
    await story(scene, balcony, romeo);
    expect(scene.storage.commits).toBeGreaterThanOrEqual(accountsMade + k);
    for (const { account } of [balcony, romeo])
      expect(await inMemory(scene, account)).toEqual(await inStore(scene, account));
  });

  it("answers the sender with resource-constraint and pushes nothing @1.6", async () => {
    const { scene, balcony } = await juliet();
    await online(scene, balcony);
    scene.storage.failNext("refused");
    balcony.send(set("1", "<item jid='romeo@a'/>"));
    await scene.settle();
    expect(got(balcony)).toEqual(["error 1 resource-constraint"]);
    balcony.send(get("2"));
    await scene.settle();
    expect(balcony.take().at(-1)?.child("query", NS.roster)?.getChildren("item")).toEqual([]);
  });

  it.each([
    ["under way", true],
    ["not yet under way", false],
  ])("is not shown to another resource that asks while the commit is %s @1.6", async (_when, underWay) => {
    const { scene, balcony, phone } = await juliet();
    scene.storage.hold();
    scene.storage.failNext("refused");
    balcony.send(set("1", "<item jid='romeo@a'/>"));
    if (underWay) await scene.settle();
    phone.send(get("2"));
    await scene.settle();
    expect(got(phone)).toEqual([]);
    scene.storage.release();
    await scene.settle();
    expect(got(balcony)).toEqual(["error 1 resource-constraint"]);
    expect(got(phone)).toEqual(["error 2 resource-constraint"]);
  });
});

type Facts = readonly unknown[];

async function inMemory(scene: House, { jid }: Account): Promise<readonly Facts[]> {
  const account = await scene.core.accounts.load(jid);
  const items = [...rosterOf(account).all()];
  return items
    .map(({ jid: contact, name, state, listed, ver }) => [contact.toString(), name, state, listed, ver])
    .sort();
}

async function inStore(scene: House, { jid }: Account): Promise<readonly Facts[]> {
  const rows = (await scene.storage.load([jid.toString()], [ROSTER_STORE])).get(jid.toString()) ?? [];
  const items = rows.filter(({ key }) => key !== "");
  return items.map(({ key, doc }) => [key, doc["name"], doc["state"], doc["listed"], doc["ver"]]).sort();
}

describe("what other features may ask", () => {
  it("follows the subscriptions, with or without a resource @1.6 @R5", async () => {
    const { scene, balcony } = await juliet();
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, balcony, romeo);
    await sees(scene, romeo, balcony);
    expect(subscriptionOf(balcony.account, romeo.session.jid)).toBe("from");
    expect(mayseePresence(balcony.account, romeo.session.jid)).toBe(true);
    expect(mayseePresence(romeo.account, balcony.session.jid)).toBe(false);
    expect(mayseePresence(romeo.account, romeo.session.jid)).toBe(true);
    const nobody = await scene.core.accounts.load(JID.parse("nobody@a"));
    expect(mayseePresence(nobody, nobody.jid)).toBe(false);
  });
});
