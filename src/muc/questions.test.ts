import { describe, expect, it } from "@jest/globals";
import { NS } from "../xml/namespaces.js";
import { type Coven, coven, gathered, ROOM, type Witch } from "./coven.test.kit.js";

const VERSION = "<query xmlns='jabber:iq:version'/>";
const PING = `<ping xmlns='${NS.ping}'/>`;
const UNREACHABLE = `<message type='error' to='${ROOM}'><error type='cancel'><recipient-unavailable xmlns='${NS.stanzaErrors}'/></error></message>`;
const ask = (witch: Witch, nick: string, payload = VERSION, id = "q") =>
  witch.sends(`<iq type='get' id='${id}' to='${ROOM}/${nick}'>${payload}</iq>`);
const answer = (witch: Witch, nick: string, id: string | undefined, type = "result", payload = VERSION) =>
  witch.sends(`<iq type='${type}' id='${String(id)}' to='${ROOM}/${nick}'>${payload}</iq>`);
const last = (witch: Witch) => witch.device.received.at(-1);

describe("a request to an occupant", () => {
  it("reaches the client that is shown, and the answer the one that asked, and neither learns a JID @3.1 @M1", async () => {
    const { crone, hag, another } = await gathered();
    const desk = await another("hag@localhost/desk");
    await desk.enters("hag");
    for (const witch of [crone, hag, desk]) witch.forget();
    await ask(crone, "hag");
    expect([hag.heard.length, desk.heard.length]).toEqual([0, 1]);
    const asked = last(desk);
    expect([asked?.from?.toString(), asked?.to?.toString()]).toEqual([`${ROOM}/crone`, desk.jid]);
    expect(asked?.id).not.toBe("q");
    await answer(desk, "crone", asked?.id);
    expect(crone.heard).toEqual(["result q"]);
    expect(last(crone)?.from?.toString()).toBe(`${ROOM}/hag`);
    expect(last(crone)?.toWire()).not.toContain("hag@localhost");
    expect(asked?.toWire()).not.toContain("crone@localhost");
  });

  it("for the vCard is answered for the account @3.4 @M1", async () => {
    const { crone, hag } = await gathered();
    await hag.sends(`<iq type='set' id='s'><vCard xmlns='${NS.vcardTemp}'><FN>Hag</FN></vCard></iq>`);
    hag.forget();
    await ask(crone, "hag", `<vCard xmlns='${NS.vcardTemp}'/>`);
    expect([crone.heard, hag.heard]).toEqual([["result q"], []]);
    expect(last(crone)?.from?.toString()).toBe(`${ROOM}/hag`);
    expect(last(crone)?.toWire()).toContain("<FN>Hag</FN>");
    expect(last(crone)?.toWire()).not.toContain("hag@localhost");
  });

  it("is answered by whom it was passed on to, once, also with an error @3.1 @M1", async () => {
    const { crone, hag, wicca } = await gathered();
    await ask(crone, "hag");
    const id = last(hag)?.id;
    await answer(wicca, "crone", id);
    await answer(hag, "crone", "another");
    expect(crone.heard).toEqual([]);
    const error = `<error type='cancel'><forbidden xmlns='${NS.stanzaErrors}'/></error>`;
    await answer(hag, "crone", id, "error", error);
    await answer(hag, "crone", id);
    expect(crone.hears()).toEqual(["error forbidden"]);
  });

  it("from outside, to nobody, or in a room that there is not, is refused @3.1 @M1", async () => {
    const { crone, hag, another } = await gathered();
    const stray = await another("wicca@localhost/stray");
    await ask(stray, "hag", `<query xmlns='${NS.discoItems}'/>`);
    await ask(stray, "hag");
    await ask(crone, "nobody");
    await stray.sends(`<iq type='get' id='q' to='nowhere@conference.localhost/hag'>${VERSION}</iq>`);
    expect(stray.hears()).toEqual(["error bad-request", "error not-acceptable", "error item-not-found"]);
    expect([crone.hears(), hag.hears()]).toEqual([["error item-not-found"], []]);
  });

  it("to which no answer comes has one in the end, and one that comes later is nobody's @3.1 @R7", async () => {
    const { world, crone, hag, settle } = await gathered();
    await ask(crone, "hag");
    world.clock.advance(119_000);
    await settle();
    expect(crone.heard).toEqual([]);
    world.clock.advance(2000);
    await settle();
    expect(crone.heard).toEqual(["error remote-server-timeout"]);
    await answer(hag, "crone", last(hag)?.id);
    expect(crone.heard).toHaveLength(1);
  });

  it("is refused while too many have no answer @3.5 @R7 @limit.occupant_requests", async () => {
    const { crone, hag, wicca } = await gathered({}, { config: "[limits]\noccupant_requests = 2" });
    for (const id of ["a", "b", "c"]) await ask(crone, "hag", VERSION, id);
    await ask(wicca, "hag");
    expect([crone.hears(), wicca.hears(), hag.heard.length]).toEqual([["error resource-constraint"], [], 3]);
    await answer(hag, "crone", hag.device.received[0]?.id);
    await ask(crone, "hag", VERSION, "d");
    expect([crone.hears(), hag.heard.length]).toEqual([["result a"], 4]);
  });

  it("that could not be passed on waits for no answer @3.2", async () => {
    const all = await gathered({}, { config: "[limits]\noccupant_requests = 1" });
    const { world, crone, hag, settle } = all;
    world.storage.hold();
    world.storage.failNext("refused");
    hag.device.sendsNow(`<message type='groupchat' to='${ROOM}'><body>lost</body></message>`);
    crone.device.sendsNow(`<iq type='get' id='q' to='${ROOM}/wicca'>${VERSION}</iq>`);
    await settle();
    world.storage.release();
    await settle();
    expect(crone.hears()).toEqual(["error resource-constraint"]);
    await ask(crone, "wicca");
    expect(crone.hears()).toEqual([]);
  });
});

describe("a ping to oneself", () => {
  it("is answered by the room, whatever one's clients do @3.4 @M5", async () => {
    const { crone, hag } = await gathered();
    await ask(hag, "hag", PING);
    expect([hag.heard, last(hag)?.from?.toString()]).toEqual([["result q"], `${ROOM}/hag`]);
    await ask(crone, "hag", PING);
    expect(hag.heard.at(-1)).toMatch(/^get /);
    await crone.sends(`<iq type='get' id='d' to='${ROOM}'><query xmlns='${NS.discoInfo}'/></iq>`);
    expect(last(crone)?.toWire()).toContain("http://jabber.org/protocol/muc#self-ping-optimization");
  });

  it("is not acceptable from who is not in, be it that the room is gone @3.4 @M5", async () => {
    const { hag } = await gathered();
    await hag.leaves("hag");
    hag.forget();
    await ask(hag, "hag", PING);
    const { hag: lost } = await coven();
    await ask(lost, "hag", PING);
    expect([hag.hears(), lost.hears()]).toEqual([["error not-acceptable"], ["error not-acceptable"]]);
  });

  it.each([
    ["was kicked", (all: Coven) => all.crone.sets("nick=hag role=none")],
    ["could not be reached", ({ hag }: Coven) => hag.sends(UNREACHABLE)],
  ])("tells who %s that they are out, and they hear nothing any more @3.4 @M5", async (_, goes) => {
    const all = await gathered();
    const { crone, hag, wicca } = all;
    await goes(all);
    hag.forget();
    await crone.says("hello");
    expect([hag.hears(), wicca.hears().at(-1)]).toEqual([[], "crone: hello"]);
    await ask(hag, "hag", PING);
    expect(hag.hears()).toEqual(["error not-acceptable"]);
  });
});
