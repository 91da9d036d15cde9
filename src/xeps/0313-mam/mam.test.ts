import { describe, expect, it } from "@jest/globals";
import { features } from "../../features.js";
import { idToText } from "../../core/ids.js";
import type { Stanza } from "../../stanza/stanza.js";
import { MemoryDisk } from "../../storage/memory/disk.js";
import { openMemory } from "../../storage/memory/memory.js";
import type { Entry } from "../../storage/writes.js";
import type { Element } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { toWire, type Wire } from "../../xml/wire.js";
import { conditionOf, type Device, World } from "../world.test.kit.js";
import { type Asked, entryOf, idAt, queryText } from "./archive.test.kit.js";

const OWNER = "juliet@localhost";

/** Juliet with an archive of these entries, their ids at one millisecond each. */
async function withArchive(...entries: readonly (string | Entry)[]): Promise<{ world: World; juliet: Device }> {
  const disk = new MemoryDisk();
  await openMemory([], disk).commit(
    entries.map((entry, n) => ({
      writes: [{ op: "append", owner: OWNER, id: idAt(n), entry: typeof entry === "string" ? entryOf(entry) : entry }],
    })),
  );
  const world = await World.open(features, { disk, accounts: [OWNER, "romeo@localhost", "nurse@localhost"] });
  return { world, juliet: await world.device("juliet@localhost/balcony") };
}

const iq = (asked: Asked, to = "", id = "q") => `<iq type='set' id='${id}' ${to}>${queryText(asked)}</iq>`;

async function answers(world: World, device: Device, text: string): Promise<readonly Stanza[]> {
  const before = device.received.length;
  device.sendsNow(text);
  for (let turn = 0; turn < 40; turn++) await world.settled();
  return device.received.slice(before);
}

const resultIn = (stanza: Stanza | undefined) => stanza?.child("result", NS.mam);
const bodyIn = (stanza: Stanza) =>
  resultIn(stanza)?.getChild("forwarded", NS.forward)?.getChild("message", NS.client)?.getChildText("body");
const finIn = (stanzas: readonly Stanza[]): Element | undefined => stanzas.at(-1)?.child("fin", NS.mam);
const wire = (text: string): Wire => toWire(text);

describe("a query of the own archive", () => {
  it("sends each entry as a message from the bare JID to the asking resource, in order, and then the answer @2.2", async () => {
    const { world, juliet } = await withArchive("one", "two");
    const phone = await world.device("juliet@localhost/phone");
    const got = await answers(world, juliet, iq({ attributes: "queryid='f27'" }));
    expect(got.map((stanza) => stanza.toWire())).toEqual([
      ...["one", "two"].map(
        (body, n) =>
          `<message from='${OWNER}' to='${OWNER}/balcony'><result xmlns='urn:xmpp:mam:2' queryid='f27' id='${idToText(idAt(n))}'>` +
          `<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2030-01-01T00:00:00.00${n}Z'/>` +
          `<message xmlns='jabber:client' from='romeo@a/x' to='${OWNER}' type='chat'><body>${body}</body>` +
          `<stanza-id xmlns='urn:xmpp:sid:0' by='${OWNER}' id='${idToText(idAt(n))}'/></message></forwarded></result></message>`,
      ),
      `<iq from='${OWNER}' to='${OWNER}/balcony' id='q' type='result'><fin xmlns='urn:xmpp:mam:2' complete='true' stable='true'>` +
        `<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>${idToText(idAt(0))}</first><last>${idToText(idAt(1))}</last>` +
        "<count>2</count></set></fin></iq>",
    ]);
    expect(phone.received).toEqual([]);
  });

  it("finds a message that was just acknowledged to its sender @2.2", async () => {
    const { world, juliet } = await withArchive();
    const romeo = await world.device("romeo@localhost/orchard");
    await romeo.sends(`<message to='${OWNER}' type='chat'><body>now</body></message>`);
    expect((await answers(world, juliet, iq({}))).map(bodyIn)).toEqual(["now", undefined]);
  });

  it("that finds nothing succeeds with an empty, complete page @2.2", async () => {
    const { world, juliet } = await withArchive();
    const got = await answers(world, juliet, iq({}));
    expect([got.length, finIn(got)?.toString()]).toEqual([
      1,
      `<fin xmlns="${NS.mam}" complete="true" stable="true"><set xmlns="${NS.rsm}"><count>0</count></set></fin>`,
    ]);
  });

  it("that is not complete does not say so @2.2", async () => {
    const { world, juliet } = await withArchive("one", "two");
    const got = await answers(world, juliet, iq({ set: "<max>1</max>" }));
    expect([got.map(bodyIn), finIn(got)?.attrs["complete"]]).toEqual([["one", undefined], undefined]);
  });

  it("with a flipped page has the same page, sent from its end @2.2", async () => {
    const { world, juliet } = await withArchive("one", "two", "three");
    const got = await answers(world, juliet, iq({ set: "<max>2</max>", more: "<flip-page/>" }));
    expect(got.map(bodyIn)).toEqual(["two", "one", undefined]);
    expect(finIn(got)?.getChild("set")?.getChildText("first")).toBe(idToText(idAt(0)));
  });

  it("in falling order has the newest first, on the first page @2.2", async () => {
    const { world, juliet } = await withArchive("one", "two", "three");
    const more = "<order xmlns='urn:xmpp:order-by:1' by='creation' desc='true'/>";
    const got = await answers(world, juliet, iq({ set: "<max>2</max>", more }));
    expect(got.map(bodyIn)).toEqual(["three", "two", undefined]);
    expect(finIn(got)?.getChild("set")?.toString()).toContain(`<first index="0">${idToText(idAt(2))}</first>`);
  });

  it("shows a tombstone as it is stored, and no hidden entry @2.2", async () => {
    const retracted = wire(
      `<message xmlns='jabber:client' from='romeo@a/x'><retracted xmlns='urn:xmpp:message-retract:1'/></message>`,
    );
    const { world, juliet } = await withArchive(
      "one",
      { ...entryOf("hidden"), hidden: true },
      { ...entryOf(""), stanza: retracted },
    );
    const got = await answers(world, juliet, iq({}));
    expect(got.length).toBe(3);
    expect(got[1]?.toWire()).toContain("<retracted xmlns='urn:xmpp:message-retract:1'/>");
  });

  it("replaces a stanza-id by the account in what is stored, and leaves those of others @2.2 @R3", async () => {
    const forged = `<stanza-id xmlns='urn:xmpp:sid:0' by='JULIET@localhost' id='forged'/>`;
    const other = `<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc' id='theirs'/>`;
    const stanza = wire(`<message xmlns='jabber:client' from='a@b'><body>x</body>${forged}${other}${forged}</message>`);
    const { world, juliet } = await withArchive({ ...entryOf(""), stanza });
    const [result] = await answers(world, juliet, iq({}));
    expect(result?.toWire()).toContain(
      `<body>x</body>${other}<stanza-id xmlns='urn:xmpp:sid:0' by='${OWNER}' id='${idToText(idAt(0))}'/>`,
    );
    expect(result?.toWire()).not.toContain("forged");
  });

  it.each([
    ["is cut off", "<message xmlns='jabber:client'><body>x"],
    ["is two elements", "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>"],
    ["is no stanza", "<x xmlns='jabber:client'/>"],
    ["has an address that is none", "<message xmlns='jabber:client' from='@'/>"],
    ["is empty", ""],
  ])("leaves out an entry whose text %s, and says so in the log @2.2", async (_, text) => {
    const { world, juliet } = await withArchive("one", { ...entryOf(""), stanza: wire(text) }, "three");
    const got = await answers(world, juliet, iq({}));
    expect(got.map(bodyIn)).toEqual(["one", "three", undefined]);
    expect(world.events.filter(({ ev }) => ev === "archive.entry_damaged")).toMatchObject([{ id: idAt(1) }]);
  });

  it("that is malformed sends nothing but the error @2.2 @M9", async () => {
    const { world, juliet } = await withArchive("one");
    const got = await answers(world, juliet, iq({ fields: { colour: "red" } }));
    expect(got.map((stanza) => conditionOf(stanza.element))).toEqual(["feature-not-implemented"]);
  });

  it("gives an error when the store cannot be read @2.2", async () => {
    const { world, juliet } = await withArchive("one");
    world.storage.log = () => Promise.reject(new Error("gone"));
    const got = await answers(world, juliet, iq({}));
    expect(got.map((stanza) => conditionOf(stanza.element))).toEqual(["internal-server-error"]);
  });
});

describe("an archive that is not the own", () => {
  it.each([
    `<query xmlns='${NS.mam}'/>`,
    `<query xmlns='${NS.mam}'><x xmlns='jabber:x:data' type='nonsense'/></query>`,
    `<metadata xmlns='${NS.mam}'/>`,
  ])("is forbidden, whether it exists or not: %s @2.2 @R5", async (payload) => {
    const { world } = await withArchive("one");
    const romeo = await world.device("romeo@localhost/orchard");
    const types = payload.startsWith("<metadata") ? ["get"] : ["get", "set"];
    for (const type of types)
      for (const to of [OWNER, "nobody@localhost"]) {
        const got = await answers(world, romeo, `<iq type='${type}' id='q' to='${to}'>${payload}</iq>`);
        expect(got.map((stanza) => conditionOf(stanza.element))).toEqual(["forbidden"]);
      }
  });
});

describe("what can be asked about an archive", () => {
  it("is its form, by a get @2.2", async () => {
    const { juliet } = await withArchive();
    const answer = await juliet.asks(`<iq type='get' id='1'><query xmlns='${NS.mam}'/></iq>`);
    expect(answer.getChild("query", NS.mam)?.getChild("x", NS.dataForms)?.attrs["type"]).toBe("form");
  });

  it("is its first and last entry, none of an empty one @2.2", async () => {
    const ask = `<iq type='get' id='1'><metadata xmlns='${NS.mam}'/></iq>`;
    const hidden = { ...entryOf("h"), hidden: true };
    const { juliet } = await withArchive(hidden, "one", "two", "three", hidden);
    expect((await juliet.asks(ask)).getChild("metadata")?.children.join("")).toBe(
      `<start id="${idToText(idAt(1))}" timestamp="2030-01-01T00:00:00.001Z"/><end id="${idToText(idAt(3))}" timestamp="2030-01-01T00:00:00.003Z"/>`,
    );
    const empty = await withArchive(hidden);
    expect((await empty.juliet.asks(ask)).getChild("metadata")?.children).toEqual([]);
  });

  it("is announced by the account @2.2", async () => {
    const { juliet } = await withArchive();
    const answer = await juliet.asks(`<iq type='get' id='1' to='${OWNER}'><query xmlns='${NS.discoInfo}'/></iq>`);
    const found = answer
      .getChild("query")
      ?.getChildren("feature")
      .map(({ attrs }) => String(attrs["var"]));
    expect(found).toEqual(
      expect.arrayContaining([
        "urn:xmpp:mam:2",
        "urn:xmpp:mam:2#extended",
        "urn:xmpp:mam:2#groupchat-field",
        "http://jabber.org/protocol/rsm",
        "urn:xmpp:order-by:1",
        "urn:xmpp:order-by:1@urn:xmpp:mam:2",
        "urn:xmpp:fulltext:0",
      ]),
    );
  });
});

describe("a reader", () => {
  const large = Array.from({ length: 9 }, (_, n) => `${n}${"x".repeat(30_000)}`);

  it("that is slow is sent a chunk at a time, and the answer at the end @2.2 @M9", async () => {
    const { world, juliet } = await withArchive(...large);
    juliet.stall();
    const counts = [(await answers(world, juliet, iq({}))).length];
    for (let turn = 0; turn < 3; turn++) {
      juliet.flows();
      juliet.stall();
      for (let n = 0; n < 20; n++) await world.settled();
      counts.push(juliet.received.length);
    }
    expect(counts).toEqual([3, 6, 9, 10]);
  });

  it("shares the turns of the event loop with other readers, a chunk in each, so that live messages wait for one chunk at most @2.2", async () => {
    const { world, juliet } = await withArchive(...Array.from({ length: 20 }, (_, n) => `${n}`));
    const phone = await world.device("juliet@localhost/phone");
    const soon: (() => void)[] = [];
    world.clock.soon = (call) => void soon.push(call);
    for (const device of [juliet, phone]) device.sendsNow(iq({}));
    const counts = [];
    for (let turn = 0; turn < 5; turn++) {
      for (let n = 0; n < 20; n++) await world.settled();
      counts.push([juliet.received.length, phone.received.length]);
      for (const call of soon.splice(0)) call();
    }
    const whole = 20 + 1; // and the answer
    expect(counts).toEqual([
      [0, 0],
      [16, 0],
      [16, 16],
      [whole, 16],
      [whole, whole],
    ]);
  });

  it("that goes away in between is sent nothing more @2.2", async () => {
    const { world, juliet } = await withArchive(...large);
    juliet.stall();
    await answers(world, juliet, iq({}));
    await juliet.goes();
    expect(juliet.received.length).toBe(3);
  });

  it("that asks several times at once gets one page after the other, each with its answer @2.2 @M9", async () => {
    const { world, juliet } = await withArchive("one", "two");
    const ids = ["a", "b", "c"];
    for (const id of ids) juliet.sendsNow(iq({ attributes: `queryid='${id}'` }, "", id));
    for (let n = 0; n < 40; n++) await world.settled();
    expect(juliet.received.map((stanza) => stanza.id ?? (resultIn(stanza)?.attrs["queryid"] as string))).toEqual(
      ids.flatMap((id) => [id, id, id]),
    );
  });

  it("that asks too often at once is told to wait @M9", async () => {
    const { world, juliet } = await withArchive("one");
    juliet.stall();
    for (let n = 0; n < 20; n++) juliet.sendsNow(iq({}, "", `q${n}`));
    for (let n = 0; n < 40; n++) await world.settled();
    const refused = juliet.received.filter((stanza) => conditionOf(stanza.element) === "resource-constraint");
    expect(refused.map(({ id }) => id)).toEqual(["q17", "q18", "q19"]);
  });

  it("that searches waits for the search of another one @M9", async () => {
    const { world, juliet } = await withArchive("one");
    const romeo = await world.device("romeo@localhost/orchard");
    const log = world.storage.log.bind(world.storage);
    const held: (() => void)[] = [];
    world.storage.log = async (owner, query) => {
      if (query.text !== undefined) await new Promise<void>((resolve) => held.push(resolve));
      return log(owner, query);
    };
    const search = iq({ fields: { withtext: "one" } });
    juliet.sendsNow(search);
    romeo.sendsNow(search);
    const counts = [];
    for (let n = 0; n < 2; n++) {
      for (let turn = 0; turn < 20; turn++) await world.settled();
      counts.push([held.length, juliet.received.length, romeo.received.length]);
      held[n]?.();
    }
    for (let turn = 0; turn < 20; turn++) await world.settled();
    expect(counts).toEqual([
      [1, 0, 0],
      [2, 2, 0],
    ]);
    expect(romeo.received.length).toBe(1);
  });

  it("does not hold up those who chat @2.2 @M9", async () => {
    const { world, juliet } = await withArchive(...large);
    const romeo = await world.device("romeo@localhost/orchard");
    await romeo.sends("<presence/>");
    juliet.stall();
    juliet.sendsNow(iq({}));
    await juliet.sends("<message to='romeo@localhost' type='chat'><body>still here</body></message>");
    expect(romeo.bodies).toEqual(["still here"]);
  });
});
