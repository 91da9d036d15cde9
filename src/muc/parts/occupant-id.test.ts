import { describe, expect, it } from "@jest/globals";
import type { Stanza } from "../../stanza/stanza.js";
import { NS } from "../../xml/namespaces.js";
import { coven, gathered, ROOM } from "../coven.test.kit.js";

const idsOf = (stanza: Stanza | undefined) =>
  stanza?.element.getChildren("occupant-id", NS.occupantId).map(({ attrs }) => String(attrs["id"])) ?? [];
const FORGED = `<occupant-id xmlns='${NS.occupantId}' id='forged'/><occupant-id xmlns='${NS.occupantId}' id='twice'/>`;

describe("an occupant's id", () => {
  it("is on all presence and messages, once, whatever the client says of itself @3.4 @R3", async () => {
    const { hag, wicca } = await gathered();
    await hag.sends(`<presence to='${ROOM}/hag'>${FORGED}<show>away</show></presence>`);
    await hag.sends(`<message type='groupchat' to='${ROOM}'>${FORGED}<body>all</body></message>`);
    await hag.sends(`<message type='chat' to='${ROOM}/wicca'>${FORGED}<body>one</body></message>`);
    await hag.sends(`<presence type='unavailable' to='${ROOM}/hag'>${FORGED}</presence>`);
    const ids = wicca.device.received.map(idsOf);
    expect(ids).toHaveLength(4);
    expect(new Set(ids.flat()).size).toBe(1);
    expect(ids.every(({ length }) => length === 1)).toBe(true);
    expect(ids[0]?.[0]).toMatch(/^[\w-]{43}$/);
    expect(wicca.device.received.map((stanza) => stanza.toWire()).join("")).not.toContain("forged");
  });

  it("is the account's, whatever the client and the nick, also in what was said before @3.4", async () => {
    const { hag, crone, another } = await gathered();
    await hag.says("before");
    const [id] = idsOf(crone.device.messages[0]);
    await hag.leaves("hag");
    const late = await another("hag@localhost/late");
    await late.enters("newcomer");
    const said = late.device.messages.find((message) => message.has("body", NS.client));
    const own = late.device.received.find(({ from }) => from?.resource === "newcomer");
    expect([idsOf(said), idsOf(own)]).toEqual([[id], [id]]);
    expect(new Set(late.device.received.flatMap(idsOf)).size).toBe(3);
  });

  it("is the same after the room has been read from the store, and another one in another room @3.4", async () => {
    const before = await coven();
    await before.crone.enters("crone");
    await before.crone.configures({ "muc#roomconfig_persistentroom": "1" });
    const first = idsOf(before.crone.device.received[0]);
    const { disk, clock } = before.world;
    const { crone } = await coven({ disk, clock, accounts: [] });
    await crone.enters("crone");
    expect(idsOf(crone.device.received[0])).toEqual(first);
    crone.forget();
    await crone.sends(`<presence to='another@conference.localhost/crone'><x xmlns='${NS.muc}'/></presence>`);
    expect(idsOf(crone.device.received[0])).toHaveLength(1);
    expect(idsOf(crone.device.received[0])).not.toEqual(first);
  });

  it("is said to be there by the service and by the room @3.4", async () => {
    const { hag } = await gathered();
    for (const to of ["conference.localhost", ROOM]) {
      await hag.sends(`<iq type='get' id='d' to='${to}'><query xmlns='${NS.discoInfo}'/></iq>`);
      expect(hag.device.received.at(-1)?.toWire()).toContain(NS.occupantId);
    }
  });
});
