import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { NS } from "../xml/namespaces.js";
import { befriend, conditionOf, World } from "./world.test.kit.js";

const LAST = `<query xmlns='${NS.lastActivity}'/>`;
const ACCOUNTS = { accounts: ["juliet@localhost", "romeo@localhost"] };

describe("last activity", () => {
  it("of the server is its uptime @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const juliet = await world.device("juliet@localhost/balcony");
    world.clock.advance(12_345);
    const answer = await juliet.asks(`<iq type='get' to='localhost' id='1'>${LAST}</iq>`);
    expect(answer.getChild("query")?.attrs["seconds"]).toBe("12");
  });

  it("of an account that is there is 0 @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const juliet = await world.device("juliet@localhost/balcony");
    const answer = await juliet.asks(`<iq type='get' id='1'>${LAST}</iq>`);
    expect(answer.getChild("query")?.attrs["seconds"]).toBe("0");
  });

  it.each(["romeo@localhost", "romeo@localhost/orchard", "nobody@localhost", "nobody@localhost/x"])(
    "is forbidden to strangers, whether there is anybody or not: %s @1.8",
    async (to) => {
      const world = await World.open(features, ACCOUNTS);
      const juliet = await world.device("juliet@localhost/balcony");
      const romeo = await world.device("romeo@localhost/orchard");
      await romeo.sends("<presence/>");
      const answer = await juliet.asks(`<iq type='get' to='${to}' id='1'>${LAST}</iq>`);
      expect(conditionOf(answer)).toBe("forbidden");
      expect(romeo.received.some(({ kind }) => kind === "iq")).toBe(false);
    },
  );

  it("of an account is written when its last resource goes, with the status it left @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const balcony = await world.device("juliet@localhost/balcony");
    const phone = await world.device("juliet@localhost/phone");
    await balcony.sends("<presence/>");
    await phone.sends("<presence/>");
    await balcony.sends("<presence type='unavailable'><status>first</status></presence>");
    expect(await world.storage.get("last", "juliet@localhost", "")).toBeUndefined();
    world.clock.advance(5000);
    await phone.sends("<presence type='unavailable'><status>Heading Home</status></presence>");
    world.clock.advance(5000);
    await phone.goes();
    const row = await world.storage.get("last", "juliet@localhost", "");
    expect(row?.doc).toEqual({ v: 1, at: Date.UTC(2030, 0, 1) + 5000, status: "Heading Home" });
  });

  it("is written when the connection breaks, but not for one who was never available @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const juliet = await world.device("juliet@localhost/balcony");
    const romeo = await world.device("romeo@localhost/orchard");
    await juliet.sends("<presence/>");
    await juliet.goes();
    await romeo.goes();
    expect(await world.storage.get("last", "juliet@localhost", "")).toBeDefined();
    expect(await world.storage.get("last", "romeo@localhost", "")).toBeUndefined();
  });

  it("of an account says nothing of sessions that are not available @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const juliet = await world.device("juliet@localhost/balcony");
    const romeo = await world.device("romeo@localhost/orchard");
    await befriend(juliet, romeo);
    await romeo.sends("<presence/>");
    await romeo.goes();
    world.clock.advance(7000);
    await world.device("romeo@localhost/invisible");
    const answer = await juliet.asks(`<iq type='get' to='romeo@localhost' id='1'>${LAST}</iq>`);
    expect(answer.getChild("query")?.attrs["seconds"]).toBe("7");
  });

  it("of an account that has gone is told to those who see its presence, also after a restart @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const juliet = await world.device("juliet@localhost/balcony");
    const romeo = await world.device("romeo@localhost/orchard");
    await befriend(juliet, romeo);
    const ask = `<iq type='get' to='romeo@localhost' id='1'>${LAST}</iq>`;
    expect(conditionOf(await juliet.asks(ask))).toBe("item-not-found");
    await romeo.sends("<presence/>");
    expect((await juliet.asks(ask)).getChild("query")?.attrs["seconds"]).toBe("0");
    await romeo.sends("<presence type='unavailable'><status>Heading Home</status></presence>");
    world.clock.advance(903_000);
    const again = await World.open(features, { disk: world.disk, clock: world.clock });
    for (const device of [juliet, await again.device("juliet@localhost/balcony")])
      expect((await device.asks(ask)).getChild("query")?.toString()).toBe(
        `<query xmlns="${NS.lastActivity}" seconds="903">Heading Home</query>`,
      );
  });

  it("of a resource is its own answer @1.8", async () => {
    const world = await World.open(features, ACCOUNTS);
    const juliet = await world.device("juliet@localhost/balcony");
    const romeo = await world.device("romeo@localhost/orchard");
    await befriend(juliet, romeo);
    await juliet.sends(`<iq type='get' to='romeo@localhost/orchard' id='1'>${LAST}</iq>`);
    expect(romeo.received.at(-1)?.kind).toBe("iq");
  });
});
