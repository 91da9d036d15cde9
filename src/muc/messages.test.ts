import { describe, expect, it } from "@jest/globals";
import type { Feature } from "../core/feature.js";
import { idToText } from "../core/ids.js";
import { StanzaError } from "../stanza/errors.js";
import { NS } from "../xml/namespaces.js";
import { gathered, ROOM, type Witch } from "./coven.test.kit.js";

const archive = (world: Awaited<ReturnType<typeof gathered>>["world"]) => world.storage.log(ROOM, { limit: 50 });
const stanzaIdsOf = (witch: Witch) =>
  witch.device.messages.map(({ element }) =>
    element.getChildren("stanza-id", NS.stanzaIds).map(({ attrs }) => `${String(attrs["by"])} ${String(attrs["id"])}`),
  );

describe("a message to all", () => {
  it("reaches everybody under the sender's nick with its id, and is in the archive with the id all were told @3.1 @3.2", async () => {
    const { world, crone, hag, wicca } = await gathered();
    await hag.says("hello", "m1");
    const [row] = await archive(world);
    expect(row).toMatchObject({ with: ROOM, resource: "hag", pending: false, hidden: false });
    expect(row?.stanza).toContain("<body>hello</body>");
    for (const witch of [crone, hag, wicca]) {
      const [message] = witch.device.messages;
      expect([message?.from?.toString(), message?.to?.toString(), message?.id]).toEqual([
        `${ROOM}/hag`,
        witch.jid,
        "m1",
      ]);
      expect(stanzaIdsOf(witch)).toEqual([[`${ROOM} ${idToText(row?.id ?? 0)}`]]);
    }
  });

  it("is in one order for all, and in that order in the archive @3.2", async () => {
    const { world, crone, hag, wicca, settle } = await gathered();
    const send = (witch: Witch, body: string) =>
      witch.device.sendsNow(`<message type='groupchat' to='${ROOM}'><body>${body}</body></message>`);
    for (let n = 0; n < 5; n++) {
      send(crone, `c${n}`);
      send(hag, `h${n}`);
      send(wicca, `w${n}`);
    }
    await settle();
    const order = crone.device.bodies;
    expect(order).toHaveLength(15);
    expect([hag.device.bodies, wicca.device.bodies]).toEqual([order, order]);
    expect((await archive(world)).map(({ stanza }) => /<body>(.*)<\/body>/.exec(stanza)?.[1])).toEqual(order);
  });

  it("has no stanza-id, status code or delay that only the room may give @3.1 @R3 @M4", async () => {
    const { world, hag, wicca } = await gathered();
    const forged = [
      `<stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='forged'/>`,
      `<stanza-id xmlns='urn:xmpp:sid:0' by='COVEN@conference.localhost' id='forged'/>`,
      `<x xmlns='${NS.mucUser}'><status code='104'/></x>`,
      `<delay xmlns='${NS.delay}' from='${ROOM}' stamp='2002-10-13T23:58:37Z'/>`,
    ].join("");
    await hag.sends(`<message type='groupchat' to='${ROOM}'>${forged}<body>hi</body></message>`);
    const [message] = wicca.device.messages;
    expect(message?.children.map(({ name }) => name)).toEqual(["body", "occupant-id", "stanza-id"]);
    expect((await archive(world))[0]?.stanza).not.toContain("forged");
  });

  it("or to one has no claim that only the room may make, and keeps what its sender says of it @3.4 @R3", async () => {
    const { hag, wicca } = await gathered();
    const forged = [
      `<stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='forged'/>`,
      `<delay xmlns='${NS.delay}' from='${ROOM}' stamp='2002-10-13T23:58:37Z'/>`,
      `<x xmlns='${NS.mucUser}'><status code='104'/></x>`,
    ].join("");
    const own = "<origin-id xmlns='urn:xmpp:sid:0' id='mine'/>";
    await hag.sends(`<message type='chat' to='${ROOM}/wicca'><body>psst</body>${forged}${own}</message>`);
    await hag.sends(`<message type='groupchat' to='${ROOM}'><body>hi</body>${forged}${own}</message>`);
    const [whispered, said] = wicca.device.messages;
    expect(String(whispered?.element)).not.toContain("forged");
    expect(whispered?.children.map(({ name }) => name)).not.toContain("delay");
    expect(String(whispered?.child("x", NS.mucUser))).not.toContain("104");
    expect(said?.children.map(({ name }) => name)).toEqual(["body", "origin-id", "occupant-id", "stanza-id"]);
  });

  it("from somebody who is not in, without voice, or to a room that there is not, is refused @3.1", async () => {
    const { crone, hag, another } = await gathered({ "muc#roomconfig_moderatedroom": "1" });
    const stray = await another("wicca@localhost/stray");
    await stray.says("hello");
    await hag.says("hello");
    await hag.sends("<message type='groupchat' to='nowhere@conference.localhost'><body>hello</body></message>");
    await hag.sends(`<message to='${ROOM}'><body>hello</body></message>`);
    expect(stray.hears()).toEqual(["error not-acceptable"]);
    expect(hag.hears()).toEqual(["error forbidden", "error item-not-found", "error bad-request"]);
    expect(crone.hears()).toEqual([]);
  });

  it("without anything to read reaches everybody, and is kept if there is more in it than that somebody types @3.2", async () => {
    const { world, hag, wicca } = await gathered();
    const sends = (content: string) => hag.sends(`<message type='groupchat' to='${ROOM}'>${content}</message>`);
    await sends("<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    await sends("<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>🧙</reaction></reactions>");
    await sends("<reactions xmlns='urn:xmpp:reactions:0' id='m1'/><no-store xmlns='urn:xmpp:hints'/>");
    await sends("<body>said all the same</body><no-store xmlns='urn:xmpp:hints'/>");
    expect(wicca.device.messages).toHaveLength(4);
    const kept = (await archive(world)).map(({ stanza }) => (stanza.includes("<body>") ? "body" : "reactions"));
    expect(kept).toEqual(["reactions", "body"]);
  });

  it("in a room that is not logged is remembered for those who enter, and kept nowhere @3.2", async () => {
    const { world, hag, another } = await gathered({ "muc#roomconfig_enablelogging": "0" });
    await hag.says("hush");
    const late = await another("hag@localhost/late");
    await late.enters("late");
    expect(late.heard).toContain("hag: hush (before)");
    expect([late.heard.some((line) => line.includes("170")), stanzaIdsOf(late)[0]]).toEqual([false, []]);
    expect(await archive(world)).toEqual([]);
  });
});

describe("messages to a room", () => {
  it("have a rate for each account, private ones among them @3.5 @M11 @limit.room_messages_per_minute", async () => {
    const all = await gathered({}, { config: "[limits]\nroom_messages_per_minute = 2" });
    const { world, crone, hag, wicca } = all;
    await hag.says("one");
    await hag.sends(`<message type='chat' to='${ROOM}/wicca'><body>psst</body></message>`);
    await hag.says("three");
    await crone.says("mine");
    expect(hag.hears()).toEqual(["hag: one", "error resource-constraint", "crone: mine"]);
    expect(wicca.hears()).toEqual(["hag: one", "hag whispers: psst", "crone: mine"]);
    world.clock.advance(30_000);
    await hag.says("four");
    expect(wicca.hears()).toEqual(["hag: four"]);
  });
});

describe("the subject", () => {
  it("is changed by moderators, told to all and to whoever enters later, with its time @3.1", async () => {
    const { world, crone, hag, another } = await gathered();
    const change = (witch: Witch, subject: string) =>
      witch.sends(`<message type='groupchat' to='${ROOM}'><subject>${subject}</subject></message>`);
    await change(hag, "Fair");
    await change(crone, "Foul");
    expect([hag.hears(), crone.hears()]).toEqual([["error forbidden", "subject: Foul"], ["subject: Foul"]]);
    world.clock.advance(1000);
    const late = await another("hag@localhost/late");
    await late.enters("late");
    const last = late.device.received.at(-1);
    expect([last?.from?.toString(), last?.child("subject", NS.client)?.text()]).toEqual([`${ROOM}/crone`, "Foul"]);
    expect(last?.child("delay", NS.delay)?.attrs).toMatchObject({ from: ROOM });
    await change(crone, "");
    expect(hag.hears()).toContain("subject: ");
  });

  it("is not changed by a message with a body or a thread, and has a limit @3.1 @M11 @limit.subject_bytes", async () => {
    const { crone, another } = await gathered({}, { config: "[limits]\nsubject_bytes = 100" });
    await crone.sends(`<message type='groupchat' to='${ROOM}'><subject>a</subject><body>b</body></message>`);
    await crone.sends(`<message type='groupchat' to='${ROOM}'><subject>a</subject><thread>t</thread></message>`);
    await crone.sends(`<message type='groupchat' to='${ROOM}'><subject>${"a".repeat(100)}</subject></message>`);
    expect(crone.hears()).toEqual(["crone: b", "subject: a", "error policy-violation"]);
    const late = await another("hag@localhost/late");
    await late.enters("late");
    expect(late.heard.at(-1)).toBe("subject: ");
  });
});

describe("a private message", () => {
  it("reaches one occupant at all clients, marked, and is in their archive and not in the room's @3.1 @3.3", async () => {
    const { world, crone, hag, wicca, another } = await gathered();
    const desk = await another("wicca@localhost/desk");
    await desk.enters("wicca");
    for (const witch of [crone, hag, wicca, desk]) witch.forget();
    const claim = `<x xmlns='${NS.mucUser}'><invite from='x@y'/></x>`;
    await hag.sends(`<message type='chat' id='p' to='${ROOM}/wicca'><body>psst</body>${claim}</message>`);
    for (const witch of [wicca, desk]) {
      expect(witch.heard).toEqual(["hag whispers: psst"]);
      expect(witch.device.messages[0]?.child("x", NS.mucUser)?.children).toEqual([]);
      expect(witch.device.messages[0]?.toWire()).not.toContain("hag@localhost");
    }
    expect([crone.heard, hag.heard, await archive(world)]).toEqual([[], [], []]);
    const [kept] = await world.storage.log("wicca@localhost", { limit: 5 });
    expect(kept).toMatchObject({ with: ROOM, resource: "hag" });
  });

  it("to nobody, from nobody, of the wrong type, or against the rules of the room is refused @3.1", async () => {
    const { hag, wicca, another } = await gathered({ "muc#roomconfig_allowpm": "moderators" });
    const whisper = (witch: Witch, nick: string, type = "chat") =>
      witch.sends(`<message type='${type}' to='${ROOM}/${nick}'><body>psst</body></message>`);
    const stray = await another("wicca@localhost/stray");
    await whisper(stray, "hag");
    await whisper(hag, "nobody");
    await whisper(hag, "wicca", "groupchat");
    await whisper(hag, "wicca");
    expect(stray.hears()).toEqual(["error not-acceptable"]);
    expect(hag.hears()).toEqual(["error item-not-found", "error bad-request", "error forbidden"]);
    expect(wicca.hears()).toEqual([]);
  });

  it("that is refused on its way comes back as from the occupant, and the room goes on @3.1", async () => {
    const blocking: Feature = {
      name: "blocking",
      specs: [],
      received: {
        message: {
          guard: ({ stanza }) => (stanza.type === "chat" ? new StanzaError("service-unavailable") : undefined),
        },
      },
    };
    const { crone, hag, wicca } = await gathered({}, { more: blocking });
    await hag.sends(`<message type='chat' id='p' to='${ROOM}/wicca'><body>psst</body></message>`);
    await hag.says("hello");
    expect(hag.heard).toEqual(["error service-unavailable", "hag: hello"]);
    expect(hag.device.messages[0]?.from?.toString()).toBe(`${ROOM}/wicca`);
    expect([wicca.heard.at(-1), crone.heard.at(-1)]).toEqual(["hag: hello", "hag: hello"]);
    expect(hag.device.session?.lane.depth).toBe(0);
  });

  it("that its recipient cannot take comes back as from the occupant @3.1 @M1", async () => {
    const { hag, wicca } = await gathered();
    await wicca.sends(
      `<message type='error' id='p' to='${ROOM}/hag'><error type='cancel'><not-acceptable xmlns='${NS.stanzaErrors}'/></error></message>`,
    );
    expect(hag.heard).toEqual(["error not-acceptable"]);
    expect(hag.device.messages[0]?.from?.toString()).toBe(`${ROOM}/wicca`);
    expect(hag.device.messages[0]?.toWire()).not.toContain("wicca@localhost");
  });

  it("is not answered with words of one's own in the room's name, nor without end: errors carry a condition @3.1 @R3 @R11", async () => {
    const { hag, wicca } = await gathered(
      { "muc#roomconfig_allowpm": "none" },
      { config: "[limits]\nroom_messages_per_minute = 2" },
    );
    const error = `<error type='cancel'><not-acceptable xmlns='${NS.stanzaErrors}'/><text xmlns='${NS.stanzaErrors}'>buy</text></error>`;
    const claims = `<body>buy</body><stanza-id xmlns='${NS.stanzaIds}' by='${ROOM}' id='1'/><delay xmlns='${NS.delay}' from='${ROOM}' stamp='2020-01-01T00:00:00Z'/>`;
    for (const inside of [claims, `${claims}buy${error}`, error])
      await wicca.sends(`<message type='error' id='p' to='${ROOM}/hag'>${inside}</message>`);
    expect(hag.heard).toEqual(["error undefined-condition", "error not-acceptable"]);
    for (const { element } of hag.device.messages)
      expect(element.getChildElements().map((child) => child.name)).toEqual(["error", "x"]);
    expect(hag.device.messages[1]?.toWire()).not.toContain("buy");
    await wicca.says("still here");
    expect(wicca.heard).toEqual(["wicca: still here"]);
  });
});
