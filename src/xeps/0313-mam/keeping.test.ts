import { describe, expect, it } from "@jest/globals";
import { idToText } from "../../core/ids.js";
import { features } from "../../features.js";
import type { LogRow } from "../../storage/port.js";
import { NS } from "../../xml/namespaces.js";
import { sentMark } from "./resent.js";
import { conditionOf, type Device, World, type WorldOptions } from "../world.test.kit.js";

const JULIET = "juliet@localhost";
const ROMEO = "romeo@localhost";
const BODY = "<body>hi</body>";
const ORIGIN = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>";
const hint = (name: string) => `<${name} xmlns='urn:xmpp:hints'/>`;
const message = (content = BODY, attributes = "type='chat'", to = JULIET) =>
  `<message to='${to}' ${attributes}>${content}</message>`;
const setting = (value: string) => `[archive]\ndefault = "${value}"`;

async function verona(options: WorldOptions = {}) {
  const world = await World.open(features, { accounts: [JULIET, ROMEO], ...options });
  const romeo = await world.device(`${ROMEO}/orchard`);
  return { world, romeo };
}

async function online(world: World, full = `${JULIET}/balcony`, presence = "<presence/>"): Promise<Device> {
  const device = await world.device(full);
  await device.sends(presence);
  return device;
}

const logOf = (world: World, owner: string): Promise<readonly LogRow[]> => world.storage.log(owner, { limit: 100 });

/** Each entry in short: "shown", "hidden", with "pending" and "empty". */
async function kept(world: World, owner: string): Promise<readonly string[]> {
  return (await logOf(world, owner)).map(({ hidden, pending, stanza }) =>
    [hidden ? "hidden" : "shown", pending ? "pending" : "", stanza === "" ? "empty" : ""].filter(Boolean).join(" "),
  );
}

const stanzaIds = ({ messages }: Device) =>
  messages.map((stanza) => String(stanza.child("stanza-id", NS.stanzaIds)?.attrs["id"]));
const errorsAt = (device: Device) => device.received.map((stanza) => conditionOf(stanza.element)).filter(Boolean);

describe("a message has one entry for its sender and one for its recipient", () => {
  it("as it was sent, self-contained, with the other side's address and the origin id @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(message(BODY + ORIGIN, "id='m' type='chat'", `${JULIET}/balcony`));
    const stanza =
      "<message xmlns='jabber:client' from='romeo@localhost/orchard' to='juliet@localhost/balcony' id='m' type='chat' xml:lang='en'>" +
      `${BODY}${ORIGIN}</message>`;
    const same = { stanza, originId: "o1", hidden: false };
    expect(await logOf(world, JULIET)).toMatchObject([{ ...same, with: ROMEO, resource: "orchard", pending: true }]);
    expect(await logOf(world, ROMEO)).toMatchObject([{ ...same, with: JULIET, resource: "balcony", pending: false }]);
  });

  it("written together, the recipient's first @2.1 @R3", async () => {
    const { world, romeo } = await verona();
    const units: string[][] = [];
    const commit = world.storage.commit.bind(world.storage);
    world.storage.commit = (batch) => {
      units.push(...batch.map(({ writes }) => writes.map(({ op, owner }) => `${op} ${owner}`)));
      return commit(batch);
    };
    await romeo.sends(message());
    await romeo.sends(message(BODY + ORIGIN));
    expect(units).toEqual([
      [`append ${JULIET}`, `append ${ROMEO}`],
      [`append ${JULIET}`, `append ${ROMEO}`],
    ]);
  });

  it.each([ROMEO, `${ROMEO}/orchard`, `${ROMEO}/phone`])(
    "and one in all if it is to oneself, at %s @2.1",
    async (to) => {
      const { world, romeo } = await verona();
      await romeo.sends("<presence/>");
      const phone = await online(world, `${ROMEO}/phone`);
      await romeo.sends(message(BODY + ORIGIN, "type='chat'", to));
      expect(await logOf(world, ROMEO)).toMatchObject([{ with: ROMEO, hidden: false, pending: false, originId: "o1" }]);
      expect(romeo.bodies.length + phone.bodies.length).toBe(to === ROMEO ? 2 : 1);
    },
  );

  it("however many devices get a copy, all with the same stanza-id, which the sender's contacts do not see @2.1 @R3", async () => {
    const { world, romeo } = await verona();
    const [balcony, phone] = [await online(world), await online(world, `${JULIET}/phone`)];
    await romeo.sends(message());
    const [row, ...others] = await logOf(world, JULIET);
    expect(others).toEqual([]);
    const id = idToText(row?.id ?? 0);
    expect([stanzaIds(balcony), stanzaIds(phone)]).toEqual([[id], [id]]);
    expect(balcony.messages[0]?.toWire()).toContain(
      `<body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='${JULIET}' id='${id}'/></message>`,
    );
  });

  it("no longer pending once one device has it, and pending still for one of negative priority @2.1", async () => {
    const { world, romeo } = await verona();
    const lurker = await online(world, `${JULIET}/lurker`, "<presence><priority>-1</priority></presence>");
    await romeo.sends(message(BODY, "type='chat'", `${JULIET}/lurker`));
    expect([lurker.bodies, await kept(world, JULIET)]).toEqual([["hi"], ["shown pending"]]);
    const balcony = await online(world);
    expect([balcony.bodies, await kept(world, JULIET)]).toEqual([["hi"], ["shown"]]);
    expect(stanzaIds(balcony)).toEqual(stanzaIds(lurker));
  });

  it("waits for the next login if the device that was there breaks off, with the same stanza-id, on two logins @2.1 @2.2", async () => {
    const { world, romeo } = await verona();
    const balcony = await online(world);
    balcony.stall();
    await romeo.sends(message());
    await balcony.breaks();
    const phone = await online(world, `${JULIET}/phone`);
    expect(stanzaIds(phone)).toEqual(stanzaIds(balcony));
    expect(phone.messages.map((stanza) => stanza.has("delay", NS.delay))).toEqual([true]);
    await phone.goes();
    expect((await online(world)).bodies).toEqual([]);
  });

  it("is there again after a restart, shown and delivered once @2.1", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(message());
    const again = await World.open(features, { disk: world.disk, clock: world.clock });
    const balcony = await online(again);
    expect(stanzaIds(balcony)).toEqual([idToText((await logOf(again, JULIET))[0]?.id ?? 0)]);
    expect(await kept(again, JULIET)).toEqual(["shown"]);
  });

  it("has none where the commit was refused @2.1 @2.bad", async () => {
    const { world, romeo } = await verona();
    world.storage.failNext("refused");
    await romeo.sends(message());
    expect([errorsAt(romeo), await kept(world, JULIET), await kept(world, ROMEO)]).toEqual([
      ["resource-constraint"],
      [],
      [],
    ]);
  });
});

describe("what is kept, with the recipient away and there", () => {
  it.each([
    ["a chat", "type='chat'", BODY, ["shown pending"], ["shown"], ["shown"]],
    ["a normal message", "", BODY, ["shown pending"], ["shown"], ["shown"]],
    [
      "a receipt",
      "type='chat'",
      "<received xmlns='urn:xmpp:receipts' id='1'/>",
      ["shown pending"],
      ["shown"],
      ["shown"],
    ],
    ["store", "type='chat'", hint("store"), ["shown pending"], ["shown"], ["shown"]],
    ["no-permanent-store", "type='chat'", BODY + hint("no-permanent-store"), ["hidden pending"], [], []],
    ["no-store", "type='chat'", BODY + hint("no-store"), [], [], []],
    ["a chat state", "type='chat'", "<active xmlns='http://jabber.org/protocol/chatstates'/>", [], [], []],
    ["a headline", "type='headline'", BODY, [], [], []],
    ["a groupchat", "type='groupchat'", BODY, [], [], []],
    ["an error", "type='error'", BODY + hint("store"), [], [], []],
  ])("%s @2.2", async (_, attributes, content, away, there, sender) => {
    const { world, romeo } = await verona();
    await romeo.sends(message(content, attributes));
    expect([await kept(world, JULIET), await kept(world, ROMEO)]).toEqual([away, sender]);
    const second = await verona();
    await online(second.world);
    await second.romeo.sends(message(content, attributes));
    expect([await kept(second.world, JULIET), await kept(second.world, ROMEO)]).toEqual([there, sender]);
  });

  it("of what is hidden no content, once it was delivered @2.1", async () => {
    const { world, romeo } = await verona({ config: setting("never") });
    await romeo.sends(message());
    expect(await kept(world, JULIET)).toEqual(["hidden pending"]);
    const balcony = await online(world);
    const [row] = await logOf(world, JULIET);
    expect([balcony.bodies, stanzaIds(balcony), row?.stanza]).toEqual([["hi"], [idToText(row?.id ?? 0)], ""]);
  });

  it("nothing at all of what is hidden from both and delivered at once @2.1", async () => {
    const { world, romeo } = await verona({ config: setting("never") });
    const balcony = await online(world);
    await romeo.sends(message(BODY + ORIGIN));
    expect([balcony.bodies, await kept(world, JULIET), await kept(world, ROMEO)]).toEqual([["hi"], [], []]);
  });

  it("of what the sender hides, that it was sent, if it has an origin id @2.1", async () => {
    const { world, romeo } = await verona({ config: setting("never") });
    await romeo.sends(message(BODY + ORIGIN));
    await romeo.sends(message());
    expect(await kept(world, ROMEO)).toEqual(["hidden empty"]);
    expect(await logOf(world, ROMEO)).toMatchObject([{ with: JULIET, originId: sentMark("o1") }]);
  });
});

describe("what is refused", () => {
  it.each([
    ["as there is no such account", message(BODY, "type='chat'", "nobody@localhost")],
    ["as the resource has gone", message(BODY, "", `${JULIET}/gone`)],
    ["as the domain is not served here", message(BODY, "type='chat'", "x@elsewhere.example")],
    ["as there is no room for it", message("<body>more</body>")],
  ])("%s is in the archive of the sender only @2.2", async (_, text) => {
    const { world, romeo } = await verona({ config: "[limits]\noffline_messages = 1" });
    await romeo.sends(message());
    await romeo.sends(message(BODY + hint("no-permanent-store")));
    const before = await kept(world, JULIET);
    romeo.received.length = 0;
    await romeo.sends(text);
    expect(errorsAt(romeo)).toHaveLength(1);
    expect([await kept(world, JULIET), await kept(world, ROMEO)]).toEqual([before, ["shown", "shown"]]);
  });

  it("for now is in nobody's archive @2.2 @R9", async () => {
    const { world, romeo } = await verona({ config: "[limits]\noffline_messages_per_sender = 1" });
    await romeo.sends(message());
    await romeo.sends(message());
    expect(errorsAt(romeo)).toEqual(["resource-constraint"]);
    expect([await kept(world, JULIET), await kept(world, ROMEO)]).toEqual([["shown pending"], ["shown"]]);
  });

  it.each(["received", "sent"])("as a forged <%s/> of carbons is in nobody's archive @R2", async (name) => {
    const { world, romeo } = await verona();
    const juliet = await online(world);
    const inner = `<forwarded xmlns='${NS.forward}'><message xmlns='jabber:client' from='${JULIET}'>${BODY}</message></forwarded>`;
    await romeo.sends(message(`<${name} xmlns='urn:xmpp:carbons:2'>${inner}</${name}>${hint("store")}`));
    expect([errorsAt(romeo), juliet.messages]).toEqual([["policy-violation"], []]);
    expect([await kept(world, JULIET), await kept(world, ROMEO)]).toEqual([[], []]);
  });

  it("does not include what asks for no carbons @R2", async () => {
    const { world, romeo } = await verona();
    const juliet = await online(world);
    await romeo.sends(message(`${BODY}<private xmlns='urn:xmpp:carbons:2'/>`));
    expect(juliet.bodies).toEqual(["hi"]);
  });
});
