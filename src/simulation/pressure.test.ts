import { describe, expect, it } from "@jest/globals";
import { simulate } from "./simulation.js";

describe("a client that sends much at once", () => {
  it("has no more in flight than the limit, however much came in one chunk, and all of it arrives in order @1.9 @limit.inflight_stanzas", async () => {
    const { login, settle, storage, server } = await simulate("[limits]\ninflight_stanzas = 8");
    const juliet = await login("juliet", "balcony");
    const romeo = await login("romeo", "orchard");
    juliet.send("<presence/>");
    await settle();
    juliet.take();
    const bodies = Array.from({ length: 200 }, (_, n) => String(n));
    const to = (n: string): string => (Number(n) % 3 === 0 ? "romeo@localhost" : "juliet@localhost");
    storage.hold();
    romeo.send(bodies.map((n) => `<message to='${to(n)}' type='chat'><body>${n}</body></message>`).join(""));
    await settle();
    const account = [...server.core.accounts.inUse()].find(({ jid }) => jid.local === "romeo");
    expect(account?.sessions.get("orchard")?.lane.depth).toBeLessThanOrEqual(9);
    expect(romeo.isPaused).toBe(true);
    storage.release();
    for (let turn = 0; turn < 60; turn++) await settle();
    const live = bodies.filter((n) => Number(n) % 3 !== 0);
    expect(juliet.take().map((message) => message.getChildText("body"))).toEqual(live);
    expect(await server.core.context.storage.countLog("romeo@localhost", { pending: true })).toBe(200 - live.length);
    expect(romeo.isPaused).toBe(false);
  });
});
