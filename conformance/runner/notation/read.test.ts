import { describe, expect, it } from "@jest/globals";
import { readScenes } from "./read.js";
import type { Scene } from "./scene.js";

const SCENE = `# a comment
show XEP-0280 "Receiving Messages": the other device gets a copy  @1.6 @X4
differs prosody: it has carbons
  under another name
server registration=closed
cast romeo=romeo@a/orchard juliet=juliet@a/balcony raw=stream
given romeo sees juliet
juliet comes online with <presence><priority>3</priority></presence>
romeo > <message to='{juliet}' type='chat'>
  <body>hi</body></message>
juliet < <message from='{romeo}' id='{x=…}'><body>hi</body>…</message>
romeo = quiet
raw connects over TCP
raw >> <message id='{x}'>\\xff
raw closes with <not-well-formed/>
`;

describe("a file of scenes", () => {
  it("gives each scene its citation, sentence, tags, settings, cast and steps with their lines", () => {
    const [scene] = readScenes("x.scene", SCENE);
    expect(scene).toMatchObject({
      file: "x.scene",
      line: 2,
      spec: 'XEP-0280 "Receiving Messages"',
      sentence: "the other device gets a copy",
      tags: ["@1.6", "@X4"],
      settings: { registration: "closed", tls: "optional" },
    });
    expect(scene?.cast.map((member) => member.name)).toEqual(["romeo", "juliet", "raw"]);
    expect(scene?.differs.get("prosody")).toBe("it has carbons under another name");
    expect(kinds(scene)).toEqual([
      "given:7",
      "comesOnline:8",
      "send:9",
      "expect:11",
      "quiet:12",
      "connects:13",
      "bytes:14",
      "closes:15",
    ]);
  });

  it("joins an indented line to the one before without white space between elements", () => {
    expect(readScenes("x.scene", SCENE)[0]?.steps[2]?.source).toBe(
      "romeo > <message to='{juliet}' type='chat'><body>hi</body></message>",
    );
  });

  it("gathers members in a room, whose address and nicks are known from there on", () => {
    const [scene] = readScenes(
      "x.scene",
      `show XEP-0045 "Kicking an Occupant": x
cast crone=crone@a hag=hag@a wicca=wicca@a
given crone, hag and wicca in a room with muc#roomconfig_whois=anyone muc#roomconfig_roomsecret=a=b
hag > <presence to='{room}/{hag.nick}'/>`,
    );
    expect(scene?.steps[0]).toMatchObject({
      kind: "room",
      members: ["crone", "hag", "wicca"],
      fields: new Map([
        ["muc#roomconfig_whois", "anyone"],
        ["muc#roomconfig_roomsecret", "a=b"],
      ]),
    });
  });

  it("may hold several scenes", () => {
    expect(readScenes("x.scene", SCENE + SCENE.replace("the other", "another")).map((scene) => scene.line)).toEqual([
      2, 17,
    ]);
  });

  it.each([
    ["romeo > <message/>", "x.scene:1: a scene begins with"],
    ["show the sky: is blue", "x.scene:1: write: show RFC"],
    ["show RFC 1: x\ncast romeo=romeo", "x.scene:2: cast romeo=romeo: write name=local@a/resource"],
    ["show RFC 1: x\ncast a=romeo@a", "x.scene:2: a is already taken"],
    ["show RFC 1: x\ncast romeo=romeo@a", "x.scene:1: this scene has no step"],
    ["show RFC 1: x\nserver tls=perhaps", "x.scene:2: server tls=perhaps: known are"],
    [
      "show RFC 1: x\ncast romeo=romeo@a\njulia > <message/>",
      'x.scene:3: "julia" is neither in the cast (romeo) nor a word',
    ],
    ["show RFC 1: x\ncast romeo=romeo@a\ngiven romeo and julia in a room", 'x.scene:3: "julia" is neither in the cast'],
    ["show RFC 1: x\ncast romeo=romeo@a\ngiven romeo in a room with a", "x.scene:3: with a: write FIELD=VALUE"],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo > <message to='{room}'/>", "x.scene:3: {room} is not known here"],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo sings", 'x.scene:3: "romeo sings" is no step'],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo > <message>", "x.scene:3: "],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo > hello", "x.scene:3: "],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo < <message>{julia}</message>", "x.scene:3: {julia} is not known here"],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo > <message to='{romeo'/>", "x.scene:3: a brace is not closed"],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo < <message>{x=/(/}</message>", "x.scene:3: not a regular expression"],
    [
      "show RFC 1: x\ncast romeo=romeo@a\nromeo < <message>hi <b/></message>",
      "x.scene:3: text between the elements in <message>",
    ],
    ["show RFC 1: x\ncast romeo=romeo@a\nromeo closes with words", "x.scene:3: "],
    ["show RFC 1: x\ncast romeo=romeo@a\neveryone sings", 'x.scene:3: everyone sings: only "everyone settles"'],
  ])("says file, line and what is wrong with %j", (text, message) => {
    expect(() => readScenes("x.scene", text)).toThrow(message);
  });
});

function kinds(scene: Scene | undefined): string[] {
  return scene?.steps.map((step) => `${step.kind}:${step.line}`) ?? [];
}
