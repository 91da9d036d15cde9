import { describe, expect, it } from "@jest/globals";
import { idToText } from "../core/ids.js";
import { features } from "../features.js";
import { NS } from "../xml/namespaces.js";
import { type Device, World } from "./world.test.kit.js";

const stanzaId = (by: string, id = "forged") => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/>`;
const FORGED = [
  "juliet@localhost",
  "JULIET@LocalHost",
  "juliet@localhost.",
  "&#x6a;uliet@localhost",
  "ｊuliet@localhost",
  "juliet@localhost/balcony",
];

async function verona() {
  const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"] });
  const romeo = await world.device("romeo@localhost/orchard");
  const juliet = await world.device("juliet@localhost/balcony");
  await juliet.sends("<presence/>");
  juliet.received.length = 0;
  return { world, romeo, juliet };
}

/** "by id" of each of the last message. */
const idsIn = (device: Device) =>
  device.messages
    .at(-1)
    ?.element.getChildren("stanza-id", NS.stanzaIds)
    .map(({ attrs }) => `${String(attrs["by"])} ${String(attrs["id"])}`);

describe("a stanza-id in the name of the account", () => {
  it.each([...FORGED.map((by) => [by]), FORGED])(
    "that somebody else put there goes, and ours is the only one: %j @R3",
    async (...by) => {
      const { world, romeo, juliet } = await verona();
      const forged = by.map((one) => stanzaId(one)).join("<body>x</body>");
      await romeo.sends(`<message to='juliet@localhost' type='chat'>${forged}<body>hi</body></message>`);
      const [row] = await world.storage.log("juliet@localhost", { limit: 1 });
      expect(idsIn(juliet)).toEqual([`juliet@localhost ${idToText(row?.id ?? 0)}`]);
      expect(row?.stanza).not.toContain("forged");
    },
  );

  it("goes also where nothing is kept, and none is added @R3", async () => {
    const { romeo, juliet } = await verona();
    const content = `<body>hi</body><no-store xmlns='urn:xmpp:hints'/>${stanzaId("juliet@localhost")}`;
    await romeo.sends(`<message to='juliet@localhost' type='chat'>${content}</message>`);
    await romeo.sends(`<message to='juliet@localhost' type='headline'>${content}</message>`);
    expect(juliet.messages).toHaveLength(2);
    for (const message of juliet.messages) expect(message.has("stanza-id", NS.stanzaIds)).toBe(false);
  });

  it("goes from what the account itself sends; those of others stay, and so does the origin id @R3", async () => {
    const { world, romeo, juliet } = await verona();
    const content = `${stanzaId("romeo@localhost")}${stanzaId("room@a", "r")}${stanzaId("not a jid@", "n")}<body>hi</body>`;
    const origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o&apos;1'/>";
    await romeo.sends(`<message to='juliet@localhost' type='chat'>${content}${origin}</message>`);
    expect(idsIn(juliet)?.slice(0, 2)).toEqual(["room@a r", "not a jid@ n"]);
    expect(juliet.messages[0]?.toWire()).toContain(origin);
    const rows = await world.storage.log("romeo@localhost", { limit: 2 });
    expect(rows.map(({ stanza, originId }) => [stanza.includes("romeo@localhost'/>"), originId])).toEqual([
      [false, "o'1"],
    ]);
  });

  it("goes by the thousand in one go @R3 @R9", async () => {
    const { romeo, juliet } = await verona();
    const many = stanzaId("juliet@localhost").repeat(4000);
    await romeo.sends(`<message to='juliet@localhost' type='chat'><body>a</body>${many}<subject>b</subject></message>`);
    const [message] = juliet.messages;
    expect(message?.children.map(({ name }) => name)).toEqual(["body", "subject", "stanza-id"]);
  });

  it("is promised by the server and the account @2.2", async () => {
    const { juliet } = await verona();
    for (const to of ["localhost", "juliet@localhost"]) {
      const info = await juliet.asks(`<iq type='get' id='d' to='${to}'><query xmlns='${NS.discoInfo}'/></iq>`);
      const vars = info
        .getChild("query")
        ?.getChildren("feature")
        .map(({ attrs }) => attrs["var"] as string);
      expect(vars).toEqual(expect.arrayContaining(["urn:xmpp:sid:0", "urn:xmpp:message-retract:1#tombstone"]));
    }
  });
});
