// What happens when two things happen at once: loads and commits, binding and ending, retries and barriers, removal and writing.
import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { rosterOf } from "../roster/items.js";
import { StanzaError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { type FailingStorage, failing } from "../storage/contract/faults.js";
import { MemoryDisk } from "../storage/memory/disk.js";
import { openMemory } from "../storage/memory/memory.js";
import type { Write } from "../storage/writes.js";
import { conditionOf, Device, World, type WorldOptions } from "../xeps/world.test.kit.js";
import { Account, ACCOUNT_STORE } from "./account.js";
import { Accounts, LoadFault } from "./accounts.js";
import { Committer } from "./committer.js";
import { FakeClock } from "./fake-clock.js";
import { Ids } from "./ids.js";
import { silentLog } from "./log.js";

const ROMEO = JID.parse("romeo@localhost");
const JULIET = JID.parse("juliet@localhost");
const add = (jid: string, id = "r") =>
  `<iq type='set' id='${id}'><query xmlns='jabber:iq:roster'><item jid='${jid}'/></query></iq>`;
const chat = (body: string) => `<message to='juliet@localhost' type='chat'><body>${body}</body></message>`;
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

async function verona(options: WorldOptions = {}) {
  const world = await World.open(features, { accounts: ["romeo@localhost", "juliet@localhost"], ...options });
  return { world, romeo: await world.device("romeo@localhost/orchard") };
}

function put(owner: string, key: string, extra: object = {}): Write {
  return { op: "put", store: ACCOUNT_STORE, owner, key, doc: { v: 1 }, ...extra };
}

interface Rig {
  readonly storage: FailingStorage;
  readonly clock: FakeClock;
  readonly accounts: Accounts;
  readonly committer: Committer;
}

function rig({ cacheBytes = 1e6 } = {}, disk = new MemoryDisk()): Rig {
  const storage = failing(openMemory([{ name: ACCOUNT_STORE }], disk));
  const clock = new FakeClock();
  const log = silentLog;
  const sizes = { cacheBytes, loads: 2, queue: 2, timeoutMs: 10_000 };
  const accounts = new Accounts({ storage, clock, stores: [ACCOUNT_STORE], ...sizes });
  const ids = new Ids(clock, 0);
  const committer = new Committer({ storage, ids, clock, log, queueBytes: 1e6, timeoutMs: 30_000, batchUnits: 512 });
  return { storage, clock, accounts, committer };
}

/** Makes every load wait for the returned function to be called, after it has read. */
function slowLoads(storage: FailingStorage): () => void {
  const load = storage.load.bind(storage);
  const waiting: (() => void)[] = [];
  storage.load = async (...asked) => {
    const rows = await load(...asked);
    await new Promise<void>((go) => waiting.push(go));
    return rows;
  };
  return () => {
    for (const go of waiting.splice(0)) go();
  };
}

describe("an account that is loaded", () => {
  it("while its document is written is read again @1.9", async () => {
    const { storage, accounts, committer } = rig();
    const go = slowLoads(storage);
    const loading = accounts.load(ROMEO); // sees that there is none
    await settled();
    await committer.commit([put("romeo@localhost", "")]);
    accounts.invalidate(ROMEO);
    go();
    await settled();
    go();
    expect((await loading).exists).toBe(true);
  });

  it("while a change of it is on its way to the store has the change in the end @1.9", async () => {
    const { world, romeo } = await verona();
    world.storage.hold();
    await romeo.sends(add("juliet@localhost"));
    world.core.accounts.invalidate(ROMEO); // a new password, say
    await world.core.accounts.load(ROMEO);
    world.storage.release();
    await world.settled();
    const account = await world.core.accounts.load(ROMEO);
    expect(rosterOf(account).listed()).toHaveLength(1);
  });

  it("waits for its turn, and is refused only when too many wait @1.9 @limit.loads @limit.load_queue", async () => {
    const { storage, core } = (await verona({ config: "[limits]\nloads = 2\nload_queue = 2" })).world;
    const { accounts } = core;
    const go = slowLoads(storage);
    const loads = ["a", "b", "c", "d", "e"].map((name) => accounts.load(JID.parse(`${name}@localhost`)));
    const ends = Promise.allSettled(loads);
    for (let turn = 0; turn < 4; turn++) {
      await settled();
      go();
    }
    expect((await ends).map(({ status }) => status)).toEqual([...Array<string>(4).fill("fulfilled"), "rejected"]);
    await expect(loads[4]).rejects.toBeInstanceOf(LoadFault);
  });

  it("gives up waiting for its turn when that takes too long @1.9 @limit.load_timeout", async () => {
    const { storage, core, clock } = (await verona({ config: "[limits]\nloads = 1\nload_timeout = '2s'" })).world;
    storage.load = () => new Promise(() => undefined);
    const ends = Promise.allSettled(["a", "b"].map((name) => core.accounts.load(JID.parse(`${name}@localhost`))));
    await settled();
    clock.advance(2000);
    await settled();
    clock.advance(2000);
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("is one object for all who use it, even if no cache keeps it @1.9", async () => {
    const { accounts } = rig({ cacheBytes: 1 });
    const first = await accounts.load(ROMEO);
    const second = await accounts.load(ROMEO);
    expect(accounts.hold(first)).toBe(first);
    expect(accounts.hold(second)).toBe(first);
    accounts.release(first);
    expect(accounts.isInUse(ROMEO)).toBe(true);
    accounts.release(first);
    expect(accounts.isInUse(ROMEO)).toBe(false);
  });

  it("is stale for those who have just been given it when its document changes @1.9", async () => {
    const { accounts } = rig();
    const account = await accounts.load(ROMEO);
    accounts.invalidate(ROMEO);
    expect(account.isStale).toBe(true);
  });

  it.each([
    ["again when there is no room for it", 1, 2],
    ["once when there is", 1_000_000, 1],
  ])("is read %s @1.9 @limit.account_cache_bytes", async (_, bytes, reads) => {
    const { storage, core } = (await verona({ config: `[limits]\naccount_cache_bytes = ${bytes}` })).world;
    const load = storage.load.bind(storage);
    let seen = 0;
    storage.load = (...asked) => (seen++, load(...asked));
    for (let time = 0; time < 2; time++) await core.accounts.load(JID.parse("benvolio@localhost"));
    expect(seen).toBe(reads);
  });

  it("may be kept for ever: 0 switches the limit off @1.9", async () => {
    const { world } = await verona({ config: "[limits]\naccount_cache_bytes = 0" });
    expect(await world.core.users.exists(ROMEO)).toBe(true);
  });
});

describe("the committer", () => {
  it("holds a barrier back while what was before it is tried again @1.9", async () => {
    const { storage, clock, committer } = rig();
    storage.failNext("unknown");
    const order: string[] = [];
    void committer.commit([put("a@localhost", "")]).then((outcome) => order.push(outcome));
    void committer.barrier().then(() => order.push("barrier"));
    await settled();
    expect(order).toEqual([]);
    clock.advance(300);
    await settled();
    expect(order).toEqual(["done", "barrier"]);
  });

  it("does not let later writes to an account overtake one that is tried again @1.9", async () => {
    const { storage, clock, committer } = rig();
    const account = new Account(ROMEO);
    const touched = new Map([[account, 0]]);
    const order: string[] = [];
    const enqueue = (key: string): void =>
      committer.enqueue({ writes: [put("a", key)], touched, done: (outcome) => order.push(`${key} ${outcome}`) });
    storage.failNext("unknown");
    for (const key of ["1", "2", "3"]) enqueue(key);
    await settled();
    expect([order, storage.commits]).toEqual([[], 1]);
    clock.advance(300);
    await settled();
    expect(order).toEqual(["1 done", "2 done", "3 done"]);
  });

  it("does not say conflict when the condition was broken by the unit itself @1.9", async () => {
    const { storage, clock, committer } = rig();
    storage.failNext("unknown", { written: true });
    const outcome = committer.commit([put("a", "", { ifAbsent: true })]);
    await settled();
    clock.advance(300);
    expect(await outcome).toBe("unknown");
  });

  it("does not say refused when the first try may have been written @1.9", async () => {
    const { storage, clock, committer } = rig();
    storage.failNext("unknown", { written: true });
    storage.failNext("refused");
    const outcome = committer.commit([put("a", "")]);
    for (let turn = 0; turn < 3; turn++) {
      await settled();
      clock.advance(300);
    }
    expect(await outcome).toBe("done");
  });

  it("finds the unit that the store cannot take, and commits the others @1.9", async () => {
    const { committer } = rig();
    const bad: Write = { op: "put", store: "undeclared", owner: "a", key: "", doc: { v: 1 } };
    const outcomes = [[put("a", "1")], [bad], [put("a", "2")]].map((writes) => committer.commit(writes));
    expect(await Promise.all(outcomes)).toEqual(["done", "refused", "done"]);
  });

  it("refuses at once while the store is down, and takes writes again when it can write @1.9", async () => {
    const { storage, clock, committer } = rig();
    const commit = storage.commit.bind(storage);
    let tries = 0;
    storage.probe = () => Promise.reject(new Error("down"));
    storage.commit = (units) => {
      tries++;
      return Promise.resolve(units.map(() => "unknown"));
    };
    const first = committer.commit([put("a", "1")]);
    for (let n = 0; n < 130; n++) {
      await settled();
      clock.advance(250);
    }
    expect(await first).toBe("unknown");
    const before = tries;
    expect([await committer.commit([put("a", "2")]), tries]).toEqual(["refused", before]);
    await committer.idle(); // an orderly stop does not wait for the store to come back
    storage.probe = () => Promise.resolve();
    storage.commit = commit;
    clock.advance(250);
    await settled();
    expect(await committer.commit([put("a", "3")])).toBe("done");
  });

  it("waits for an answer no longer than it tries again: what the store has may be written, what it has not is refused @1.9", async () => {
    const { storage, clock, committer } = rig();
    const account = new Account(ROMEO);
    const order: string[] = [];
    const enqueue = (key: string, writes = [put("a", key)]): void =>
      committer.enqueue({
        writes,
        touched: new Map([[account, 0]]),
        done: (outcome) => order.push(`${key} ${outcome}`),
      });
    storage.hold();
    for (const key of ["1", "2"]) enqueue(key);
    void committer.barrier().then(() => order.push("barrier"));
    await settled();
    clock.advance(29_000);
    expect(order).toEqual([]);
    clock.advance(2000);
    await settled();
    expect(order).toEqual(["1 unknown", "2 refused", "barrier"]);
    expect(await committer.commit([put("a", "3")])).toBe("refused");
    const { generation } = account;
    storage.release();
    await settled();
    expect(account.generation).not.toBe(generation); // it may have been loaded before that answer
    expect(await committer.commit([put("a", "4")])).toBe("done");
  });

  it("is idle only when retries have come to their end @1.9", async () => {
    const { storage, clock, committer } = rig();
    storage.failNext("unknown");
    const order: string[] = [];
    void committer.commit([put("a", "")]).then(() => order.push("done"));
    await settled();
    void committer.idle().then(() => order.push("idle"));
    await settled();
    expect(order).toEqual([]);
    clock.advance(300);
    await settled();
    expect(order).toEqual(["done", "idle"]);
  });
});

describe("accounts that are made", () => {
  it("are made, even if the store's first answer is lost @1.9", async () => {
    const { world } = await verona();
    world.storage.failNext("unknown", { written: true });
    const outcome = world.core.users.create(JID.parse("tybalt@localhost"), "secret");
    await settled();
    world.clock.advance(300);
    expect(await outcome).toBe("done");
  });

  it("once: the second of two at the same time meets a conflict @1.9", async () => {
    const { world } = await verona();
    const tybalt = JID.parse("tybalt@localhost");
    const outcomes = await Promise.all(["a", "b"].map((password) => world.core.users.create(tybalt, password)));
    expect(outcomes).toEqual(["done", "conflict"]);
    expect(await world.core.users.credentials(tybalt)).toEqual({ password: "a" });
  });

  it("after another one of the same name was removed know nothing of it @1.9", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(add("juliet@localhost"));
    world.storage.hold();
    const removed = world.core.users.remove(ROMEO);
    const made = world.core.users.create(ROMEO, "new");
    await settled();
    world.storage.release();
    expect(await Promise.all([removed, made])).toEqual(["done", "done"]);
    expect(romeo.closedWith?.condition).toBe("not-authorized");
    const again = await world.device("romeo@localhost/orchard");
    expect(rosterOf(again.session?.account ?? new Account(ROMEO)).listed()).toEqual([]);
  });
});

describe("an account that is being removed", () => {
  it("is written to no more by its other devices @1.9", async () => {
    const { world, romeo } = await verona();
    world.storage.hold();
    const removed = world.core.users.remove(ROMEO);
    await settled();
    romeo.sendsNow(add("juliet@localhost"));
    romeo.sendsNow("<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>R</FN></vCard></iq>");
    await settled();
    world.storage.release();
    await removed;
    await settled();
    expect(romeo.received.map(({ element }) => conditionOf(element))).toEqual(["not-authorized", "not-authorized"]);
    const stores = ["roster", "vcard"];
    expect((await world.storage.load(["romeo@localhost"], stores)).get("romeo@localhost")).toEqual([]);
  });
});

describe("binding", () => {
  it("the same resource twice at once ends the first with a conflict @1.9", async () => {
    const { world } = await verona();
    const sinks = [new Device(world), new Device(world)];
    const jid = JID.parse("juliet@localhost/balcony");
    const bound = await Promise.all(sinks.map((sink) => world.core.sessions.bind(jid, sink)));
    const [first, second] = bound;
    if (!first || !second || first instanceof StanzaError || second instanceof StanzaError) throw new Error("refused");
    expect([first.open, second.open, world.core.sessions.count]).toEqual([false, true, 2]);
    expect(second.account.sessions.get("balcony")).toBe(second);
    expect(sinks[0]?.closedWith?.condition).toBe("conflict");
  });

  it("many at once keeps to the limit of the account @1.9 @limit.resources_per_account", async () => {
    const { world } = await verona({ config: "[limits]\nresources_per_account = 2" });
    const bound = await Promise.all(
      ["1", "2", "3"].map((n) => world.core.sessions.bind(JULIET.withResource(n), new Device(world))),
    );
    expect(bound.map((one) => one instanceof StanzaError)).toEqual([false, false, true]);
  });

  it("to an account that is removed meanwhile is not allowed @1.9", async () => {
    const { world } = await verona();
    world.core.accounts.invalidate(JULIET);
    const removed = world.core.users.remove(JULIET);
    const bound = await world.core.sessions.bind(JULIET.withResource("balcony"), new Device(world));
    expect(await removed).toBe("done");
    expect(bound).toBeInstanceOf(StanzaError);
  });
});

describe("a stored message", () => {
  it("that waits behind the offline read is not delivered until it has left the process @1.9", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("stored"));
    const balcony = await world.device("juliet@localhost/balcony");
    world.storage.hold();
    romeo.sendsNow(add("juliet@localhost")); // its commit is under way
    await settled();
    romeo.sendsNow(chat("late")); // decided while nobody is there, its id given after the read was fixed
    const log = world.storage.log.bind(world.storage);
    world.storage.log = () => new Promise(() => undefined); // the read takes its time
    await balcony.sends("<presence/>");
    world.storage.release();
    await settled();
    await balcony.goes();
    world.storage.log = log;
    const phone = await world.device("juliet@localhost/phone");
    await phone.sends("<presence/>");
    await settled();
    expect([balcony.bodies, phone.bodies]).toEqual([[], ["stored", "late"]]);
  });

  it.each([0, 1])(
    "or live one that waits behind the offline read is not lost with its device; others there: %i @1.9",
    async (n) => {
      const { world, romeo } = await verona();
      const log = world.storage.log.bind(world.storage);
      world.storage.log = () => new Promise(() => undefined); // the read takes its time
      const balcony = await world.device("juliet@localhost/balcony");
      await balcony.sends("<presence/>");
      const phone = await world.device("juliet@localhost/phone");
      if (n === 1) await phone.sends("<presence/>");
      await romeo.sends(chat("live"));
      await balcony.goes();
      world.storage.log = log;
      if (n === 0) await phone.sends("<presence/>");
      await settled();
      expect([balcony.bodies, phone.bodies]).toEqual([[], ["live"]]);
    },
  );

  it("that a device has when the server stops is not sent again @1.9", async () => {
    const { world, romeo } = await verona();
    await romeo.sends(chat("one"));
    const [row] = await world.storage.log("juliet@localhost", { limit: 1 });
    world.core.context.delivered({ owner: "juliet@localhost", id: row?.id ?? 0 });
    await world.core.close();
    const rows = await openMemory([], world.disk).log("juliet@localhost", { limit: 1 });
    expect(rows.map(({ pending }) => pending)).toEqual([false]);
  });
});

describe("a request to a device that goes before it is released", () => {
  it("is answered all the same @1.9", async () => {
    const { world, romeo } = await verona();
    const balcony = await world.device("juliet@localhost/balcony");
    world.storage.hold();
    romeo.sendsNow(add("juliet@localhost"));
    romeo.sendsNow("<iq type='get' id='q' to='juliet@localhost/balcony'><ping xmlns='urn:xmpp:ping'/></iq>");
    await balcony.goes();
    world.storage.release();
    await settled();
    await settled();
    expect(romeo.received.map(({ type, element }) => [type, conditionOf(element)])).toEqual([
      ["result", ""],
      ["error", "service-unavailable"],
    ]);
  });
});

describe("a flow that waits for an account", () => {
  it("fails when an account it has changed before was invalidated meanwhile @1.9", async () => {
    const { world, romeo } = await verona({ config: "[limits]\naccount_cache_bytes = 1" });
    const go = slowLoads(world.storage);
    romeo.sendsNow("<presence to='juliet@localhost' type='subscribe'/>");
    await settled();
    world.core.accounts.invalidate(ROMEO);
    for (let turn = 0; turn < 6; turn++) {
      go();
      await settled();
    }
    expect(romeo.received.map(({ element }) => conditionOf(element))).toEqual(["resource-constraint"]);
    const rows = await world.storage.list("roster", { limit: 9 });
    expect(rows).toEqual([]);
    void world.core.accounts.load(ROMEO);
    await settled();
    go();
    expect(rosterOf(await world.core.accounts.load(ROMEO)).listed()).toEqual([]);
  });
});
