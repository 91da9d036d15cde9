// A room of 1,000 occupants: what is said is written once for all of them, and whoever enters makes no more work than what is shown to them
// and of them.
import { afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { JID } from "../stanza/jid.js";
import { Stanza } from "../stanza/stanza.js";
import { NS } from "../xml/namespaces.js";
import { coven, type Coven, ROOM, type Witch } from "./coven.test.kit.js";

const FEW = 10;
const MANY = 1000;
const PER_ACCOUNT = 30; // sessions that one account may have
const ROLES = ["moderator", "participant", "visitor"];

const RAI = "<presence to='conference.localhost'><rai xmlns='urn:xmpp:rai:0'/></presence>";

interface Crowd {
  readonly all: Coven;
  readonly inside: readonly Witch[];
}

/** Contents made, copies with a head of their own, walks through all occupants. */
interface Work {
  readonly contents: number;
  readonly copies: number;
  readonly walks: number;
}

const showing = (roles: readonly string[]): string => {
  const values = roles.map((role) => `<value>${role}</value>`).join("");
  const fields = `<field var='FORM_TYPE'><value>${NS.mucRoomConfig}</value></field><field var='muc#roomconfig_presencebroadcast'>${values}</field>`;
  const form = `<x xmlns='${NS.dataForms}' type='submit'>${fields}</x>`;
  return `<iq type='set' id='form' to='${ROOM}'><query xmlns='${NS.mucOwner}'>${form}</query></iq>`;
};

/** So many, each under a nick of their own. While it fills, only the moderator is shown: a million presences are no test's business. */
async function crowd(size: number): Promise<Crowd> {
  const all = await coven();
  const { crone, world } = all;
  await crone.enters("crone");
  await crone.sends(showing(["moderator"]));
  const inside = [crone];
  for (let n = 0; inside.length < size; n++) {
    const account = `witch${Math.floor(n / PER_ACCOUNT)}@localhost`;
    if (n % PER_ACCOUNT === 0) await world.core.users.create(JID.parse(account), "secret");
    const witch = await all.another(`${account}/${n}`);
    await witch.enters(`witch${n}`);
    inside.push(witch);
  }
  await crone.sends(showing(ROLES));
  for (const witch of inside) witch.forget();
  return { all, inside };
}

/** What is done meanwhile, beside what the room is told. */
async function workOf(act: () => Promise<void>): Promise<Work> {
  const values = Map.prototype.values; // eslint-disable-line @typescript-eslint/unbound-method -- called with its map
  let walks = 0;
  const plus = jest.spyOn(Stanza.prototype, "plus");
  const readdress = jest.spyOn(Stanza.prototype, "readdress");
  jest.spyOn(Map.prototype, "values").mockImplementation(function (this: Map<unknown, unknown>) {
    if (this.has("crone")) walks++;
    return values.call(this);
  });
  await act();
  return { contents: plus.mock.calls.length, copies: readdress.mock.calls.length, walks };
}

afterEach(() => void jest.restoreAllMocks());

describe("in a room of 1,000 occupants", () => {
  let few: Crowd;
  let many: Crowd;
  beforeAll(async () => {
    few = await crowd(FEW);
    many = await crowd(MANY);
  });

  it("a message reaches all, and its content is made once @3.show3", async () => {
    for (const { all } of [few, many]) await all.hag.sends(RAI); // who is no member is told nothing, and costs nothing
    const small = await workOf(() => few.all.crone.says("hello"));
    jest.restoreAllMocks();
    const large = await workOf(() => many.all.crone.says("hello"));
    expect(many.inside.map((witch) => witch.hears())).toEqual(many.inside.map(() => ["crone: hello"]));
    expect(large).toEqual({ ...small, copies: small.copies + MANY - FEW });
    expect(large.walks).toBe(1);
  });

  it("whoever enters makes two copies for each who is in, and no more contents than in a small room @3.show3", async () => {
    const enterings: Work[] = [];
    for (const { all } of [few, many]) {
      await all.hag.enters("hag"); // makes what everybody is shown as
      enterings.push(await workOf(() => all.wicca.enters("wicca")));
      jest.restoreAllMocks();
    }
    const [small, large] = enterings;
    expect(many.all.wicca.heard.filter((line) => line.includes("enters"))).toHaveLength(MANY + 2);
    expect(many.inside.map(({ heard }) => heard.at(-1))).toEqual(many.inside.map(() => "wicca enters"));
    expect(large).toEqual({ ...small, copies: Number(small?.copies) + 2 * (MANY - FEW) });
  });
});
