import { describe, expect, it } from "@jest/globals";
import { Flow } from "../core/flow.js";
import { account, session, stanzaOf, type Device, type House } from "../core/testing/factories.js";
import { NS } from "../xml/namespaces.js";
import { ROSTER_STORE } from "./items.js";
import { presenceFeature, type PresencePorts } from "./presence.js";
import { got, line, online, sees, verona } from "./scene.test.support.js";

async function cast(...jids: readonly string[]): Promise<{ scene: House; devices: readonly Device[] }> {
  const scene = await verona();
  await scene.accounts(...new Set(jids.map((jid) => jid.replace(/\/.*/, ""))));
  const devices: Device[] = [];
  for (const jid of jids) devices.push(await scene.device(jid));
  return { scene, devices };
}

/** Romeo sees Juliet; both are online. */
async function couple(): Promise<{ scene: House; romeo: Device; juliet: Device }> {
  const { scene, devices } = await cast("romeo@a/orchard", "juliet@a/balcony");
  const [romeo, juliet] = devices as [Device, Device];
  await online(scene, romeo, juliet);
  await sees(scene, romeo, juliet);
  return { scene, romeo, juliet };
}

describe("presence as a step: what goes in and what comes out", () => {
  const item = (state: string): object => ({
    name: "",
    groups: [],
    state,
    approved: false,
    listed: true,
    request: "",
    ver: 1,
  });
  const docs = {
    [ROSTER_STORE]: { "from@b": item("from"), "both@b": item("both"), "to@b": item("to"), "none@b": item("none") },
  };
  const ports = {
    config: { limits: { directed_presence: 1 } },
    isHosted: () => false,
  } as unknown as PresencePorts;
  const step = presenceFeature(ports).sent?.presence?.store;
  const routed = (flow: Flow): string[] =>
    flow.hops.slice(1).map(({ stanza }) => `${line(stanza)} to ${String(stanza.to)}`);

  it("initial presence goes to subscribers, probes to those the user sees, nothing else and nothing to the store @1.6", () => {
    const juliet = account("juliet@a", docs);
    const balcony = session(juliet, "balcony");
    const flow = new Flow(
      stanzaOf("<presence from='juliet@a/balcony'/>"),
      { kind: "session", session: balcony },
      "sent",
    );
    expect(step?.(flow, juliet)).toBeUndefined();
    expect(routed(flow)).toEqual([
      "presence from juliet@a/balcony to from@b",
      "presence from juliet@a/balcony to both@b",
      "probe from juliet@a/balcony to both@b",
      "probe from juliet@a/balcony to to@b",
    ]);
    expect(flow.writes).toEqual([]);
    expect(balcony.isAvailable).toBe(true);
  });

  it("later presence goes to subscribers only @1.6", () => {
    const juliet = account("juliet@a", docs);
    const balcony = session(juliet, "balcony", "<presence/>");
    const flow = new Flow(
      stanzaOf("<presence from='juliet@a/balcony'/>"),
      { kind: "session", session: balcony },
      "sent",
    );
    step?.(flow, juliet);
    expect(routed(flow)).toEqual([
      "presence from juliet@a/balcony to from@b",
      "presence from juliet@a/balcony to both@b",
    ]);
  });

  it.each<[string, number | undefined]>([
    ["<priority>-128</priority>", -128],
    ["<priority>127</priority>", 127],
    ["<priority> 5 </priority>", 5],
    ["", 0],
    ["<priority>128</priority>", undefined],
    ["<priority>-129</priority>", undefined],
    ["<priority>1.5</priority>", undefined],
    ["<priority>high</priority>", undefined],
    ["<priority/>", undefined],
  ])("a priority is a whole number from -128 to 127: %s is %s @1.6 @1.bad", (content, priority) => {
    const juliet = account("juliet@a");
    const balcony = session(juliet, "balcony");
    const stanza = stanzaOf(`<presence from='juliet@a/balcony'>${content}</presence>`);
    const result = step?.(new Flow(stanza, { kind: "session", session: balcony }, "sent"), juliet);
    expect(balcony.isAvailable).toBe(priority !== undefined);
    if (priority === undefined) expect(result).toMatchObject({ condition: "bad-request" });
    else expect(balcony.priority).toBe(priority);
  });
});

describe("broadcast presence", () => {
  it("comes back to the sender and reaches subscribers, addressed to the bare JID @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.send("<presence><show>away</show></presence>");
    await scene.settle();
    expect(got(juliet)).toEqual(["presence from juliet@a/balcony"]);
    expect(romeo.take().map((stanza) => stanza.toWire())).toEqual([
      "<presence from='juliet@a/balcony' to='romeo@a'><show>away</show></presence>",
    ]);
  });

  it("goes one way only where the subscription does @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    romeo.send("<presence><show>away</show></presence>");
    await scene.settle();
    expect(got(juliet)).toEqual([]);
  });

  it("tells a new resource of its siblings and its contacts, and them of it @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    const phone = await scene.device("romeo@a/phone");
    phone.send("<presence/>");
    await scene.settle();
    expect([...got(phone)].sort()).toEqual([
      "presence from juliet@a/balcony",
      "presence from romeo@a/orchard",
      "presence from romeo@a/phone",
    ]);
    expect(got(romeo)).toEqual(["presence from romeo@a/phone"]);
    expect(got(juliet)).toEqual([]);
  });

  it("does not load contacts who are away @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    romeo.leave();
    await scene.settle();
    const flow = new Flow(
      stanzaOf("<presence from='juliet@a/balcony'/>"),
      { kind: "session", session: juliet.session },
      "sent",
    );
    presenceFeature(scene.context).sent?.presence?.store?.(flow, juliet.account);
    expect(flow.hops).toHaveLength(1);
  });

  it("reaches a contact whose account must be loaded again after a failed commit @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    scene.storage.failNext("refused");
    romeo.send("<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='paris@a'/></query></iq>");
    await scene.settle();
    expect(got(romeo)).toEqual(["error 1 resource-constraint"]);
    juliet.send("<presence><show>dnd</show></presence>");
    await scene.settle();
    expect(got(romeo)).toEqual(["presence from juliet@a/balcony"]);
  });
});

describe("unavailable presence", () => {
  it.each(["<presence type='unavailable'><status>bye</status></presence>", undefined])(
    "reaches whoever saw the resource, whether it was sent (%s) or the stream ended @1.6",
    async (xml) => {
      const { scene, romeo, juliet } = await couple();
      const phone = await scene.device("juliet@a/phone");
      phone.send("<presence/>");
      await scene.settle();
      for (const device of [romeo, juliet, phone]) device.take();
      if (xml) juliet.send(xml);
      else juliet.leave();
      await scene.settle();
      expect(got(romeo)).toEqual(["unavailable from juliet@a/balcony"]);
      expect(got(phone)).toEqual(["unavailable from juliet@a/balcony"]);
      expect(juliet.session.isAvailable).toBe(false);
    },
  );

  it("is sent once, and not for a resource that never was available @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    const silent = await scene.device("juliet@a/silent");
    silent.leave();
    juliet.send("<presence type='unavailable'/>");
    juliet.send("<presence type='unavailable'/>");
    juliet.leave();
    await scene.settle();
    expect(got(romeo)).toEqual(["unavailable from juliet@a/balcony"]);
  });

  it("is followed by initial presence when the resource comes back: it is told of its contacts again @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    romeo.send("<presence type='unavailable'/>");
    romeo.send("<presence/>");
    await scene.settle();
    expect(got(romeo)).toContain("presence from juliet@a/balcony");
    expect(got(juliet)).toEqual([]);
  });
});

describe("directed presence (RFC 6121 §4.6)", () => {
  it("is remembered: whoever got it is told when the resource goes, once @1.6", async () => {
    const { scene, devices } = await cast("romeo@a/orchard", "juliet@a/balcony", "paris@a/church");
    const [romeo, juliet, paris] = devices as [Device, Device, Device];
    await online(scene, romeo, paris);
    juliet.send("<presence to='romeo@a/orchard'/>");
    juliet.send("<presence to='paris@a'/>");
    juliet.send("<presence to='paris@a' type='unavailable'/>");
    await scene.settle();
    expect(got(romeo)).toEqual(["presence from juliet@a/balcony"]);
    expect(got(paris)).toEqual(["presence from juliet@a/balcony", "unavailable from juliet@a/balcony"]);
    juliet.leave();
    await scene.settle();
    expect(got(romeo)).toEqual(["unavailable from juliet@a/balcony"]);
    expect(got(paris)).toEqual([]);
  });

  it("to a subscriber is not taken back twice @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.send("<presence to='romeo@a'/>");
    juliet.send("<presence to='romeo@a/orchard'/>");
    await scene.settle();
    romeo.take();
    juliet.leave();
    await scene.settle();
    expect(got(romeo)).toEqual(["unavailable from juliet@a/balcony"]);
  });

  it("gives no answer to probes of those who got it @1.6 @R5", async () => {
    const { scene, devices } = await cast("romeo@a/orchard", "juliet@a/balcony");
    const [romeo, juliet] = devices as [Device, Device];
    await online(scene, romeo, juliet);
    juliet.send("<presence to='romeo@a'/>");
    await scene.settle();
    romeo.take();
    romeo.send("<presence to='juliet@a' type='probe'/>");
    await scene.settle();
    expect(got(romeo)).toEqual([]);
  });

  it("goes to no more addresses than the limit allows @1.6 @1.bad @limit.directed_presence", async () => {
    const scene = await verona({ toml: "[limits]\ndirected_presence = 2" });
    await scene.accounts("juliet@a");
    const juliet = await scene.device("juliet@a/balcony");
    for (const jid of ["x@a", "y@a", "x@a", "z@a"]) juliet.send(`<presence to='${jid}'/>`);
    await scene.settle();
    expect(got(juliet)).toEqual(["error from z@a"]);
  });

  const answers = {
    "unavailable presence": " type='unavailable'/>",
    "an error": ` type='error'><error type='cancel'><service-unavailable xmlns='${NS.stanzaErrors}'/></error></presence>`,
    "an error about this presence alone": ` type='error'><error type='wait'><resource-constraint xmlns='${NS.stanzaErrors}'/></error></presence>`,
  };

  it.each([
    ["forgotten", "unavailable presence", []],
    ["forgotten", "an error", []],
    ["taken back all the same", "an error about this presence alone", ["unavailable from juliet@a/balcony"]],
  ] as const)("is %s where %s came back @1.6", async (_, answer, heard) => {
    const { scene, devices } = await cast("romeo@a/orchard", "juliet@a/balcony");
    const [romeo, juliet] = devices as [Device, Device];
    await online(scene, romeo);
    juliet.send("<presence to='romeo@a/orchard'/>");
    await scene.settle();
    romeo.send(`<presence to='juliet@a/balcony'${answers[answer]}`);
    await scene.settle();
    romeo.take();
    juliet.leave();
    await scene.settle();
    expect(got(romeo)).toEqual(heard);
  });
});

describe("probes (RFC 6121 §4.3)", () => {
  it("of one's own account bring the other resources @1.6", async () => {
    const { scene, devices } = await cast("juliet@a/balcony", "juliet@a/phone");
    const [balcony, phone] = devices as [Device, Device];
    await online(scene, balcony, phone);
    balcony.send("<presence to='juliet@a' type='probe'/>");
    await scene.settle();
    expect(got(balcony)).toEqual(["presence from juliet@a/phone"]);
  });

  it("of strangers are the same silence whether there is an account or not @1.6 @R5", async () => {
    const { scene, devices } = await cast("romeo@a/orchard", "juliet@a/balcony");
    const [romeo, juliet] = devices as [Device, Device];
    await online(scene, romeo, juliet);
    romeo.send("<presence to='juliet@a' type='subscribe'/>");
    romeo.send("<presence to='nobody@a' type='subscribe'/>");
    await scene.settle();
    romeo.take();
    for (const jid of ["juliet@a", "nobody@a", "juliet@a/balcony", "nobody@a/balcony"])
      romeo.send(`<presence to='${jid}' type='probe'/>`);
    await scene.settle();
    expect(got(romeo)).toEqual([]);
  });

  it("of a resource are answered for that resource @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    const phone = await scene.device("juliet@a/phone");
    phone.send("<presence/>");
    await scene.settle();
    for (const device of [romeo, juliet, phone]) device.take();
    romeo.send("<presence to='juliet@a/phone' type='probe'/>");
    romeo.send("<presence to='juliet@a/gone' type='probe'/>");
    await scene.settle();
    expect(got(romeo)).toEqual(["presence from juliet@a/phone", "unavailable from juliet@a/gone"]);
  });

  it("at login tell of contacts who are away when and how they went @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.leave();
    romeo.leave();
    await scene.settle();
    const doc = { v: 1, at: Date.UTC(2030, 5, 1), status: "gone <fishing>" };
    await scene.core.committer.commit([{ op: "put", store: "last", owner: "juliet@a", key: "", doc }]);
    const phone = await scene.device("romeo@a/phone");
    phone.send("<presence/>");
    await scene.settle();
    expect(phone.take().map((stanza) => stanza.toWire())).toEqual([
      "<presence from='romeo@a/phone' to='romeo@a'/>",
      "<presence from='juliet@a' to='romeo@a/phone' type='unavailable'><status>gone &lt;fishing&gt;</status>" +
        "<delay xmlns='urn:xmpp:delay' from='juliet@a' stamp='2030-06-01T00:00:00.000Z'/></presence>",
    ]);
  });

  it("at login say unavailable of those who never were there, also after a restart @1.6", async () => {
    const { scene } = await couple();
    const again = await verona({ disk: scene.disk });
    const romeo = await again.device("romeo@a/orchard");
    romeo.send("<presence/>");
    await again.settle();
    expect(got(romeo)).toEqual(["presence from romeo@a/orchard", "unavailable from juliet@a"]);
  });

  it("never tell of an absence that is over @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.leave();
    romeo.leave();
    await scene.settle();
    const balcony = await scene.device("juliet@a/balcony");
    const orchard = await scene.device("romeo@a/orchard");
    orchard.send("<presence/>");
    balcony.send("<presence/>");
    await scene.settle();
    expect(got(orchard).at(-1)).toBe("presence from juliet@a/balcony");
  });

  it("never tell of an absence that was over when it was read, however short the presence was since @1.6", async () => {
    const { scene, romeo, juliet } = await couple();
    juliet.leave();
    romeo.leave();
    await scene.settle();
    const orchard = await scene.device("romeo@a/orchard");
    const balcony = await scene.device("juliet@a/balcony");
    orchard.send("<presence/>"); // asks, and the store answers later
    balcony.send("<presence/>");
    balcony.send("<presence type='unavailable'/>");
    await scene.settle();
    expect(got(orchard).slice(1)).toEqual(["presence from juliet@a/balcony", "unavailable from juliet@a/balcony"]);
    orchard.send("<presence to='juliet@a' type='probe'/>");
    await scene.settle();
    expect(got(orchard)).toEqual(["unavailable from juliet@a"]);
  });
});

describe("presence of other kinds", () => {
  it("errors without an address go nowhere; those with one arrive @1.6", async () => {
    const { scene, devices } = await cast("romeo@a/orchard", "juliet@a/balcony");
    const [romeo, juliet] = devices as [Device, Device];
    await online(scene, romeo, juliet);
    juliet.send("<presence type='error'/>");
    juliet.send("<presence type='error' to='romeo@a/orchard'/>");
    await scene.settle();
    expect(got(romeo)).toEqual(["error from juliet@a/balcony"]);
    expect(got(juliet)).toEqual([]);
  });
});
