// What is stored about an account, with all features at work: exported whole, and gone when it is erased.
import { describe, expect, it } from "@jest/globals";
import { Personal } from "../core/personal.js";
import { features, STORES } from "../features.js";
import { JID } from "../stanza/jid.js";
import { placeOf, type Row } from "../storage/port.js";
import type { Doc } from "../storage/writes.js";
import { toWire } from "../xml/wire.js";
import { World } from "./world.test.kit.js";

const JULIET = "juliet@localhost";

/** Juliet has used whatever stores something. */
async function lived(): Promise<{ readonly world: World; readonly personal: Personal }> {
  const world = await World.open(features, { accounts: [JULIET, "romeo@localhost"] });
  const [juliet, romeo] = [await world.device(`${JULIET}/b`), await world.device("romeo@localhost/o")];
  await romeo.sends("<presence/>");
  await juliet.sends("<presence/>");
  await juliet.sends("<presence to='romeo@localhost' type='subscribe'/>");
  await romeo.sends("<presence to='juliet@localhost' type='subscribed'/>");
  await juliet.sends("<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>J</FN></vCard></iq>");
  await juliet.sends("<iq type='set' id='2'><query xmlns='jabber:iq:private'><x xmlns='y'>z</x></query></iq>");
  const prefs = "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always/><never/></prefs>";
  await juliet.sends(`<iq type='set' id='3'>${prefs}</iq>`);
  await juliet.sends("<message to='romeo@localhost' type='chat'><body>online</body></message>");
  const lost = await world.device(`${JULIET}/lost`);
  if (lost.session) world.core.sessions.manage(lost.session, { resume: true, waitMs: undefined });
  world.clock.advance(5000); // her sessions are recorded behind
  await juliet.goes();
  await romeo.sends("<message to='juliet@localhost' type='chat'><body>later ü</body></message>");
  const { accounts, committer, users, erasures } = world.core;
  return {
    world,
    personal: new Personal({ storage: world.storage, accounts, committer, users, erasures, stores: STORES }),
  };
}

async function rowsOf(world: World, owner: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name } of STORES)
    rows.push(...(await world.storage.list(name, { limit: 999 })).filter((row) => row.owner === owner));
  return rows;
}

describe("what is stored about an account", () => {
  it("is declared by every feature: what lies under an address is somebody's, what does not is nobody's @2.3", async () => {
    const { world } = await lived();
    for (const { name, data } of STORES)
      for (const row of await world.storage.list(name, { limit: 999 }))
        expect([name, data, placeOf(row)]).toEqual([
          name,
          row.owner.includes("@") ? "account" : "nobody",
          placeOf(row),
        ]);
  });

  it("is exported whole: every document and every message @2.3", async () => {
    const { world, personal } = await lived();
    const records: Readonly<Record<string, unknown>>[] = [];
    for await (const record of personal.export(JID.parse(JULIET))) records.push(record);
    const rows = await rowsOf(world, JULIET);
    expect(new Set(rows.map(({ store }) => store))).toEqual(new Set(USED));
    expect(new Set(records.filter(({ store }) => store))).toEqual(
      new Set(rows.map(({ store, key, doc }) => ({ store, key, doc }))),
    );
    const messages = records.filter(({ stanza }) => stanza !== undefined);
    expect(messages).toHaveLength(await world.storage.countLog(JULIET, {}));
    expect(messages.at(-1)).toMatchObject({ with: expect.stringContaining("romeo@localhost"), pending: true });
    expect(messages.at(-1)?.["stanza"]).toContain("<body>later ü</body>");
  });

  it("is exported with what others keep about it, such as rooms their lists @2.3 @3.2", async () => {
    const { world, personal } = await lived();
    const room = { store: "room_affiliation", owner: "coven@conference.localhost" };
    const doc = { v: 1, affiliation: "member", account: JULIET };
    const others = { v: 1, affiliation: "member", account: "romeo@localhost" };
    const put = (key: string, of: Doc) => ({ writes: [{ op: "put", ...room, key, doc: of } as const] });
    await world.storage.commit([put(JULIET, doc), put("romeo@localhost", others)]);
    const records: Readonly<Record<string, unknown>>[] = [];
    for await (const record of personal.export(JID.parse(JULIET))) records.push(record);
    expect(records.filter(({ owner }) => owner !== undefined)).toEqual([{ ...room, key: JULIET, doc }]);
  });

  it("is exported page by page, as it is taken: a large archive is never in memory as a whole @2.3", async () => {
    const { world, personal } = await lived();
    const entry = { with: "romeo@localhost", stanza: toWire("<message/>"), pending: false, hidden: false };
    const append = (n: number) => ({ writes: [{ op: "append", owner: JULIET, id: 1000 + n, entry } as const] });
    await world.storage.commit(Array.from({ length: 1000 }, (_, n) => append(n)));
    const pages: number[] = [];
    const log = world.storage.log.bind(world.storage);
    world.storage.log = async (owner, query) => {
      pages.push(query.limit);
      return log(owner, query);
    };
    let messages = 0;
    for await (const record of personal.export(JID.parse(JULIET))) {
      if (record["stanza"] === undefined) continue;
      messages++;
      expect(pages.reduce((sum, limit) => sum + limit, 0)).toBeLessThan(messages + 1000 / 4);
    }
    expect(messages).toBe(await world.storage.countLog(JULIET, {}));
  });

  it("leaves the store to the last entry however it is erased @2.3", async () => {
    const { world, personal } = await lived();
    const slices = [true, true, false];
    world.storage.discard = () => Promise.resolve(slices.shift() ?? false);
    expect(await personal.erase(JID.parse(JULIET))).toBe("done");
    expect(slices).toEqual([]);
    slices.push(true, true);
    expect(await world.core.users.remove(JID.parse("romeo@localhost"))).toBe("done");
    await world.core.erasures.finished();
    expect(slices).toEqual([]);
  });

  it("is gone when it is erased, whether the account exists or not, and nobody else's is @2.3", async () => {
    const { world, personal } = await lived();
    const before = await rowsOf(world, "romeo@localhost");
    expect(await personal.erase(JID.parse(JULIET))).toBe("done");
    await world.settled();
    expect(await rowsOf(world, JULIET)).toEqual([]);
    expect(await world.storage.countLog(JULIET, {})).toBe(0);
    expect((await rowsOf(world, "romeo@localhost")).length).toBe(before.length);
    expect(await world.core.users.exists(JID.parse(JULIET))).toBe(false);
    await world.storage.commit([{ writes: [{ op: "put", store: "vcard", owner: JULIET, key: "", doc: { v: 1 } }] }]);
    expect(await personal.erase(JID.parse(JULIET))).toBe("done");
    expect(await rowsOf(world, JULIET)).toEqual([]);
  });
});

/** A feature that stores something new makes Juliet use it above, and stands here. */
const USED = STORES.filter(({ data }) => data === "account").map(({ name }) => name);
