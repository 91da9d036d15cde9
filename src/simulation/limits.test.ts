import { describe, expect, it } from "@jest/globals";
import { expectEnd, withPeople } from "./attack.test.kit.js";
import { simulate } from "./simulation.js";

describe("a stanza", () => {
  const deep = (levels: number): string => "<a>".repeat(levels) + "</a>".repeat(levels);
  const attributes = (count: number): string => `<a ${Array.from({ length: count }, (_, n) => `a${n}=''`).join(" ")}/>`;
  const namespaces = (count: number): string =>
    `<a ${Array.from({ length: count }, (_, n) => `xmlns:n${n}='u'`).join(" ")}/>`;
  const rows: readonly (readonly [string, string, string, string])[] = [
    ["bytes @limit.stanza_bytes", "stanza_bytes = 10000", "x".repeat(9900), "x".repeat(10_000)],
    ["levels @limit.depth", "depth = 8", deep(7), deep(8)],
    ["elements @limit.elements", "elements = 64", "<a/>".repeat(63), "<a/>".repeat(64)],
    ["attributes @limit.attributes", "attributes = 16", attributes(16), attributes(17)],
    ["namespaces @limit.namespaces", "namespaces = 16", namespaces(8), namespaces(17)],
    ["bytes in a name @limit.name_bytes", "name_bytes = 256", `<${"a".repeat(256)}/>`, `<${"a".repeat(257)}/>`],
  ];

  it.each(rows)("may have as many as the operator has set, and one more ends the stream: %s @X3", async (...row) => {
    const [, limit, within, beyond] = row;
    const simulation = await withPeople(`[limits]\n${limit}`, "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    for (const content of [within, beyond]) romeo.send(`<message to='juliet@localhost/phone'>${content}</message>`);
    await simulation.settle();
    expect(juliet.take()).toHaveLength(1);
    expectEnd(romeo, "policy-violation");
  });
});

describe("a connection", () => {
  it("that is silent for idle_keepalive is probed with white space, and not before @1.2 @limit.idle_keepalive", async () => {
    const { login, clock, server } = await simulate("[limits]\nidle_keepalive = '1min'");
    const client = await login("romeo", "orchard");
    const before = client.heard;
    server.c2s.connections.sweep(clock.now() + 60_000);
    clock.turn();
    expect(client.heard).toBe(before);
    server.c2s.connections.sweep(clock.now() + 60_001);
    clock.turn();
    expect(client.heard).toBe(`${before} `);
  });

  it("for whose slow reader more than outbox_bytes waits is closed, and no other @1.2 @limit.outbox_bytes", async () => {
    const simulation = await withPeople("[limits]\noutbox_bytes = 65536", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    juliet.stall();
    for (let sent = 0; sent < 7; sent++) {
      expect(juliet.isClosed).toBe(false);
      romeo.send(`<message to='juliet@localhost/phone'><body>${"x".repeat(10_000)}</body></message>`);
      await simulation.settle();
    }
    expect([juliet.isClosed, romeo.isClosed]).toEqual([true, false]);
  });

  it("is not read while more than inflight_bytes of it are under way @1.9 @limit.inflight_bytes", async () => {
    const simulation = await withPeople("[limits]\ninflight_bytes = 10000", "romeo");
    const { romeo } = simulation.people;
    await simulation.account("juliet");
    simulation.storage.hold();
    const large = `<message to='juliet@localhost' type='chat'><body>${"x".repeat(6000)}</body></message>`;
    const paused: boolean[] = [];
    for (let sent = 0; sent < 2; sent++) {
      romeo.send(large);
      await simulation.settle();
      paused.push(romeo.isPaused);
    }
    simulation.storage.release();
    await simulation.settle();
    expect([...paused, romeo.isPaused]).toEqual([false, true, false]);
  });
});
