// The rows R1 and R8 of the attack list against a whole server: who a stanza is from, and that one address has one form everywhere.
import { describe, expect, it } from "@jest/globals";
import { JID } from "../stanza/jid.js";
import { auth, bind, clientAt, conditionOf, expectEnd, withPeople } from "./attack.test.kit.js";
import { header, PASSWORD, simulate, type Simulation, until } from "./simulation.js";
import type { WireClient } from "./wire-client.js";

const ROSTER = "jabber:iq:roster";

describe("a stanza's from", () => {
  it.each([
    ["another user", "juliet@localhost/phone"],
    ["another user's account", "juliet@localhost"],
    ["another resource of one's own", "romeo@localhost/other"],
    ["the server", "localhost"],
    ["another domain", "romeo@other.example/phone"],
    ["one's own name at no domain of ours", "romeo@localhost.example"],
  ])("that is %s ends the stream, and nothing is delivered @R1", async (_, from) => {
    for (const kind of ["message", "presence", "iq"]) {
      const { people, settle } = await withPeople("", "romeo", "juliet");
      const payload = kind === "iq" ? " type='get'><query xmlns='jabber:iq:version'/></iq>" : "/>";
      people.romeo.send(`<${kind} id='1' to='juliet@localhost/phone' from='${from}'${payload}`);
      await settle();
      expectEnd(people.romeo, "invalid-from");
      expect(people.juliet.take()).toEqual([]);
    }
  });

  it.each([
    ["absent", ""],
    ["the bare address", " from='romeo@localhost'"],
    ["the full address", " from='romeo@localhost/phone'"],
    ["the address in another spelling", " from='ROMEO@LocalHost./phone'"],
  ])("is the sender's full address when it was %s @R1 @R8", async (_, from) => {
    const { people, settle } = await withPeople("", "romeo", "juliet");
    people.romeo.send(`<message id='1' to='juliet@localhost/phone'${from}/>`);
    people.romeo.send(
      `<iq id='2' type='get' to='juliet@localhost/phone'${from}><query xmlns='jabber:iq:version'/></iq>`,
    );
    people.romeo.send(`<presence id='3' to='juliet@localhost/phone'${from}/>`);
    await settle();
    expect(people.juliet.take().map(({ attrs }) => [String(attrs["id"]), String(attrs["from"])])).toEqual([
      ["1", "romeo@localhost/phone"],
      ["2", "romeo@localhost/phone"],
      ["3", "romeo@localhost/phone"],
    ]);
  });

  it.each(["@localhost", "romeo@", "romeo@localhost/", "ro meo@localhost", "&#32;", ""])(
    "that is no address is refused, and nothing is delivered: '%s' @R1 @R8",
    async (from) => {
      const { people, settle } = await withPeople("", "romeo", "juliet");
      people.romeo.send(`<message id='1' to='juliet@localhost/phone' from='${from}'/>`);
      await settle();
      const [error] = people.romeo.take();
      expect(error?.getChild("error")?.getChild("jid-malformed") ?? conditionOf(error)).toBeTruthy();
      expect(people.juliet.take()).toEqual([]);
    },
  );

  it("counts for requests to the own account, the server and the roster, too @R1", async () => {
    const { people, settle } = await withPeople("", "romeo", "juliet");
    people.romeo.send(
      `<iq id='1' type='set' to='juliet@localhost'><query xmlns='${ROSTER}'><item jid='spy@localhost'/></query></iq>`,
    );
    await settle();
    expect(people.romeo.take()[0]?.attrs["type"]).toBe("error");
    people.juliet.send(`<iq id='2' type='get'><query xmlns='${ROSTER}'/></iq>`);
    await settle();
    expect(people.juliet.take()[0]?.getChild("query")?.children).toEqual([]);
    people.romeo.send(
      `<iq id='3' type='set' from='juliet@localhost'><query xmlns='${ROSTER}'><item jid='spy@localhost'/></query></iq>`,
    );
    await settle();
    expectEnd(people.romeo, "invalid-from");
  });

  it("names nobody else while a resource is bound @R1", async () => {
    const simulation = await withPeople("", "juliet");
    const mallory = await clientAt("before binding", simulation);
    mallory.send(bind("phone").replace("<iq", "<iq from='juliet@localhost/phone' to='juliet@localhost'"));
    const result = (await until(simulation, mallory, "iq")).at(-1);
    expect(result?.getChild("bind")?.getChildText("jid")).toBe("mallory@localhost/phone");
    expect(simulation.people.juliet.isEnded).toBe(false);
  });
});

/** Spellings of krishna@localhost. */
const SPELLINGS = ["krishna@localhost", "KRISHNA@LOCALHOST", "\uff2brishna@LocalHost.", "krishna@\uff4cocalhost"];

async function ask(simulation: Simulation, client: WireClient, xml: string): Promise<string> {
  client.send(xml);
  return String((await until(simulation, client, "iq")).at(-1));
}

describe("one address in many spellings", () => {
  it("is one account: made once, logged in to by each @R8", async () => {
    const simulation = await simulate("[registration]\nmode = 'open'\n[limits]\nregistrations_per_hour = 0");
    const register = async (username: string, domain: string): Promise<string> => {
      const client = simulation.connect();
      client.send(header(domain));
      const fields = `<username>${username}</username><password>${PASSWORD}</password>`;
      return ask(simulation, client, `<iq type='set' id='1'><query xmlns='jabber:iq:register'>${fields}</query></iq>`);
    };
    const answers: string[] = [];
    for (const spelling of SPELLINGS) {
      const [name = "", domain = ""] = spelling.split("@");
      answers.push(/conflict|type="result"/.exec(await register(name, domain))?.[0] ?? "?");
    }
    expect(answers).toEqual(['type="result"', "conflict", "conflict", "conflict"]);
    for (const spelling of SPELLINGS) {
      const [name = "", domain = ""] = spelling.split("@");
      const client = simulation.connect();
      client.send(header(domain) + auth("PLAIN", `\0${name}\0${PASSWORD}`));
      await until(simulation, client, "success");
      client.send(header("localhost") + bind("x"));
      const result = (await until(simulation, client, "iq")).at(-1);
      expect(result?.getChild("bind")?.getChildText("jid")).toBe("krishna@localhost/x");
    }
  });

  it("is one recipient, online and offline @R8", async () => {
    const simulation = await withPeople("", "romeo", "krishna");
    const { romeo, krishna } = simulation.people;
    const send = (id: string, to: string): void =>
      romeo.send(`<message type='chat' id='${id}' to='${to}'><body>hello</body></message>`);
    krishna.send("<presence/>");
    await simulation.settle();
    krishna.take();
    SPELLINGS.forEach((to, n) => send(`bare ${n}`, to));
    SPELLINGS.forEach((to, n) => send(`full ${n}`, `${to}/phone`));
    await simulation.settle();
    const ids = ["bare", "full"].flatMap((kind) => SPELLINGS.map((_, n) => `${kind} ${n}`));
    const heard = krishna.take();
    expect(heard.map(({ attrs }) => String(attrs["id"]))).toEqual(ids);
    expect(new Set(heard.map(({ attrs }) => String(attrs["to"])))).toEqual(
      new Set(["krishna@localhost", "krishna@localhost/phone"]),
    );
    krishna.send("</stream:stream>");
    await simulation.settle();
    SPELLINGS.forEach((to, n) => send(`later ${n}`, to));
    await simulation.settle();
    const again = await simulation.login("krishna", "phone");
    again.send("<presence/>");
    for (let n = 0; n < 5; n++) await simulation.settle();
    const stored = again.take().filter(({ name }) => name === "message");
    expect(stored.map(({ attrs }) => String(attrs["id"]))).toEqual(SPELLINGS.map((_, n) => `later ${n}`));
  });

  it("is one contact: one roster item, one subscription, one removal @R8", async () => {
    const simulation = await withPeople("", "romeo", "krishna");
    const { romeo, krishna } = simulation.people;
    const set = (jid: string, n: number, more = ""): string =>
      `<iq type='set' id='${n}'><query xmlns='${ROSTER}'><item jid='${jid}' name='${n}'${more}/></query></iq>`;
    krishna.send("<presence/>");
    SPELLINGS.forEach((jid, n) => romeo.send(set(jid, n)));
    SPELLINGS.forEach((jid) => romeo.send(`<presence type='subscribe' to='${jid}'/>`));
    await simulation.settle();
    romeo.take();
    const items = await ask(simulation, romeo, `<iq type='get' id='r'><query xmlns='${ROSTER}'/></iq>`);
    expect(items.match(/<item [^>]*>/g)).toEqual([expect.stringMatching(/jid="krishna@localhost"/)]);
    const requests = krishna.take().filter(({ attrs }) => attrs["type"] === "subscribe");
    expect(new Set(requests.map(({ attrs }) => String(attrs["from"])))).toEqual(new Set(["romeo@localhost"]));
    krishna.send("<presence type='subscribed' to='ROMEO@localhost.'/>");
    await simulation.settle();
    romeo.take();
    expect(await ask(simulation, romeo, `<iq type='get' id='r'><query xmlns='${ROSTER}'/></iq>`)).toMatch(
      /subscription="to"/,
    );
    romeo.send(set("\uff2bRISHNA@localhost", 99, " subscription='remove'"));
    await simulation.settle();
    romeo.take();
    expect(await ask(simulation, romeo, `<iq type='get' id='r'><query xmlns='${ROSTER}'/></iq>`)).not.toContain(
      "<item",
    );
  });

  it("is not an address that only looks like it @R8", async () => {
    const simulation = await withPeople("", "romeo", "krishna");
    const { romeo, krishna } = simulation.people;
    // Cyrillic ka; dotless i; a combining mark; another case that maps to two letters.
    for (const local of ["\u043arishna", "kr\u0131shna", "kri\u0307shna", "kri\u00dfhna"])
      romeo.send(`<message type='chat' to='${local}@localhost'><body>for another</body></message>`);
    await simulation.settle();
    expect(krishna.take()).toEqual([]);
    expect(romeo.take().map(({ attrs }) => String(attrs["type"]))).toEqual(["error", "error", "error", "error"]);
  });

  it("keeps the case of resources, which are two then @R8", async () => {
    const simulation = await withPeople("", "romeo");
    const upper = await simulation.login("romeo", "PHONE");
    expect(simulation.people.romeo.isEnded).toBe(false);
    simulation.people.romeo.send("<message id='1' to='romeo@localhost/PHONE'/>");
    await simulation.settle();
    expect(upper.take()[0]?.attrs["id"]).toBe("1");
  });
});

describe("an address that is none", () => {
  const long = "a".repeat(1024);
  it.each([
    ["an empty resource", "juliet@localhost/"],
    ["an empty localpart", "@localhost"],
    ["no domain", "juliet@"],
    ["two @", "juliet@romeo@localhost"],
    ["a localpart of 1024 bytes", `${long}@localhost`],
    ["a resource of 1024 bytes", `juliet@localhost/${long}`],
    ["a domain of 1024 bytes", `juliet@${long}`],
    ["a localpart of 1024 bytes in 512 letters", `${"\u00e9".repeat(512)}@localhost`],
    ["a localpart that grows past 1023 bytes when normalised", `${"\ufdfa".repeat(100)}@localhost`],
    ["two final dots", "juliet@localhost.."],
    ["a Kelvin sign for a k", "\u212arishna@localhost"],
    ["a space in the localpart", "jul iet@localhost"],
    ["a quote in the localpart", "jul&apos;iet@localhost"],
    ["an invisible letter in the localpart", "jul\u00adiet@localhost"],
    ["a line break in the resource", "juliet@localhost/a&#10;b"],
    ["mixed directions", "\u05d0a@localhost"],
    ["an unassigned code point", "\u{e0080}@localhost"],
  ])("reaches nobody, and is nobody's contact: %s @R8", async (_, jid) => {
    const simulation = await withPeople("", "romeo", "juliet");
    const { romeo, juliet } = simulation.people;
    romeo.send(`<message id='1' to='${jid}'><body>hello</body></message>`);
    romeo.send(`<presence id='2' type='subscribe' to='${jid}'/>`);
    romeo.send(`<iq id='3' type='set'><query xmlns='${ROSTER}'><item jid='${jid}'/></query></iq>`);
    romeo.send(`<iq id='4' type='get' to='${jid}'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await simulation.settle();
    const answers = romeo.take();
    expect(answers.map(({ attrs }) => `${String(attrs["id"])} ${String(attrs["type"])}`)).toEqual([
      "1 error",
      "2 error",
      "3 error",
      "4 error",
    ]);
    for (const error of answers) expect(String(error)).toMatch(/<(?:jid-malformed|bad-request) /);
    expect(juliet.take()).toEqual([]);
    expect(romeo.isEnded).toBe(false);
  });

  it("can be longest at 1023 bytes, and then works everywhere @R8", async () => {
    const simulation = await simulate();
    const longest = "\u00e9".repeat(511) + "a";
    const client = await simulation.login(longest, "r".repeat(1023));
    client.send(`<message id='1' to='${longest.toUpperCase()}@localhost/${"r".repeat(1023)}'/>`);
    await simulation.settle();
    expect(client.take()[0]?.attrs["id"]).toBe("1");
    expect(await simulation.server.core.users.exists(JID.of(longest, "localhost"))).toBe(true);
  });

  it.each([
    ["a longer one", "r".repeat(1024)],
    ["one with a control character", "a\u0085b"],
    ["one that begins with a space", " a"],
  ])("cannot be bound as a resource: %s @R8", async (_, resource) => {
    const simulation = await simulate();
    const client = await clientAt("before binding", simulation);
    client.send(bind(resource));
    const refused = (await until(simulation, client, "iq")).at(-1);
    expect(refused?.getChild("error")?.getChild("bad-request")).toBeDefined();
    client.send(bind(""));
    const bound = (await until(simulation, client, "iq")).at(-1);
    expect(bound?.getChild("bind")?.getChildText("jid")).toMatch(/^mallory@localhost\/.{16}$/);
  });

  it.each(["localhost/x", "romeo@localhost", "", "local host", "localhost.."])(
    "is no host of ours: '%s' @R8",
    async (to) => {
      const simulation = await simulate();
      const client = simulation.connect();
      client.send(header(to));
      await simulation.settle();
      expectEnd(client, "host-unknown");
    },
  );
});
