import { describe, expect, it } from "@jest/globals";
import { features } from "../../features.js";
import { Flow } from "../../core/flow.js";
import { Stanza } from "../../stanza/stanza.js";
import { parseElement } from "../../xml/document.js";
import { UNLIMITED } from "../../xml/limits.js";
import { NS } from "../../xml/namespaces.js";
import { toWire } from "../../xml/wire.js";
import { conditionOf, type Device, World } from "../world.test.kit.js";

const ARCHIVE = "room@rooms.example";

async function stage() {
  const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"] });
  const juliet = await world.device("juliet@localhost/balcony");
  await juliet.sends("<presence/>");
  const romeo = await world.device("romeo@localhost/orchard");
  return { world, juliet, romeo };
}

const result = (to: string, queryId?: string) =>
  `<message to='${to}' type='chat'><body>bait</body><result xmlns='${NS.mam}' ${queryId === undefined ? "" : `queryid='${queryId}'`} id='1'>` +
  "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@localhost'><body>lies</body></message></forwarded></result></message>";
const query = (queryId?: string) =>
  `<iq type='set' id='q1' to='${ARCHIVE}'><query xmlns='${NS.mam}' ${queryId === undefined ? "" : `queryid='${queryId}'`}/></iq>`;

/** As from another domain. */
async function arrives(world: World, from: string, text: string): Promise<void> {
  const wire = toWire(text.replace(/^<(\w+)/, `<$1 xmlns='${NS.client}' from='${from}'`));
  const stanza = Stanza.of(parseElement(wire, UNLIMITED), {});
  world.core.context.start(new Flow(stanza, { kind: "remote", domain: "rooms.example" }, "received"));
  await world.settled();
}

const baits = (device: Device) => device.messages.filter((stanza) => stanza.has("result", NS.mam)).length;

describe("a result of an archive that nobody asked for", () => {
  it.each(["juliet@localhost", "juliet@localhost/balcony"])(
    "is refused to %s, and is kept in nobody's log @R2 @2.2",
    async (to) => {
      const { world, juliet, romeo } = await stage();
      await romeo.sends(result(to, "f27"));
      expect(baits(juliet)).toBe(0);
      expect(romeo.received.map((stanza) => conditionOf(stanza.element))).toEqual(["policy-violation"]);
      for (const owner of ["juliet@localhost", "romeo@localhost"])
        expect(await world.core.context.storage.countLog(owner, {})).toBe(0);
    },
  );

  it("is not kept for somebody who is away either @R2", async () => {
    const { world, juliet, romeo } = await stage();
    await juliet.goes();
    await romeo.sends(result("juliet@localhost"));
    expect(await world.core.context.storage.countLog("juliet@localhost", {})).toBe(0);
  });

  it("is refused from another resource of the own account @R2", async () => {
    const { world, juliet } = await stage();
    const phone = await world.device("juliet@localhost/phone");
    await juliet.sends(`<iq type='set' id='q1'><query xmlns='${NS.mam}' queryid='f27'/></iq>`);
    await phone.sends(result("juliet@localhost/balcony", "f27"));
    expect(baits(juliet)).toBe(0);
  });
});

describe("a result of an archive that was asked for", () => {
  it("passes while the query is open, from that address, with that queryid, to that resource @R2 @2.2", async () => {
    const { world, juliet } = await stage();
    const phone = await world.device("juliet@localhost/phone");
    await juliet.sends(query("f27"));
    await arrives(world, `${ARCHIVE}/nick`, result("juliet@localhost/balcony", "f27"));
    await arrives(world, "other@rooms.example", result("juliet@localhost/balcony", "f27"));
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f28"));
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony"));
    await arrives(world, ARCHIVE, result("juliet@localhost/phone", "f27"));
    await arrives(world, ARCHIVE, result("juliet@localhost", "f27"));
    expect([baits(juliet), baits(phone)]).toEqual([0, 0]);
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f27"));
    expect([baits(juliet), baits(phone)]).toEqual([1, 0]);
  });

  it.each(["result", "error"])("passes no more after the answer of type %s @R2", async (type) => {
    const { world, juliet } = await stage();
    await juliet.sends(query("f27"));
    await arrives(world, ARCHIVE, `<iq type='${type}' id='other' to='juliet@localhost/balcony'/>`);
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f27"));
    expect(baits(juliet)).toBe(1);
    await arrives(world, ARCHIVE, `<iq type='${type}' id='q1' to='juliet@localhost/balcony'/>`);
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f27"));
    expect(baits(juliet)).toBe(1);
  });

  it("without a queryid belongs to a query without one @R2", async () => {
    const { world, juliet } = await stage();
    await juliet.sends(query());
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f27"));
    expect(baits(juliet)).toBe(0);
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony"));
    expect(baits(juliet)).toBe(1);
  });

  it("is given up with the oldest of too many queries @R2 @M9", async () => {
    const { world, juliet } = await stage();
    for (let n = 0; n < 65; n++) await juliet.sends(query(`f${n}`).replace("'q1'", `'q${n}'`));
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f0"));
    expect(baits(juliet)).toBe(0);
    await arrives(world, ARCHIVE, result("juliet@localhost/balcony", "f1"));
    expect(baits(juliet)).toBe(1);
  });
});
