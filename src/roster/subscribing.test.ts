import { describe, expect, it } from "@jest/globals";
import { Flow } from "../core/flow.js";
import { stanzaOf, type Device, type House } from "../core/testing/factories.js";
import type { Remote } from "../core/router.js";
import { unhosted } from "../s2s/unhosted.js";
import { rosterOf } from "./items.js";
import { got, line, online, sees, verona } from "./scene.test.support.js";

async function couple(toml = ""): Promise<{ scene: House; romeo: Device; juliet: Device }> {
  const scene = await verona({ toml });
  await scene.accounts("juliet@a", "romeo@a");
  const juliet = await scene.device("juliet@a/balcony");
  const romeo = await scene.device("romeo@a/orchard");
  await online(scene, juliet, romeo);
  return { scene, romeo, juliet };
}

const to = (jid: string, type: string, content = ""): string =>
  `<presence to='${jid}' type='${type}'>${content}</presence>`;

function stateOf(device: Device, contact: Device): string {
  return rosterOf(device.account).standing(contact.account.jid).state;
}

describe("subscriptions between two accounts here", () => {
  it("are asked for with bare addresses; both sides are in one commit @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    const commits = scene.storage.commits;
    romeo.send(to("juliet@a/balcony", "subscribe", "<status>please</status>"));
    await scene.settle();
    expect(scene.storage.commits).toBe(commits + 1);
    expect(got(romeo)).toEqual(["push juliet@a none ask"]);
    expect(juliet.take().map((stanza) => stanza.toWire())).toEqual([
      "<presence from='romeo@a' to='juliet@a' type='subscribe'><status>please</status></presence>",
    ]);
    expect([stateOf(romeo, juliet), stateOf(juliet, romeo)]).toEqual(["none+out", "none+in"]);
  });

  it("are granted: the news comes before the push, the push before the presence @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    got(romeo);
    got(juliet);
    juliet.send(to("romeo@a/orchard", "subscribed"));
    await scene.settle();
    expect(got(juliet)).toEqual(["push romeo@a from"]);
    expect(got(romeo)).toEqual(["subscribed from juliet@a", "push juliet@a to", "presence from juliet@a/balcony"]);
  });

  it("are denied: nothing of the request is left with the contact @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    romeo.send(to("juliet@a", "subscribe"));
    juliet.send(to("romeo@a", "unsubscribed"));
    await scene.settle();
    expect(got(juliet)).toEqual(["subscribe from romeo@a"]);
    expect(got(romeo)).toEqual(["push juliet@a none ask", "unsubscribed from juliet@a", "push juliet@a none"]);
    expect(rosterOf(juliet.account).get(romeo.account.jid)).toBeUndefined();
    expect(await scene.storage.get("roster", "juliet@a", "romeo@a")).toBeUndefined();
  });

  it("are cancelled by the contact: the presence ends before the subscription does (RFC 6121 §3.2.2) @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    await sees(scene, romeo, juliet);
    juliet.send(to("romeo@a", "unsubscribed"));
    await scene.settle();
    expect(got(juliet)).toEqual(["push romeo@a none"]);
    expect(got(romeo)).toEqual([
      "unavailable from juliet@a/balcony",
      "unsubscribed from juliet@a",
      "push juliet@a none",
    ]);
  });

  it("are given up by the user: unavailable presence of the contact comes back @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    await sees(scene, romeo, juliet);
    romeo.send(to("juliet@a", "unsubscribe"));
    await scene.settle();
    expect(got(juliet)).toEqual(["unsubscribe from romeo@a", "push romeo@a none"]);
    expect(got(romeo)).toEqual(["push juliet@a none", "unavailable from juliet@a/balcony"]);
  });

  it("are shown only to resources that asked for the roster, requests only to available ones @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    const available = await scene.device("juliet@a/available");
    const interested = await scene.device("juliet@a/interested");
    available.send("<presence/>");
    interested.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    await scene.settle();
    for (const device of [juliet, available, interested]) device.take();
    romeo.send(to("juliet@a", "subscribe"));
    romeo.send(to("juliet@a", "unsubscribe"));
    await scene.settle();
    expect(got(available)).toEqual(["subscribe from romeo@a"]);
    expect(got(interested)).toEqual(["unsubscribe from romeo@a"]);
  });

  it("asked for while the contact is away are shown at each login until answered, with all that was in them @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.leave();
    romeo.send(to("juliet@a", "subscribe", "<status>ж</status><x xmlns='urn:x'/>"));
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    const again = await verona({ disk: scene.disk });
    for (const resource of ["one", "two"]) {
      const device = await again.device(`juliet@a/${resource}`);
      device.send("<presence/>");
      await again.settle();
      const requests = device.take().filter(({ type }) => type === "subscribe");
      expect(requests.map((stanza) => stanza.element.toString())).toEqual([
        `<presence xmlns="jabber:client" from="romeo@a" to="juliet@a" type="subscribe"><status>ж</status><x xmlns="urn:x"/></presence>`,
      ]);
      if (resource === "two") device.send(to("romeo@a", "subscribed"));
      await again.settle();
      device.leave();
    }
    const third = await again.device("juliet@a/three");
    third.send("<presence/>");
    await again.settle();
    expect(got(third)).toEqual(["presence from juliet@a/three"]);
  });

  it("keep no more of a huge request than that it was made @1.6 @1.bad", async () => {
    const { scene, romeo, juliet } = await couple();
    romeo.send(to("juliet@a", "subscribe", `<status>${"x".repeat(20_000)}</status>`));
    await scene.settle();
    expect(rosterOf(juliet.account).get(romeo.account.jid)?.request.length).toBeLessThan(200);
  });

  it("beyond the limit of waiting requests look like those nobody answers @1.6 @1.bad @limit.pending_subscriptions", async () => {
    const { scene, romeo, juliet } = await couple("[limits]\npending_subscriptions = 1");
    await scene.accounts("paris@a");
    const paris = await scene.device("paris@a/church");
    await online(scene, paris);
    paris.send(to("juliet@a", "subscribe"));
    await scene.settle();
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    expect(got(juliet)).toEqual(["subscribe from paris@a"]);
    expect(got(romeo)).toEqual(["push juliet@a none ask"]);
    expect(rosterOf(juliet.account).requests).toBe(1);
  });

  it("that exist already are confirmed without a question @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    await sees(scene, romeo, juliet);
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    expect(got(juliet)).toEqual([]);
    expect(got(romeo)).toEqual(["presence from juliet@a/balcony"]);
  });

  it("approved beforehand are granted at once, and the contact enters the roster @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.send(to("romeo@a", "subscribed"));
    await scene.settle();
    expect(got(juliet)).toEqual(["push romeo@a none approved"]);
    expect(got(romeo)).toEqual([]);
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    expect(got(juliet)).toEqual(["push romeo@a from approved"]);
    expect(got(romeo)).toEqual([
      "push juliet@a none ask",
      "subscribed from juliet@a",
      "push juliet@a to",
      "presence from juliet@a/balcony",
    ]);
  });

  it("approved beforehand can be withdrawn @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.send(to("romeo@a", "subscribed"));
    juliet.send(to("romeo@a", "unsubscribed"));
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    expect(got(juliet)).toEqual(["push romeo@a none approved", "push romeo@a none", "subscribe from romeo@a"]);
  });

  it("to nobody, to oneself and to an account that does not exist lead nowhere @1.6 @R5 @1.bad", async () => {
    const { scene, romeo } = await couple();
    romeo.send("<presence type='subscribe' id='1'/>");
    romeo.send(to("romeo@a/other", "subscribe"));
    romeo.send(to("nobody@a", "subscribe"));
    await scene.settle();
    expect(got(romeo)).toEqual(["error from undefined", "push nobody@a none ask"]);
    expect(await scene.storage.load(["nobody@a"], ["roster"])).toEqual(new Map([["nobody@a", []]]));
  });

  it("that cannot be stored are refused, and both rosters stay as they were @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    scene.storage.failNext("refused");
    romeo.send(to("juliet@a", "subscribe"));
    await scene.settle();
    expect(got(romeo)).toEqual(["error from juliet@a"]);
    expect(got(juliet)).toEqual([]);
    juliet.send("<presence><show>away</show></presence>");
    await scene.settle();
    expect(got(juliet)).toEqual(["presence from juliet@a/balcony"]);
    await scene.core.accounts.load(romeo.account.jid);
    expect([stateOf(romeo, juliet), stateOf(juliet, romeo)]).toEqual(["none", "none"]);
  });

  it("end for every contact that is away, however small the cache of accounts is @1.6", async () => {
    const { scene, juliet } = await couple("[limits]\naccount_cache_bytes = 1");
    const names = ["nurse@a", "paris@a", "tybalt@a"];
    await scene.accounts(...names);
    for (const name of names) juliet.send(to(name, "subscribe"));
    await scene.settle();
    juliet.take();
    await scene.core.users.remove(juliet.account.jid);
    for (const name of names) expect(await scene.storage.load([name], ["roster"])).toEqual(new Map([[name, []]]));
  });

  it("end when an account is removed: its contacts are told and see it go @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    await scene.accounts("paris@a");
    const paris = await scene.device("paris@a/church");
    await online(scene, paris);
    await sees(scene, romeo, juliet);
    await sees(scene, juliet, romeo);
    paris.send(to("juliet@a", "subscribe"));
    await scene.settle();
    for (const device of [romeo, juliet, paris]) device.take();
    await scene.core.users.remove(juliet.account.jid);
    juliet.leave();
    await scene.settle();
    expect(got(romeo)).toEqual([
      "unsubscribe from juliet@a",
      "push juliet@a to",
      "unavailable from juliet@a/balcony",
      "unsubscribed from juliet@a",
      "push juliet@a none",
    ]);
    expect(got(paris)).toEqual(["unsubscribed from juliet@a", "push juliet@a none"]);
    expect(await scene.storage.load(["juliet@a"], ["roster"])).toEqual(new Map([["juliet@a", []]]));
  });
});

describe("subscriptions with a contact on another server (a fake remote port)", () => {
  async function far(): Promise<{
    scene: House;
    romeo: Device;
    sent: string[];
    arrive: (xml: string) => Promise<void>;
  }> {
    const sent: string[] = [];
    const remote: Remote = {
      decide: ({ stanza }) => void sent.push(`${line(stanza)} to ${String(stanza.to)}`),
    };
    const scene = await verona({ remote });
    await scene.accounts("romeo@a");
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, romeo);
    const arrive = async (xml: string): Promise<void> => {
      scene.context.start(new Flow(stanzaOf(xml), { kind: "remote", domain: "b" }, "received"));
      await scene.settle();
    };
    return { scene, romeo, sent, arrive };
  }

  it("take the same course: asked, granted, returned, cancelled @1.6", async () => {
    const { scene, romeo, sent, arrive } = await far();
    romeo.send(to("juliet@b/balcony", "subscribe"));
    await scene.settle();
    await arrive("<presence from='juliet@b' to='romeo@a' type='subscribed'/>");
    await arrive("<presence from='juliet@b/balcony' to='romeo@a'/>");
    expect(got(romeo)).toEqual([
      "push juliet@b none ask",
      "subscribed from juliet@b",
      "push juliet@b to",
      "presence from juliet@b/balcony",
    ]);
    await arrive("<presence from='juliet@b/balcony' to='romeo@a/orchard' type='subscribe'/>");
    romeo.send(to("juliet@b", "subscribed"));
    await scene.settle();
    expect(got(romeo)).toEqual(["subscribe from juliet@b", "push juliet@b both"]);
    await arrive("<presence from='juliet@b' to='romeo@a' type='unsubscribe'/>");
    await arrive("<presence from='juliet@b' to='romeo@a' type='unsubscribed'/>");
    expect(got(romeo)).toEqual([
      "unsubscribe from juliet@b",
      "push juliet@b to",
      "unsubscribed from juliet@b",
      "push juliet@b none",
    ]);
    expect(sent).toEqual([
      "subscribe from romeo@a to juliet@b",
      "subscribed from romeo@a to juliet@b",
      "presence from romeo@a/orchard to juliet@b",
      "unavailable from romeo@a/orchard to juliet@b",
    ]);
  });

  it("are probed at login, and probes from there are answered @1.6", async () => {
    const { scene, romeo, sent, arrive } = await far();
    romeo.send(to("juliet@b", "subscribe"));
    await scene.settle();
    await arrive("<presence from='juliet@b' to='romeo@a' type='subscribed'/>");
    await arrive("<presence from='juliet@b' to='romeo@a' type='subscribe'/>");
    romeo.send(to("juliet@b", "subscribed"));
    await scene.settle();
    sent.length = 0;
    await arrive("<presence from='juliet@b/balcony' to='romeo@a' type='probe'/>");
    await arrive("<presence from='stranger@b' to='romeo@a' type='probe'/>");
    await arrive("<presence from='stranger@b' to='nobody@a' type='probe'/>");
    const phone = await scene.device("romeo@a/phone");
    phone.send("<presence/>");
    await scene.settle();
    expect(sent).toEqual([
      "presence from romeo@a/orchard to juliet@b/balcony",
      "unsubscribed from romeo@a to stranger@b",
      "unsubscribed from nobody@a to stranger@b",
      "presence from romeo@a/phone to juliet@b",
      "probe from romeo@a/phone to juliet@b",
    ]);
  });
});

describe("answers to probes from another server (RFC 6121 §4.3.2.1, §4.6.6)", () => {
  async function probed(prepare: (romeo: Device) => void, ...probes: readonly string[]): Promise<readonly string[]> {
    const answers: string[] = [];
    const scene = await verona({ remote: { decide: ({ stanza }) => void answers.push(stanza.toWire()) } });
    await scene.accounts("romeo@a");
    const romeo = await scene.device("romeo@a/orchard");
    const start = (xml: string): void =>
      scene.context.start(new Flow(stanzaOf(xml), { kind: "remote", domain: "b" }, "received"));
    await online(scene, romeo);
    romeo.send(to("juliet@b", "subscribed"));
    start("<presence from='juliet@b' to='romeo@a' type='subscribe'/>");
    romeo.send("<presence id='mine'><show>away</show></presence>");
    prepare(romeo);
    await scene.settle();
    answers.length = 0;
    for (const xml of probes) start(xml);
    await scene.settle();
    return answers;
  }

  const probe = (from: string, whom: string): string => `<presence from='${from}' to='${whom}' type='probe' id='p'/>`;
  const nothing = (): void => undefined;

  it("carry the probe's id unless they are a presence that has its own @1.6", async () => {
    const whom = ["romeo@a", "romeo@a/gone"].map((jid) => probe("juliet@b", jid));
    expect(await probed(nothing, ...whom, probe("stranger@b", "romeo@a"), probe("stranger@b", "nobody@a/x"))).toEqual([
      "<presence from='romeo@a/orchard' to='juliet@b' id='mine'><show>away</show></presence>",
      "<presence from='romeo@a/gone' to='juliet@b' id='p' type='unavailable'/>",
      "<presence from='romeo@a' to='stranger@b' id='p' type='unsubscribed'/>",
      "<presence from='nobody@a' to='stranger@b' id='p' type='unsubscribed'/>",
    ]);
    const gone = await probed((romeo) => romeo.leave(), probe("juliet@b", "romeo@a"));
    expect(gone).toEqual(["<presence from='romeo@a' to='juliet@b' id='p' type='unavailable'/>"]);
  });

  it("about one resource tell no more than that it is there @1.6", async () => {
    expect(await probed(nothing, probe("juliet@b", "romeo@a/orchard"))).toEqual([
      "<presence from='romeo@a/orchard' to='juliet@b'/>",
    ]);
  });

  it("go to whom presence was sent directly, about that resource only @1.6 @R5", async () => {
    const direct = (romeo: Device): void => romeo.send("<presence to='room@b/nick'/>");
    const refused = (whom: string): string => `<presence from='romeo@a' to='${whom}' id='p' type='unsubscribed'/>`;
    expect(
      await probed(
        direct,
        probe("room@b/nick", "romeo@a/orchard"),
        probe("room@b/nick", "romeo@a"),
        probe("room@b/nick", "romeo@a/phone"),
        probe("room@b/other", "romeo@a/orchard"),
      ),
    ).toEqual([
      "<presence from='romeo@a/orchard' to='room@b/nick'/>",
      refused("room@b"),
      refused("room@b"),
      refused("room@b"),
    ]);
  });
});

describe("a domain that is not hosted (rulings 19)", () => {
  it("fails a request after the push with ask: the item is left without @1.6", async () => {
    const scene = await verona({ remote: unhosted });
    await scene.accounts("romeo@a");
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, romeo);
    romeo.send("<presence to='juliet@b/x' type='subscribe' id='1'/>");
    await scene.settle();
    const stanzas = romeo.take();
    expect(stanzas.map(line)).toEqual(["push juliet@b none ask", "error from juliet@b", "push juliet@b none"]);
    expect(stanzas[1]?.element.getChild("error")?.getChild("remote-server-not-found")).toBeDefined();
    expect(rosterOf(romeo.account).listed()).toMatchObject([{ state: "none" }]);
  });

  it("refuses messages and requests, and drops presence, probes, answers and errors @1.6", async () => {
    const scene = await verona({ remote: unhosted });
    await scene.accounts("romeo@a");
    const romeo = await scene.device("romeo@a/orchard");
    await online(scene, romeo);
    romeo.send("<message to='juliet@b' id='m'><body>x</body></message>");
    romeo.send("<iq to='juliet@b' id='i' type='get'><query xmlns='urn:x'/></iq>");
    romeo.send("<iq to='juliet@b' id='r' type='result'/>");
    romeo.send("<message to='juliet@b' id='e' type='error'/>");
    romeo.send("<presence to='juliet@b'/>");
    romeo.send(to("juliet@b", "unsubscribe"));
    romeo.send(to("juliet@b", "unavailable"));
    await scene.settle();
    expect(got(romeo)).toEqual(["error m remote-server-not-found", "error i remote-server-not-found"]);
  });
});
