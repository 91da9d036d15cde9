// Rulings 3 and 8: who is in a room and can resume their session is still in it when the server has been started again.
import { describe, expect, it } from "@jest/globals";
import { simulate, type Simulation } from "../simulation/simulation.js";
import type { WireClient } from "../simulation/wire-client.js";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { NS_RAI } from "./indicators.js";
import { a, comesBack, managed, r, resume } from "../xeps/0198-stream-management/sm.test.kit.js";

const ROOM = "coven@conference.localhost";
const enter = (nick: string): string =>
  `<presence to='${ROOM}/${nick}'><x xmlns='${NS.muc}'><history maxstanzas='0'/></x></presence>`;
const say = (body: string): string => `<message type='groupchat' to='${ROOM}'><body>${body}</body></message>`;
const INSTANT = `<iq type='set' id='form' to='${ROOM}'><query xmlns='${NS.mucOwner}'><x xmlns='${NS.dataForms}' type='submit'/></query></iq>`;

interface Member {
  readonly client: WireClient;
  readonly id: string;
}

/** Romeo and Juliet can resume, Benvolio cannot. All have acknowledged what they were sent. */
async function coven() {
  const simulation = await simulate();
  const romeo = await managed(simulation, "romeo", "orchard");
  const juliet = await managed(simulation, "juliet", "balcony");
  await simulation.account("benvolio");
  const benvolio = await simulation.login("benvolio", "street");
  romeo.client.send(enter("romeo"));
  await settle(simulation);
  romeo.client.send(INSTANT);
  await settle(simulation);
  juliet.client.send(enter("juliet"));
  benvolio.send(enter("benvolio"));
  await settle(simulation);
  return { simulation, romeo, juliet, benvolio };
}

async function settle(simulation: Simulation): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await simulation.settle();
}

/** Acknowledges all, and gives the count. */
async function had(simulation: Simulation, { client }: Member): Promise<number> {
  const session = [...simulation.server.core.accounts.inUse()]
    .flatMap(({ sessions }) => [...sessions.values()])
    .find(({ sink }) => sink === client.stream);
  const count = session?.management?.copies.sent ?? 0;
  client.send(a(count) + r);
  await settle(simulation);
  simulation.clock.advance(5000); // records are written behind
  await settle(simulation);
  client.take();
  return count;
}

/** In short: "romeo: hello", "romeo enters 110", "romeo goes 332"; other elements by their names. */
function heard(client: WireClient): readonly string[] {
  return client
    .take()
    .filter(({ name, attrs }) => name !== "r" && name !== "stream:features" && attrs["type"] !== "error")
    .map(lineOf);
}

function lineOf(element: Element): string {
  const { name, attrs } = element;
  const nick = String(attrs["from"]).replace(/^.*\//, "");
  const codes = element.getChild("x", NS.mucUser)?.getChildren("status") ?? [];
  if (name === "presence")
    return [
      nick,
      attrs["type"] === "unavailable" ? "goes" : "enters",
      ...codes.map((code) => String(code.attrs["code"])),
    ].join(" ");
  if (name === "message") return `${nick}: ${element.getChildText("body") ?? "no body"}`;
  return name;
}

async function comesAgain(simulation: Simulation, user: string, { id }: Member, h: number): Promise<WireClient> {
  const client = await comesBack(simulation, user, resume(id, h));
  await settle(simulation);
  return client;
}

const listen = `<presence to='conference.localhost'><rai xmlns='${NS_RAI}'/></presence>`;
const leave = (nick: string): string => `<presence type='unavailable' to='${ROOM}/${nick}'/>`;

/** The rooms that a client is told there is something new in. */
function active(client: WireClient): readonly string[] {
  const notices = client.take().flatMap((element) => element.getChild("rai", NS_RAI) ?? []);
  return notices.flatMap((rai) => rai.getChildren("activity").map((room) => room.text()));
}

describe.each(["restart", "crash"] as const)("whoever listens for activity in rooms, after a %s", (how) => {
  it("is told of it when their session goes on, and else asks anew @3.4 @3.2", async () => {
    const { simulation, romeo, juliet } = await coven();
    const other = await simulation.login("romeo", "street"); // cannot resume
    romeo.client.send(leave("romeo"));
    for (const client of [romeo.client, other]) client.send(listen);
    await settle(simulation);
    const counts = [await had(simulation, romeo), await had(simulation, juliet)] as const;
    const next = await simulation[how]();
    const romeoAgain = await comesAgain(next, "romeo", romeo, counts[0]);
    const julietAgain = await comesAgain(next, "juliet", juliet, counts[1]);
    const otherAgain = await next.login("romeo", "street");
    await settle(next);
    for (const client of [romeoAgain, otherAgain]) client.take();
    julietAgain.send(say("anybody"));
    await settle(next);
    expect([active(romeoAgain), active(otherAgain)]).toEqual([[ROOM], []]);
    otherAgain.send(listen);
    await settle(next);
    expect(active(otherAgain)).toEqual([ROOM]);
    julietAgain.send(say("nobody"));
    await settle(next);
    expect(active(romeoAgain)).toEqual([]);
  });
});

describe("after an orderly stop", () => {
  it("who can resume is still in the room; all others were told why they are not, and their going is told @3.2", async () => {
    const { simulation, romeo, juliet, benvolio } = await coven();
    const counts = [await had(simulation, romeo), await had(simulation, juliet)] as const;
    benvolio.take();
    const next = await simulation.restart();
    expect(heard(benvolio).filter((line) => line.startsWith("benvolio"))).toEqual(["benvolio goes 110 332"]);
    const romeoAgain = await comesAgain(next, "romeo", romeo, counts[0]);
    expect(heard(romeoAgain)).toEqual(["resumed", "benvolio goes 332"]);
    romeoAgain.send(say("still here"));
    await settle(next);
    expect(heard(romeoAgain)).toEqual(["romeo: still here"]);
    const julietAgain = await comesAgain(next, "juliet", juliet, counts[1]);
    expect(heard(julietAgain)).toEqual(["resumed", "benvolio goes 332", "romeo: still here"]);
    julietAgain.send(say("so am I"));
    await settle(next);
    expect(heard(romeoAgain)).toEqual(["juliet: so am I"]);
  });

  it("who waits too long goes, as from any room @3.2", async () => {
    const { simulation, romeo, juliet } = await coven();
    const count = await had(simulation, romeo);
    await had(simulation, juliet);
    const next = await simulation.restart();
    const romeoAgain = await comesAgain(next, "romeo", romeo, count);
    heard(romeoAgain);
    next.clock.advance(24 * 3_600_000);
    await settle(next);
    expect(heard(romeoAgain)).toContain("juliet goes");
  });

  it("a temporary room is still there, with its owner, though nobody is in it @3.2", async () => {
    const simulation = await simulate();
    const romeo = await simulation.login("romeo", "orchard");
    romeo.send(enter("romeo"));
    await settle(simulation);
    romeo.send(INSTANT);
    await settle(simulation);
    const next = await simulation.restart();
    const again = await next.login("romeo", "orchard");
    again.send(enter("romeo"));
    await settle(next);
    expect(heard(again)).not.toContain("romeo enters 110 201");
  });
});

describe("after a crash", () => {
  it("who can resume is in the room again, is told who else is, and what may have been missed @3.2", async () => {
    const { simulation, romeo, juliet, benvolio } = await coven();
    const counts = [await had(simulation, romeo), await had(simulation, juliet)] as const;
    benvolio.send(say("does anybody hear me"));
    await settle(simulation);
    const next = await simulation.crash();
    const romeoAgain = await comesAgain(next, "romeo", romeo, counts[0]);
    const lines = heard(romeoAgain);
    expect(lines.slice(0, 3)).toEqual(["resumed", "juliet enters", "romeo enters 110"]);
    expect(lines).toContain("benvolio: does anybody hear me");
    expect(lines).not.toContain("benvolio enters");
    const julietAgain = await comesAgain(next, "juliet", juliet, counts[1]);
    julietAgain.send(say("me, now"));
    await settle(next);
    expect(heard(romeoAgain)).toEqual(["juliet: me, now"]);
  });

  it.each([
    ["was banned", "room_affiliation", "juliet@localhost", { v: 1, affiliation: "outcast" }],
    ["is no member of what is for members now", "room", "", { v: 1, settings: { membersOnly: true } }],
    ["has lost the nick", "room_affiliation", "evil@localhost", { v: 1, affiliation: "member", nick: "Juliet" }],
  ])("who %s meanwhile is told to be out @3.2 @M2 @M3", async (_, store, key, doc) => {
    const { simulation, juliet } = await coven();
    const count = await had(simulation, juliet);
    const next = await simulation.crash();
    await next.storage.commit([{ writes: [{ op: "put", store, owner: ROOM, key, doc }] }]);
    const last = await next.crash();
    const again = await comesAgain(last, "juliet", juliet, count);
    expect(heard(again)).toContain("juliet goes 110 332");
  });
});
