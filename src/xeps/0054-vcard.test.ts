import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { conditionOf, World } from "./world.test.kit.js";

const GET = "<vCard xmlns='vcard-temp'/>";
const CARD = `<vCard xmlns="vcard-temp"><FN>Julia &amp; Ψ 🐦</FN><N><MIDDLE/></N></vCard>`;

async function withTwo(config = "") {
  const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"], config });
  const juliet = await world.device("juliet@localhost/balcony");
  return { world, juliet, romeo: await world.device("romeo@localhost/orchard") };
}

describe("vcard-temp", () => {
  it("is kept for its owner and shown to everybody @1.8", async () => {
    const { world, juliet, romeo } = await withTwo();
    const set = await juliet.asks(`<iq type='set' id='1'>${CARD}</iq>`);
    const own = await juliet.asks(`<iq type='get' id='2'>${GET}</iq>`);
    const others = await romeo.asks(`<iq type='get' to='juliet@localhost' id='3'>${GET}</iq>`);
    expect([set.attrs["type"], set.children]).toEqual(["result", []]);
    expect([own.getChild("vCard")?.toString(), others.getChild("vCard")?.toString()]).toEqual([CARD, CARD]);
    const again = await World.open(features, { disk: world.disk });
    const later = await again.device("juliet@localhost/balcony");
    expect((await later.asks(`<iq type='get' id='4'>${GET}</iq>`)).getChild("vCard")?.toString()).toBe(CARD);
  });

  it("that does not exist is an error, the same for an account that does not exist @1.8", async () => {
    const { juliet } = await withTwo();
    const conditions = [];
    for (const to of ["", "to='romeo@localhost'", "to='nobody@localhost'"])
      conditions.push(conditionOf(await juliet.asks(`<iq type='get' ${to} id='1'>${GET}</iq>`)));
    expect(conditions).toEqual(["item-not-found", "service-unavailable", "service-unavailable"]);
  });

  it("can be emptied @1.8", async () => {
    const { juliet } = await withTwo();
    await juliet.sends(`<iq type='set' id='1'>${CARD}</iq>`);
    await juliet.sends(`<iq type='set' id='2'>${GET}</iq>`);
    expect(conditionOf(await juliet.asks(`<iq type='get' id='3'>${GET}</iq>`))).toBe("item-not-found");
  });

  it.each(["romeo@localhost", "nobody@localhost"])("of another cannot be set: %s @1.8", async (to) => {
    const { juliet } = await withTwo();
    expect(conditionOf(await juliet.asks(`<iq type='set' to='${to}' id='1'>${CARD}</iq>`))).toBe("forbidden");
  });

  it("is refused above its limit @1.8 @limit.vcard_bytes", async () => {
    const { juliet } = await withTwo("[limits]\nvcard_bytes = 50");
    expect(conditionOf(await juliet.asks(`<iq type='set' id='1'>${CARD}</iq>`))).toBe("policy-violation");
    expect(conditionOf(await juliet.asks(`<iq type='get' id='2'>${GET}</iq>`))).toBe("item-not-found");
  });

  it("is hidden from strangers when the operator wants so @1.8", async () => {
    const { juliet, romeo } = await withTwo("[privacy]\npublic_vcards = false");
    await juliet.sends(`<iq type='set' id='1'>${CARD}</iq>`);
    const others = await romeo.asks(`<iq type='get' to='juliet@localhost' id='2'>${GET}</iq>`);
    expect(conditionOf(others)).toBe("service-unavailable");
  });

  it("is not changed when the store refuses, and says so @1.8", async () => {
    const { world, juliet } = await withTwo();
    world.storage.failNext("refused");
    expect(conditionOf(await juliet.asks(`<iq type='set' id='1'>${CARD}</iq>`))).toBe("resource-constraint");
    expect(conditionOf(await juliet.asks(`<iq type='get' id='2'>${GET}</iq>`))).toBe("item-not-found");
  });
});
