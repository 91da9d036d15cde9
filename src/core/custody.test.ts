// What becomes of the copies of entries that are in the log before they are sent, as with an archive.
import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { JID } from "../stanza/jid.js";
import { NS } from "../xml/namespaces.js";
import { type Device, World } from "../xeps/world.test.kit.js";
import type { Context } from "./context.js";
import type { Feature } from "./feature.js";
import type { Account } from "./account.js";
import type { Flow } from "./flow.js";

const archive: Feature = {
  name: "archive",
  specs: [],
  received: { message: { store: keep } },
};

function keep(flow: Flow, account: Account): void {
  const { stanza } = flow;
  flow.entry = flow.append(account.jid.toString(), {
    with: stanza.from?.bare.toString() ?? "",
    stanza: stanza.toWire(NS.client),
    pending: true,
    hidden: false,
  });
}

const say = (to: string, body: string): string => `<message to='${to}' type='chat'><body>${body}</body></message>`;

async function verona() {
  const all = (context: Context): readonly Feature[] => [archive, ...features(context)];
  const world = await World.open(all, { accounts: ["romeo@localhost", "juliet@localhost"] });
  const romeo = await world.device("romeo@localhost/orchard");
  const balcony = await online(world, "balcony");
  const phone = await online(world, "phone");
  return { world, romeo, balcony, phone };
}

/** A device of Juliet's that can resume, and acknowledges when told to. */
async function online(world: World, resource: string): Promise<Device> {
  const device = await world.device(`juliet@localhost/${resource}`);
  if (device.session) world.core.sessions.manage(device.session, { resume: true, waitMs: undefined });
  await device.sends("<presence/>");
  return device;
}

async function acknowledges(world: World, { session }: Device): Promise<void> {
  session?.management?.acknowledged(session.management.copies.sent);
  await world.settled();
}

const pendingOf = async (world: World): Promise<number> =>
  (await world.storage.log("juliet@localhost", { pending: true, limit: 10 })).length;

describe("the copies of an entry that is kept anyway", () => {
  it("settle it once one of them is acknowledged, not when it has drained @2.4", async () => {
    const { world, romeo, balcony, phone } = await verona();
    await romeo.sends(say("juliet@localhost", "one"));
    expect([balcony.bodies, phone.bodies, await pendingOf(world)]).toEqual([["one"], ["one"], 1]);
    await acknowledges(world, phone);
    expect(await pendingOf(world)).toBe(0);
    await acknowledges(world, balcony);
    expect(await pendingOf(world)).toBe(0);
  });

  it("go to another device when the only one that was given one is lost @2.4", async () => {
    const { world, romeo, balcony, phone } = await verona();
    await romeo.sends(say("juliet@localhost/balcony", "one"));
    await balcony.breaks();
    await romeo.sends(say("juliet@localhost/balcony", "two"));
    expect(phone.bodies).toEqual([]);
    world.clock.advance(600_000);
    await world.settled();
    expect([phone.bodies, await pendingOf(world)]).toEqual([["one", "two"], 2]);
    await acknowledges(world, phone);
    expect(await pendingOf(world)).toBe(0);
  });

  it("are not doubled where the other device had its own @2.4", async () => {
    const { world, romeo, balcony, phone } = await verona();
    await romeo.sends(say("juliet@localhost", "one"));
    await balcony.breaks();
    world.clock.advance(600_000);
    await world.settled();
    expect([phone.bodies, await pendingOf(world)]).toEqual([["one"], 1]);
  });

  it("wait in the log when there is no other device @2.4", async () => {
    const { world, romeo, balcony, phone } = await verona();
    await phone.goes();
    await balcony.breaks();
    await romeo.sends(say("juliet@localhost", "one"));
    world.clock.advance(600_000);
    await world.settled();
    expect(await pendingOf(world)).toBe(1);
    expect((await online(world, "phone")).bodies).toEqual(["one"]);
    expect(world.core.accounts.peek(JID.parse("juliet@localhost"))?.sessions.size).toBe(1);
  });

  it("settle nothing where the device has a negative priority @2.4", async () => {
    const { world, romeo, balcony } = await verona();
    await balcony.sends("<presence><priority>-1</priority></presence>");
    await romeo.sends(say("juliet@localhost/balcony", "one"));
    await acknowledges(world, balcony);
    expect([balcony.bodies, await pendingOf(world)]).toEqual([["one"], 1]);
  });
});
