import { describe, expect, it } from "@jest/globals";
import { features } from "../../features.js";
import { NS } from "../../xml/namespaces.js";
import { conditionOf, type Device, World, type WorldOptions } from "../world.test.kit.js";

const JULIET = "juliet@localhost";
const ROMEO = "romeo@localhost";

async function verona(options: WorldOptions = {}) {
  const world = await World.open(features, { accounts: [JULIET, ROMEO], ...options });
  const [juliet, romeo] = [await world.device(`${JULIET}/balcony`), await world.device(`${ROMEO}/orchard`)];
  return { world, juliet, romeo };
}

const jids = (...list: readonly string[]) => list.map((one) => `<jid>${one}</jid>`).join("");
const prefs = (byDefault: string, always = "", never = "") =>
  `<prefs xmlns='${NS.mam}' default='${byDefault}'><always>${always}</always><never>${never}</never></prefs>`;
const set = (content: string, to = "") => `<iq type='set' id='s'${to && ` to='${to}'`}>${content}</iq>`;
const get = (to = "") => `<iq type='get' id='g'${to && ` to='${to}'`}><prefs xmlns='${NS.mam}'/></iq>`;

/** The default and the two lists of an answer. */
async function chosen(device: Device, request = get()) {
  const answer = (await device.asks(request)).getChild("prefs", NS.mam);
  const list = (name: string) =>
    answer
      ?.getChild(name)
      ?.getChildren("jid")
      .map((jid) => jid.text());
  return [String(answer?.attrs["default"]), list("always"), list("never")];
}

/** Whether a message to Juliet, who is away, and one from her are shown in her archive. */
async function shown(world: World, juliet: Device, romeo: Device) {
  await romeo.sends(`<message to='${JULIET}' type='chat'><body>in</body></message>`);
  await juliet.sends(`<message to='${ROMEO}/orchard' type='chat'><body>out</body></message>`);
  const rows = await world.storage.log(JULIET, { shown: true, limit: 9 });
  return [rows.some(({ stanza }) => stanza.includes(">in<")), rows.some(({ stanza }) => stanza.includes(">out<"))];
}

const addRomeo = (juliet: Device) => juliet.sends(set(`<query xmlns='${NS.roster}'><item jid='${ROMEO}'/></query>`));

describe("the preferences of an account", () => {
  it.each(["always", "roster", "never"])("are the server's default first: %s @2.2", async (byDefault) => {
    const { juliet } = await verona({ config: `[archive]\ndefault = "${byDefault}"` });
    expect(await chosen(juliet)).toEqual([byDefault, [], []]);
  });

  it("are what was set, normalised, over a restart and for its other devices @2.2", async () => {
    const { world, juliet } = await verona();
    const content = prefs("roster", jids("A@B/C", "a@b", "A@b"), jids(" NURSE@a ", "x@y/z"));
    const applied = ["roster", ["a@b/C", "a@b"], ["nurse@a", "x@y/z"]];
    expect(await chosen(juliet, set(content))).toEqual(applied);
    const again = await World.open(features, { disk: world.disk, clock: world.clock });
    const phone = await again.device(`${JULIET}/phone`);
    expect(await chosen(phone)).toEqual(applied);
    expect(await chosen(phone, set(`<prefs xmlns='${NS.mam}' default='always'/>`))).toEqual(["always", [], []]);
  });

  it("have an address on one list only: never @2.2", async () => {
    const { juliet } = await verona();
    expect(await chosen(juliet, set(prefs("always", jids("a@b", "c@d"), jids("A@b"))))).toEqual([
      "always",
      ["c@d"],
      ["a@b"],
    ]);
  });

  it.each([
    ["no default", `<prefs xmlns='${NS.mam}'/>`, "bad-request"],
    ["an unknown default", prefs("sometimes"), "bad-request"],
    ["something that is no address", prefs("always", jids("a@@b")), "jid-malformed"],
    ["an empty address", prefs("always", "", jids("")), "jid-malformed"],
    [
      "too many addresses @limit.archive_preferences",
      prefs("always", jids("a@b", "c@d"), jids("e@f")),
      "policy-violation",
    ],
  ])("are refused with %s, and stay what they were @2.2 @2.bad", async (_, content, condition) => {
    const { juliet } = await verona({ config: "[limits]\narchive_preferences = 2" });
    await juliet.sends(set(prefs("never", "", jids("x@y"))));
    juliet.received.length = 0;
    expect(conditionOf(await juliet.asks(set(content)))).toBe(condition);
    expect(await chosen(juliet)).toEqual(["never", [], ["x@y"]]);
  });

  it("stay what they were where the store refuses @2.2 @2.bad", async () => {
    const { world, juliet } = await verona();
    world.storage.failNext("refused");
    expect(conditionOf(await juliet.asks(set(prefs("never"))))).toBe("resource-constraint");
    expect(await chosen(juliet)).toEqual(["always", [], []]);
  });

  it("are nobody else's to see or to set, whether there is an account or not @2.2 @R5", async () => {
    const { juliet, romeo } = await verona();
    const errors: string[] = [];
    for (const to of [JULIET, "nobody@localhost"])
      for (const request of [get(to), set(prefs("never"), to)]) errors.push(conditionOf(await romeo.asks(request)));
    expect(new Set(errors)).toEqual(new Set(["forbidden"]));
    expect(await chosen(juliet)).toEqual(["always", [], []]);
  });

  it.each([
    ["always", "", "", false, [true, true]],
    ["never", "", "", false, [false, false]],
    ["roster", "", "", false, [false, false]],
    ["roster", "", "", true, [true, true]],
    ["never", jids(ROMEO), "", false, [true, true]],
    ["always", "", jids(ROMEO), true, [false, false]],
    ["never", jids(`${ROMEO}/orchard`), "", false, [true, true]],
    ["always", "", jids(`${ROMEO}/orchard`), false, [false, false]],
    ["always", "", jids(`${ROMEO}/other`), false, [true, true]],
    ["roster", jids(`${ROMEO}/orchard`), jids(ROMEO), true, [true, true]],
    ["roster", jids(ROMEO), jids(`${ROMEO}/orchard`), true, [false, false]],
  ])("%s, always %s, never %s, a contact: %s @2.2", async (byDefault, always, never, isContact, expected) => {
    const { world, juliet, romeo } = await verona();
    if (isContact) await addRomeo(juliet);
    await juliet.sends(set(prefs(byDefault, always, never)));
    expect(await shown(world, juliet, romeo)).toEqual(expected);
  });

  it("count oneself as a contact @2.2", async () => {
    const { world, juliet } = await verona({ config: '[archive]\ndefault = "roster"' });
    await juliet.sends(`<message to='${JULIET}' type='chat'><body>note</body></message>`);
    expect(await world.storage.countLog(JULIET, { shown: true })).toBe(1);
  });
});
