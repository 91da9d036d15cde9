// What somebody without a subscription learns of an account: the same as of one that does not exist (rulings 26), but for what is
// public on purpose, and whether there is a mailbox at all, which messages cannot hide (RFC 6121 §8.5).
import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { NS } from "../xml/namespaces.js";
import { befriend, type Device, World } from "./world.test.kit.js";

const ACCOUNTS = ["juliet@localhost", "romeo@localhost"];

/** How things stand with Juliet when Romeo asks. */
const SITUATIONS: Record<string, (world: World, romeo: Device) => Promise<void>> = {
  "was never there": () => Promise.resolve(),
  "was there": async (world) => (await online(world)).goes(),
  "is online": async (world) => {
    await online(world);
  },
  "is connected without presence": async (world) => {
    await world.device("juliet@localhost/balcony");
  },
  "has his request before her": async (world, romeo) => {
    await online(world);
    await romeo.sends("<presence to='juliet@localhost' type='subscribe'/>");
  },
  "sees him, but not he her": async (world, romeo) => befriend(await online(world), romeo),
  "has cancelled his subscription": async (world, romeo) => {
    const juliet = await online(world);
    await befriend(romeo, juliet);
    await juliet.sends("<presence to='romeo@localhost' type='unsubscribed'/>");
  },
  "is in his roster": async (world, romeo) => {
    await online(world);
    await romeo.sends(`<iq type='set' id='r'><query xmlns='${NS.roster}'><item jid='juliet@localhost'/></query></iq>`);
  },
};

const PAYLOADS = [
  `<query xmlns='${NS.discoInfo}'/>`,
  `<query xmlns='${NS.discoInfo}' node='urn:x'/>`,
  `<query xmlns='${NS.discoItems}'/>`,
  `<query xmlns='${NS.discoItems}' node='urn:x'/>`,
  `<query xmlns='${NS.lastActivity}'/>`,
  `<query xmlns='${NS.version}'/>`,
  `<time xmlns='${NS.time}'/>`,
  `<ping xmlns='${NS.ping}'/>`,
  `<vCard xmlns='${NS.vcardTemp}'/>`,
  `<query xmlns='${NS.privateXml}'><x xmlns='urn:x'/></query>`,
  `<query xmlns='${NS.roster}'/>`,
  `<query xmlns='${NS.roster}'><item jid='x@localhost'/></query>`,
  `<query xmlns='${NS.register}'/>`,
  `<query xmlns='${NS.register}'><remove/></query>`,
  `<session xmlns='${NS.session}'/>`,
  `<query xmlns='${NS.mam}'/>`,
  `<metadata xmlns='${NS.mam}'/>`,
  `<query xmlns='urn:unknown'/>`,
];

const IQS = PAYLOADS.flatMap((payload) =>
  ["get", "set"].flatMap((type) =>
    ["JULIET", "JULIET/gone"].map((to) => `<iq type='${type}' id='1' to='${to}'>${payload}</iq>`),
  ),
);

const PRESENCE = [
  "",
  "unavailable",
  "probe",
  "error",
  "subscribed",
  "unsubscribe",
  "unsubscribed",
  "subscribe",
].flatMap((type) => ["JULIET", "JULIET/gone"].map((to) => `<presence to='${to}' ${type && `type='${type}'`}/>`));

const MESSAGES = [
  "<message to='JULIET' type='headline'><body>hi</body></message>",
  "<message to='JULIET' type='groupchat'><body>hi</body></message>",
  "<message to='JULIET' type='error'><body>hi</body></message>",
  "<message to='JULIET/gone' type='normal'><body>hi</body></message>",
  "<message to='JULIET/gone' type='headline'><body>hi</body></message>",
  "<message to='JULIET/gone' type='groupchat'><body>hi</body></message>",
];

async function online(world: World): Promise<Device> {
  const juliet = await world.device("juliet@localhost/balcony");
  await juliet.sends(`<iq type='get' id='r'><query xmlns='${NS.roster}'/></iq>`);
  await juliet.sends("<presence/>");
  return juliet;
}

/** What romeo is sent for each stanza, in a world with juliet in this situation or, without one, with no juliet. */
async function learned(stanzas: readonly string[], situation?: string): Promise<Record<string, string>> {
  const world = await World.open(features, { accounts: ACCOUNTS });
  const romeo = await world.device("romeo@localhost/orchard");
  await romeo.sends("<presence/>");
  await SITUATIONS[situation ?? ""]?.(world, romeo);
  const whom = situation === undefined ? "nobody" : "juliet";
  const told: Record<string, string> = {};
  for (const stanza of stanzas) {
    romeo.received.length = 0;
    await romeo.sends(stanza.replaceAll("JULIET", `${whom}@localhost`));
    await world.settled();
    told[stanza] = romeo.received
      .map((one) => one.toWire())
      .join("")
      .replaceAll(whom, "JULIET");
  }
  return told;
}

describe("a stranger", () => {
  it.each(Object.keys(SITUATIONS))(
    "learns from no request and no message whether somebody %s @1.8 @R5",
    async (situation) => {
      const stanzas = [...IQS, ...MESSAGES];
      expect(await learned(stanzas, situation)).toEqual(await learned(stanzas));
    },
  );

  it.each(Object.keys(SITUATIONS))("learns from no presence whether somebody %s @1.6 @R5", async (situation) => {
    const told = await learned(PRESENCE, situation);
    const pushes = Object.entries(told).map(([stanza, what]) => [stanza, what.includes("<iq ") ? "" : what]);
    expect(Object.fromEntries(pushes)).toEqual(await learned(PRESENCE));
  });

  it.each([
    "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    "<body>hi</body><no-store xmlns='urn:xmpp:hints'/>",
  ])("does not learn from what is not stored whether somebody is online: %s @1.7 @R5", async (content) => {
    const stanzas = ["normal", "chat"].map((type) => `<message to='JULIET' type='${type}'>${content}</message>`);
    expect(await learned(stanzas, "was there")).toEqual(await learned(stanzas, "is online"));
  });
});

describe("a full JID that nobody has bound", () => {
  const WHOM = {
    "no such account": "nobody@localhost/gone",
    "nobody online": "juliet@localhost/gone",
    "somebody online at another resource": "mercutio@localhost/gone",
  };
  const REFUSED = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
  const refused = (head: string): string => `<${head} from='WHOM' to='romeo@localhost/orchard' id='1' type='error'>`;

  it.each([
    ["<message type='normal' id='1' to='WHOM'><body>hi</body></message>", `${refused("message")}${REFUSED}</message>`],
    [
      "<message type='groupchat' id='1' to='WHOM'><body>hi</body></message>",
      `${refused("message")}${REFUSED}</message>`,
    ],
    ["<message type='headline' id='1' to='WHOM'><body>hi</body></message>", ""],
    ["<iq type='get' id='1' to='WHOM'><ping xmlns='urn:xmpp:ping'/></iq>", `${refused("iq")}${REFUSED}</iq>`],
    ["<iq type='set' id='1' to='WHOM'><x xmlns='urn:x'/></iq>", `${refused("iq")}${REFUSED}</iq>`],
    ["<iq type='result' id='1' to='WHOM'/>", ""],
    ["<presence id='1' to='WHOM'/>", ""],
    ["<presence type='probe' id='1' to='WHOM'/>", ""],
  ])("answers %s alike, whoever has the account @1.8 @R5", async (stanza, answer) => {
    const world = await World.open(features, { accounts: [...ACCOUNTS, "mercutio@localhost"] });
    const romeo = await world.device("romeo@localhost/orchard");
    await romeo.sends("<presence/>");
    await (await world.device("mercutio@localhost/street")).sends("<presence/>");
    for (const [who, jid] of Object.entries(WHOM)) {
      romeo.received.length = 0;
      await romeo.sends(stanza.replace("WHOM", jid));
      await world.settled();
      const told = romeo.received.map((one) => one.toWire().replaceAll(jid, "WHOM")).join("");
      expect([who, told]).toEqual([who, answer]);
    }
  });

  it("keeps a chat message for an account that exists, as RFC 6121 §8.5.3.2.1 has it: that much a stranger learns @1.7", async () => {
    const world = await World.open(features, { accounts: ACCOUNTS });
    const romeo = await world.device("romeo@localhost/orchard");
    for (const jid of ["nobody@localhost/gone", "juliet@localhost/gone"])
      await romeo.sends(`<message type='chat' id='${jid}' to='${jid}'><body>hi</body></message>`);
    await world.settled();
    expect(romeo.received.map(({ id }) => id)).toEqual(["nobody@localhost/gone"]);
  });

  it.each([
    ["a message", "<message type='normal' id='1' to='WHOM'><body>hi</body></message>"],
    ["an IQ", "<iq type='get' id='1' to='WHOM'><ping xmlns='urn:xmpp:ping'/></iq>"],
  ])("tells whoever guesses it no more by %s than by another stanza @1.6 @R5", async (_, stanza) => {
    const world = await World.open(features, { accounts: ACCOUNTS });
    const romeo = await world.device("romeo@localhost/orchard");
    const juliet = await world.device("juliet@localhost/balcony");
    for (const resource of ["balcony", "gone"])
      await romeo.sends(stanza.replace("WHOM", `juliet@localhost/${resource}`));
    await world.settled();
    expect(juliet.received.map(({ id, from }) => [id, String(from)])).toEqual([["1", "romeo@localhost/orchard"]]);
    expect(romeo.received.map(({ type, from }) => [type, String(from)])).toEqual([["error", "juliet@localhost/gone"]]);
  });

  it("is another thing than one that is bound: what strangers ask there is for the client to answer @1.8", async () => {
    const world = await World.open(features, { accounts: ACCOUNTS });
    const romeo = await world.device("romeo@localhost/orchard");
    const juliet = await world.device("juliet@localhost/balcony");
    await romeo.sends("<iq type='get' id='1' to='juliet@localhost/balcony'><ping xmlns='urn:xmpp:ping'/></iq>");
    expect(juliet.received.map(({ id, from }) => [id, String(from)])).toEqual([["1", "romeo@localhost/orchard"]]);
  });
});
