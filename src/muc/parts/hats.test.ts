import { describe, expect, it } from "@jest/globals";
import { conditionOf } from "../../xeps/world.test.kit.js";
import { NS } from "../../xml/namespaces.js";
import { asked, infoOf } from "../asking.test.kit.js";
import { coven, gathered, ROOM, type Witch } from "../coven.test.kit.js";

const COMMANDS = "http://jabber.org/protocol/commands";
const HATS = "urn:xmpp:hats:commands";
const SCRIBE = "http://example.org/hats#scribe";
const HOST = "http://example.org/hats#host";

type Fields = Readonly<Record<string, string>>;

const filled = (fields: Fields) =>
  `<x xmlns='${NS.dataForms}' type='submit'>${Object.entries({ FORM_TYPE: HATS, ...fields })
    .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    .join("")}</x>`;

/** Runs a command; its status, or the condition of the error. */
async function runs(witch: Witch, command: string, fields?: Fields, action = ""): Promise<string> {
  const answer = await executed(witch, command, fields, action);
  return conditionOf(answer) || String(answer.getChild("command", COMMANDS)?.attrs["status"]);
}

function executed(witch: Witch, command: string, fields?: Fields, action = "") {
  const how = action && `action='${action}'`;
  return asked(
    witch,
    "set",
    `<command xmlns='${COMMANDS}' node='${HATS}:${command}' ${how}>${fields ? filled(fields) : ""}</command>`,
  );
}

const makes = (witch: Witch, uri: string, title: string, more: Fields = {}) =>
  runs(witch, "create", { "hats#uri": uri, "hats#title": title, ...more });
const gives = (witch: Witch, jid: string, uri: string) => runs(witch, "assign", { "hats#jid": jid, "hats#uri": uri });

/** Whose presence was seen last with which hats. */
const lastHats = ({ device }: Witch) => {
  const last = device.received.findLast(({ kind, from }) => kind === "presence" && from?.isBare === false);
  const hats = last?.element.getChildren("hats", NS.hats).flatMap((one) => one.getChildren("hat"));
  return [last?.from?.resource, ...(hats ?? []).map(({ attrs }) => String(attrs["title"]))];
};

const rowsOf = async (witch: Witch, command: string) =>
  (await executed(witch, command))
    .getChild("command", COMMANDS)
    ?.getChild("x", NS.dataForms)
    ?.getChildren("item")
    .map((item) => item.getChildren("field").map((field) => field.getChildText("value")));

describe("hats", () => {
  it("are made, given, changed and taken by commands, and seen on who has them @3.4", async () => {
    const { crone, hag, wicca } = await gathered();
    expect(await makes(crone, SCRIBE, "Scribe", { "hats#hue": "327.25" })).toBe("completed");
    expect(hag.hears()).toEqual(["room notes 104"]);
    expect(await gives(crone, "hag@localhost", SCRIBE)).toBe("completed");
    expect([lastHats(wicca), wicca.heard.at(-1)]).toEqual([["hag", "Scribe"], "hag enters"]);
    expect(hag.heard).toEqual(["hag enters 110"]);
    expect(await makes(crone, SCRIBE, "Writer")).toBe("completed");
    expect(lastHats(wicca)).toEqual(["hag", "Writer"]);
    expect(await runs(crone, "unassign", { "hats#jid": "hag@localhost", "hats#uri": SCRIBE })).toBe("completed");
    expect(lastHats(wicca)).toEqual(["hag"]);
  });

  it("are shown to whoever enters, in every presence, and stay over a restart @3.2 @3.4", async () => {
    const { world, crone, hag } = await gathered({ "muc#roomconfig_persistentroom": "1" });
    await makes(crone, SCRIBE, "Scribe");
    await makes(crone, HOST, "Host");
    await gives(crone, "hag@localhost", SCRIBE);
    await gives(crone, "hag@localhost", HOST);
    await hag.sends(`<presence to='${ROOM}/hag'><show>away</show></presence>`);
    expect(lastHats(crone)).toEqual(["hag", "Scribe", "Host"]);
    const later = await coven({ disk: world.disk, clock: world.clock, accounts: [] });
    await later.hag.enters("hag");
    expect(lastHats(later.hag)).toEqual(["hag", "Scribe", "Host"]);
    expect(await rowsOf(later.crone, "list-assigned")).toEqual([
      ["hag@localhost", SCRIBE, "Scribe"],
      ["hag@localhost", HOST, "Host"],
    ]);
  });

  it("that somebody puts on by themselves are taken off @3.4 @R3", async () => {
    const { hag, wicca } = await gathered();
    const forged = `<hats xmlns='${NS.hats}'><hat uri='${HOST}' title='Host'/></hats>`;
    await hag.sends(`<presence to='${ROOM}/hag'>${forged}</presence>`);
    expect([wicca.heard, lastHats(wicca)]).toEqual([["hag enters"], ["hag"]]);
  });

  it("that are destroyed are gone from everybody @3.4", async () => {
    const { crone, hag, wicca } = await gathered();
    await makes(crone, SCRIBE, "Scribe");
    await gives(crone, "hag@localhost", SCRIBE);
    await gives(crone, "nobody@localhost", SCRIBE);
    hag.forget();
    wicca.forget();
    expect(await runs(crone, "destroy", { "hats#uri": SCRIBE })).toBe("completed");
    expect([hag.heard, lastHats(wicca)]).toEqual([["room notes 104", "hag enters 110"], ["hag"]]);
    expect([await rowsOf(crone, "list"), await rowsOf(crone, "list-assigned")]).toEqual([[], []]);
  });

  it("are listed for those who may enter; the room's information changes with the list @3.4", async () => {
    const { crone, hag } = await gathered();
    expect((await infoOf(hag)).fields["hats#hash"]).toBeUndefined();
    await makes(crone, SCRIBE, "Scribe", { "hats#hue": "327.25" });
    const first = (await infoOf(hag)).fields["hats#hash"];
    await makes(crone, HOST, "Host");
    const { features, fields } = await infoOf(hag);
    expect([features.includes(NS.hats), fields["hats#hash"]?.length, fields["hats#hash"]]).toEqual([
      ...[true, 1],
      expect.not.arrayContaining([...(first ?? [])]),
    ]);
    expect(await rowsOf(hag, "list")).toEqual([
      ["Scribe", SCRIBE, "327.25"],
      ["Host", HOST],
    ]);
  });

  it("are for admins and owners to manage @3.4", async () => {
    const { crone, hag } = await gathered();
    await makes(crone, SCRIBE, "Scribe");
    for (const command of ["create", "destroy", "assign", "unassign", "list-assigned"])
      expect(await runs(hag, command)).toBe("forbidden");
    expect(await gives(hag, "hag@localhost", SCRIBE)).toBe("forbidden");
  });

  it("that are not there or cannot be are refused @3.4", async () => {
    const { crone } = await gathered();
    await makes(crone, SCRIBE, "Scribe");
    expect(await gives(crone, "hag@localhost", HOST)).toBe("item-not-found");
    expect(await gives(crone, "@", SCRIBE)).toBe("not-acceptable");
    expect(await runs(crone, "unassign", { "hats#jid": "hag@localhost", "hats#uri": SCRIBE })).toBe("item-not-found");
    expect(await runs(crone, "destroy", { "hats#uri": HOST })).toBe("item-not-found");
    expect(await runs(crone, "create", { "hats#uri": HOST })).toBe("not-acceptable");
    expect(await makes(crone, HOST, "Host", { "hats#hue": "360" })).toBe("not-acceptable");
    expect(await makes(crone, HOST, "x".repeat(129))).toBe("not-acceptable");
  });

  it("are not more than the room may have @3.5 @limit.room_hats", async () => {
    const { crone } = await gathered({}, { config: "[limits]\nroom_hats = 1" });
    expect(await makes(crone, SCRIBE, "Scribe")).toBe("completed");
    expect(await makes(crone, HOST, "Host")).toBe("resource-constraint");
    expect(await makes(crone, SCRIBE, "Writer")).toBe("completed");
  });

  it("are given to no more accounts than may have some @3.5 @limit.room_hat_wearers", async () => {
    const { crone } = await gathered({}, { config: "[limits]\nroom_hat_wearers = 1" });
    await makes(crone, SCRIBE, "Scribe");
    expect(await gives(crone, "hag@localhost", SCRIBE)).toBe("completed");
    expect(await gives(crone, "wicca@localhost", SCRIBE)).toBe("resource-constraint");
    expect(await gives(crone, "hag@localhost", SCRIBE)).toBe("completed");
  });
});

describe("the commands of a room", () => {
  it("are found by those who may run them @3.4", async () => {
    const { crone, hag } = await gathered();
    const nodes = async (witch: Witch) =>
      (await asked(witch, "get", `<query xmlns='${NS.discoItems}' node='${COMMANDS}'/>`))
        .getChild("query")
        ?.getChildren("item")
        .map(({ attrs }) => `${String(attrs["jid"])} ${String(attrs["node"]).slice(HATS.length + 1)}`);
    expect(await nodes(hag)).toEqual([`${ROOM} list`]);
    expect(await nodes(crone)).toEqual(
      ["create", "destroy", "list", "assign", "unassign", "list-assigned"].map((node) => `${ROOM} ${node}`),
    );
    const info = async (witch: Witch, node: string) =>
      conditionOf(await asked(witch, "get", `<query xmlns='${NS.discoInfo}' node='${node}'/>`)) ||
      String(witch.device.received.at(-1)?.element.getChild("query")?.getChild("identity")?.attrs["type"]);
    expect(await info(crone, COMMANDS)).toBe("command-list");
    expect(await info(crone, `${HATS}:create`)).toBe("command-node");
    expect(await info(hag, `${HATS}:create`)).toBe("item-not-found");
    expect((await infoOf(hag)).features).toContain(COMMANDS);
  });

  it("ask with a form, keep the session of who answers, and can be called off @3.4", async () => {
    const { crone } = await gathered();
    const first = (await executed(crone, "create")).getChild("command", COMMANDS);
    expect(first?.attrs).toMatchObject({ status: "executing", sessionid: "asked" });
    expect(first?.getChild("actions")?.getChild("complete")).toBeDefined();
    expect(first?.getChild("x", NS.dataForms)?.attrs["type"]).toBe("form");
    const request = `<command xmlns='${COMMANDS}' node='${HATS}:create' sessionid='mine' action='complete'>`;
    const fields = filled({ "hats#uri": SCRIBE, "hats#title": "Scribe" });
    const last = (await asked(crone, "set", `${request}${fields}</command>`)).getChild("command", COMMANDS);
    expect(last?.attrs).toMatchObject({ status: "completed", sessionid: "mine" });
    expect(await runs(crone, "create", undefined, "cancel")).toBe("canceled");
    expect(await runs(crone, "create", undefined, "prev")).toBe("bad-request");
    expect(await runs(crone, "create", undefined, "fly")).toBe("bad-request");
    expect(await runs(crone, "nothing")).toBe("item-not-found");
  });
});
