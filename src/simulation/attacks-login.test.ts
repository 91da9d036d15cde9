// The rows X6, A2, A5, A6 and A7 of the attack list against a whole server, as a client sees it.
import { describe, expect, it } from "@jest/globals";
import type { SecureChannel } from "../sasl/channel-binding.js";
import { type ClientOptions, logIn, type Outcome } from "../sasl/client.test.support.js";
import { failure, type Mechanism, type SaslCondition, type SaslStep } from "../sasl/mechanism.js";
import { JID } from "../stanza/jid.js";
import { auth, bind, expectEnd, SASL } from "./attack.test.kit.js";
import { header, PASSWORD, simulate, type Simulation, until } from "./simulation.js";
import { WireClient } from "./wire-client.js";

const DEADLINE_MS = 30_000;
const people = ["romeo", "juliet"];

const LETTERS = ["a", "b", "c", "d", "e", "f", "g", "h"];

async function house(toml = ""): Promise<Simulation> {
  const simulation = await simulate(toml);
  for (const name of people) await simulation.account(name);
  return simulation;
}

function opened(simulation: Simulation, client = new WireClient()): WireClient {
  simulation.connect(client);
  client.send(header("localhost"));
  return client;
}

/** The server's answer to one SASL element. */
async function answer(simulation: Simulation, client: WireClient, xml: string): Promise<SaslStep> {
  client.send(xml);
  for (;;) {
    const all = await until(simulation, client, /^(?:challenge|success|failure)$/);
    const element = all.at(-1);
    const data = Buffer.from(element?.getText() ?? "", "base64");
    if (element?.name === "challenge") return { challenge: data };
    if (element?.name === "success") return { success: "", extra: data };
    return failure(element?.getChildElements()[0]?.name as SaslCondition);
  }
}

/** A mechanism at the other end of the wire, for the SCRAM client. */
function remote(simulation: Simulation, client: WireClient, name: string): Mechanism {
  return {
    name,
    start: (initial = Buffer.alloc(0)) => answer(simulation, client, auth(name, initial.toString())),
    next: (response) =>
      answer(simulation, client, `<response xmlns='${SASL}'>${response.toString("base64")}</response>`),
  };
}

async function jidOf(simulation: Simulation, client: WireClient): Promise<string | null | undefined> {
  client.send(header("localhost") + bind("x"));
  const result = (await until(simulation, client, "iq")).at(-1);
  return result?.getChild("bind")?.getChildText("jid");
}

describe("a connection that does not log in", () => {
  const drips: readonly (readonly [string, string, (n: number) => string])[] = [
    ["says nothing", "", () => ""],
    ["sends one byte after the other of a header that never ends", "<stream:stream a='", () => "x"],
    ["sends white space before the header", "", () => " "],
    ["sends white space after the header", header("localhost"), () => " \n"],
    ["sends one byte after the other of a stanza", `${header("localhost")}<iq id='`, () => "x"],
    ["begins to log in and stops", header("localhost") + auth("SCRAM-SHA-256", "n,,n=romeo,r=abc"), () => " "],
    ["logs in wrongly now and then", header("localhost"), (n) => (n % 15 === 0 ? auth("PLAIN", "\0a\0b") : " ")],
    [
      "asks for registration again and again",
      header("localhost"),
      (n) => `<iq type='get' id='${n}'><query xmlns='jabber:iq:register'/></iq>`,
    ],
  ];

  it.each(drips)(
    "is closed at the deadline, and not later because it %s @X6 @limit.preauth_deadline",
    async (_, first, drip) => {
      const simulation = await house();
      const client = simulation.connect();
      client.send(first);
      await simulation.settle();
      for (let ms = 500, n = 0; ms < DEADLINE_MS; ms += 500, n++) {
        simulation.clock.advance(500);
        client.send(drip(n));
        await simulation.settle();
        expect(client.isEnded).toBe(false);
      }
      simulation.clock.advance(500);
      await simulation.settle();
      expect(client.isEnded).toBe(true);
      expect(client.heard).toMatch(/<connection-timeout [^]*<\/stream:stream>$/);
      expect(simulation.server.c2s.connections.size).toBe(0);
    },
  );

  it("has no deadline any more once it has logged in @X6", async () => {
    const simulation = await house();
    const client = await simulation.login("romeo", "orchard");
    simulation.clock.advance(10 * DEADLINE_MS);
    await simulation.settle();
    expect(client.isEnded).toBe(false);
  });
});

describe("where TLS is required, a connection in the clear", () => {
  const open = `anonymous = true\n[registration]\nmode = "open"`;
  const clear = (): WireClient => new WireClient({ security: undefined });

  it("is offered STARTTLS and nothing else @A2", async () => {
    const simulation = await house(open);
    const client = opened(simulation, clear());
    await simulation.settle();
    const features = client.take()[0];
    expect(features?.getChildElements().map(({ name }) => name)).toEqual(["starttls"]);
  });

  it.each([
    ["SCRAM-SHA-1", "n,,n=romeo,r=abc"],
    ["SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=romeo,r=abc"],
    ["PLAIN", `\0romeo\0${PASSWORD}`],
    ["ANONYMOUS", ""],
    ["EXTERNAL", ""],
    ["plain", `\0romeo\0${PASSWORD}`],
  ])("cannot log in by %s @A2", async (mechanism, message) => {
    const simulation = await house(open);
    const client = opened(simulation, clear());
    expect(await answer(simulation, client, auth(mechanism, message))).toEqual({ failure: "encryption-required" });
    client.send(bind("x"));
    await simulation.settle();
    expectEnd(client, "not-authorized");
  });

  const ask = "<query xmlns='jabber:iq:register'/>";
  const register = "<query xmlns='jabber:iq:register'><username>mallory</username><password>x</password></query>";
  it.each([
    ["ask how to register", `<iq type='get' id='1'>${ask}</iq>`],
    ["register", `<iq type='set' id='1'>${register}</iq>`],
    ["register at an address", `<iq type='set' id='1' to='localhost'>${register}</iq>`],
    ["bind", bind("x")],
    ["start a session", "<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"],
    ["ping", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"],
    ["send a message", "<message to='juliet@localhost'><body>hello</body></message>"],
    ["send presence", "<presence/>"],
    ["be a component", "<handshake xmlns='jabber:client'>00</handshake>"],
  ])("cannot %s @A2 @1.5", async (_, xml) => {
    const simulation = await house(open);
    const juliet = await simulation.login("juliet", "balcony");
    const client = opened(simulation, clear());
    client.send(xml);
    await simulation.settle();
    expectEnd(client, "not-authorized");
    expect(await simulation.server.core.users.exists(JID.parse("mallory@localhost"))).toBe(false);
    expect(juliet.take()).toEqual([]);
  });

  it.each(["jabber:component:accept", "jabber:server"])("cannot open a stream of %s @A2 @X9", async (ns) => {
    const simulation = await house(open);
    const client = simulation.connect(clear());
    client.send(header("localhost").replace("jabber:client", ns));
    await simulation.settle();
    expectEnd(client, "invalid-namespace");
  });

  it("keeps nothing of what came in the clear behind starttls, in one piece or in several, also while a login fails @A1", async () => {
    const simulation = await house("[c2s]\nrequire_tls = false");
    for (const before of ["", auth("SCRAM-SHA-1", "n,,n=romeo,r=abc") + `<abort xmlns='${SASL}'/>`]) {
      const client = opened(simulation, clear());
      client.send(
        `${before}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${header("localhost")}${auth("PLAIN", `\0romeo\0${PASSWORD}`)}`,
      );
      if (before !== "") client.send(header("localhost") + auth("PLAIN", `\0romeo\0${PASSWORD}`));
      for (let n = 0; n < 5; n++) await simulation.settle();
      expect(client.take().at(-1)?.name).toBe("proceed");
      expect(client.heard.split("<stream:stream")).toHaveLength(2);
    }
  });
});

describe("a login for somebody else", () => {
  it.each([
    ["another user", "juliet@localhost"],
    ["another user's name", "juliet"],
    ["another user with a resource", "juliet@localhost/balcony"],
    ["a user of another domain", "romeo@other.example"],
    ["the server", "localhost"],
    ["nobody at all", "@"],
    ["oneself with a resource", "romeo@localhost/orchard"],
  ])("is refused by PLAIN, and nobody is logged in: %s @A5", async (_, authzid) => {
    const simulation = await house();
    const client = opened(simulation);
    const step = await answer(simulation, client, auth("PLAIN", `${authzid}\0romeo\0${PASSWORD}`));
    expect(step).toEqual({ failure: "invalid-authzid" });
    client.send(bind("x"));
    await simulation.settle();
    expectEnd(client, "not-authorized");
  });

  it.each(["", "romeo@localhost", "ROMEO@LocalHost"])(
    "binds who authenticated, and only that one, with authzid '%s' @A5",
    async (authzid) => {
      const simulation = await house();
      const client = opened(simulation);
      expect(await answer(simulation, client, auth("PLAIN", `${authzid}\0romeo\0${PASSWORD}`))).toHaveProperty(
        "success",
      );
      expect(await jidOf(simulation, client)).toBe("romeo@localhost/x");
    },
  );

  it("leaves nothing to the login after it on the same stream @A5", async () => {
    const simulation = await house();
    const client = opened(simulation);
    await answer(simulation, client, auth("PLAIN", `juliet@localhost\0romeo\0${PASSWORD}`));
    await answer(simulation, client, auth("SCRAM-SHA-1", "n,a=juliet@localhost,n=romeo,r=abc"));
    await answer(simulation, client, auth("SCRAM-SHA-1", "n,,n=juliet,r=abc"));
    await answer(simulation, client, `<abort xmlns='${SASL}'/>`);
    expect(await answer(simulation, client, auth("PLAIN", `\0romeo\0${PASSWORD}`))).toHaveProperty("success");
    expect(await jidOf(simulation, client)).toBe("romeo@localhost/x");
  });

  it("by SCRAM is refused as by PLAIN @A5 @A6", async () => {
    const simulation = await house();
    for (const authzid of ["juliet@localhost", "romeo@localhost/orchard"]) {
      const client = opened(simulation);
      const step = await answer(simulation, client, auth("SCRAM-SHA-256", `n,a=${authzid},n=romeo,r=abc`));
      expect(step).toEqual({ failure: "invalid-authzid" });
    }
  });
});

describe("SCRAM on a stream", () => {
  const channel: SecureChannel = {
    protocol: "TLSv1.3",
    exportKey: (length) => Buffer.alloc(length, "exported"),
    certificate: { der: Buffer.from("a certificate"), hash: "sha256" },
  };
  const honest = { digest: "sha256", username: "romeo", password: PASSWORD } as const;
  const exported = Buffer.alloc(32, "exported");

  async function attempt(mechanism: string, options: Partial<ClientOptions>): Promise<Outcome> {
    const simulation = await house();
    const client = opened(simulation, new WireClient({ security: channel }));
    return logIn(remote(simulation, client, mechanism), { ...honest, ...options });
  }

  it("lets in who knows the password and the channel, and shows that the server knows the account @A6", async () => {
    const gs2 = "p=tls-exporter,,";
    const { step, serverProven } = await attempt("SCRAM-SHA-256-PLUS", { gs2, binding: exported });
    expect([step, serverProven]).toEqual([expect.objectContaining({ success: "" }), true]);
    expect((await attempt("SCRAM-SHA-256", {})).serverProven).toBe(true);
  });

  const attacks: readonly (readonly [string, string, Partial<ClientOptions>, SaslCondition])[] = [
    ["the flag y although -PLUS was offered", "SCRAM-SHA-256", { gs2: "y,," }, "not-authorized"],
    ["the flag n with -PLUS", "SCRAM-SHA-256-PLUS", { gs2: "n,," }, "malformed-request"],
    ["the flag y with -PLUS", "SCRAM-SHA-256-PLUS", { gs2: "y,," }, "malformed-request"],
    ["the flag p without -PLUS", "SCRAM-SHA-256", { gs2: "p=tls-exporter,,", binding: exported }, "malformed-request"],
    [
      "another channel's binding",
      "SCRAM-SHA-256-PLUS",
      { gs2: "p=tls-exporter,,", binding: Buffer.alloc(32, 1) },
      "not-authorized",
    ],
    ["no binding", "SCRAM-SHA-256-PLUS", { gs2: "p=tls-exporter,," }, "not-authorized"],
    [
      "one type's data as another's",
      "SCRAM-SHA-256-PLUS",
      { gs2: "p=tls-server-end-point,,", binding: exported },
      "not-authorized",
    ],
    [
      "a type that is not offered",
      "SCRAM-SHA-256-PLUS",
      { gs2: "p=tls-unique,,", binding: exported },
      "malformed-request",
    ],
    [
      "a header that changes between messages",
      "SCRAM-SHA-256",
      { tamper: (text) => text.replace("c=biws", "c=eSws") },
      "not-authorized",
    ],
    [
      "the nonce cut to the client's",
      "SCRAM-SHA-256",
      { nonce: "abc", tamper: (text) => text.replace(/r=[^,]*/, "r=abc") },
      "not-authorized",
    ],
    ["an empty proof", "SCRAM-SHA-256", { tamper: (text) => text.replace(/p=.*$/, "p=") }, "malformed-request"],
    ["a short proof", "SCRAM-SHA-256", { tamper: (text) => text.replace(/p=.*$/, "p=AAAA") }, "malformed-request"],
    [
      "a proof of zeros",
      "SCRAM-SHA-256",
      { tamper: (text) => text.replace(/p=.*$/, `p=${"A".repeat(43)}=`) },
      "not-authorized",
    ],
    ["another hash's proof", "SCRAM-SHA-256", { digest: "sha512" }, "malformed-request"],
    ["a mandatory extension", "SCRAM-SHA-256", { gs2: "n,,m=x," }, "malformed-request"],
    ["a name that is none", "SCRAM-SHA-256", { username: "ro=meo" }, "malformed-request"],
    ["a wrong password", "SCRAM-SHA-256", { password: "wrong" }, "not-authorized"],
  ];

  it.each(attacks)("refuses %s @A6", async (_, mechanism, options, condition) => {
    expect((await attempt(mechanism, options)).step).toEqual({ failure: condition });
  });

  it("takes a name in any form that is the account's @A6 @R8", async () => {
    expect((await attempt("SCRAM-SHA-256", { username: "\uff32OMEO" })).serverProven).toBe(true);
  });

  it("never gives the same nonce twice, and takes no message of an earlier exchange @A6", async () => {
    const simulation = await house();
    let recorded = "";
    const record = (text: string): string => (recorded = text);
    const first = await logIn(remote(simulation, opened(simulation), "SCRAM-SHA-256"), {
      ...honest,
      nonce: "same",
      tamper: record,
    });
    expect(first.serverProven).toBe(true);
    const replayed = await logIn(remote(simulation, opened(simulation), "SCRAM-SHA-256"), {
      ...honest,
      nonce: "same",
      tamper: () => recorded,
    });
    expect(replayed.step).toEqual({ failure: "not-authorized" });
    expect(replayed.challenge).not.toBe(first.challenge);
  });

  it.each([1, 4095, 2 ** 31, -1, 1.5])(
    "relies on no stored keys with %d iterations, and asks nobody to do so many @A6",
    async (iterations) => {
      const simulation = await house();
      const [row] = (await simulation.storage.load(["romeo@localhost"], ["account"])).get("romeo@localhost") ?? [];
      const text = JSON.stringify(row?.doc).replaceAll(/"iterations":\d+/g, `"iterations":${iterations}`);
      await simulation.server.core.committer.commit([
        { op: "put", store: "account", owner: "romeo@localhost", key: "", doc: JSON.parse(text) as { v: number } },
      ]);
      simulation.server.core.accounts.invalidate(JID.parse("romeo@localhost"));
      for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-1"]) {
        const client = opened(simulation);
        const digest = mechanism === "SCRAM-SHA-1" ? "sha1" : "sha256";
        const { step, challenge } = await logIn(remote(simulation, client, mechanism), { ...honest, digest });
        expect(step).toEqual({ failure: "not-authorized" });
        expect(challenge).toMatch(/,i=4096$/);
      }
      const step = await answer(simulation, opened(simulation), auth("PLAIN", `\0romeo\0${PASSWORD}`));
      expect(step).toEqual({ failure: "not-authorized" });
    },
  );

  it("takes no response out of turn, and no second exchange within one @A6", async () => {
    const simulation = await house();
    const early = opened(simulation);
    expect(await answer(simulation, early, `<response xmlns='${SASL}'>AAAA</response>`)).toEqual({
      failure: "malformed-request",
    });
    const twice = opened(simulation);
    expect(await answer(simulation, twice, auth("SCRAM-SHA-256", "n,,n=romeo,r=abc"))).toHaveProperty("challenge");
    twice.send(auth("PLAIN", `\0romeo\0${PASSWORD}`));
    await simulation.settle();
    expect(twice.isEnded).toBe(true);
    expect(twice.heard).not.toContain("<success");
  });

  it("ends the stream after too many failures, and bears an abort @A6 @1.4 @limit.auth_failures", async () => {
    const simulation = await house();
    const client = opened(simulation);
    for (let n = 0; n < 4; n++) {
      await answer(simulation, client, auth("SCRAM-SHA-256", "n,,n=romeo,r=abc"));
      expect(await answer(simulation, client, `<abort xmlns='${SASL}'/>`)).toEqual({ failure: "aborted" });
    }
    client.send(auth("PLAIN", "\0romeo\0wrong"));
    await until(simulation, client, "stream:error");
    expect(client.heard).toMatch(/<not-authorized\/><\/failure><stream:error><policy-violation [^]*<\/stream:stream>$/);
  });
});

describe("an unknown user and a wrong password", () => {
  /** All that two kinds of client hear, without what is random in every exchange. */
  async function heard(simulation: Simulation, user: string, mechanism: string): Promise<string> {
    const client = opened(simulation, new WireClient({ address: "192.0.2.1" }));
    if (mechanism === "PLAIN") await answer(simulation, client, auth("PLAIN", `\0${user}\0wrong`));
    else {
      const digest = ({ "SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512" } as const)[
        mechanism
      ];
      await logIn(remote(simulation, client, mechanism), {
        digest: digest ?? "sha1",
        username: user,
        password: "wrong",
      });
    }
    const challenge = (text: string): string =>
      Buffer.from(text, "base64")
        .toString()
        .replace(/r=[^,]*,s=[\w+/]{22}==/, "r=,s=");
    return client.heard
      .replaceAll(/ id='[\w-]{22}'/g, "")
      .replace(/(<challenge[^>]*>)([^<]*)/, (_, tag: string, text: string) => tag + challenge(text));
  }

  it.each(["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])(
    "hear the same by %s, also when it has been too often @A7 @limit.auth_failures_per_account",
    async (mechanism) => {
      const simulation = await house("[limits]\nauth_failures_per_account = 3");
      for (let n = 0; n < 5; n++) {
        const known = await heard(simulation, "romeo", mechanism);
        const unknown = await heard(simulation, "nobody", mechanism);
        const impossible = await heard(simulation, `no body${n}`, mechanism);
        expect(unknown).toBe(known);
        expect(known).toContain(n < 3 ? "<not-authorized/>" : "<temporary-auth-failure/>");
        expect(impossible).toContain("<not-authorized/>");
      }
    },
  );

  it("are put off, whoever is tried, when it has been too often from one address @1.4 @limit.auth_failures_per_address", async () => {
    const simulation = await house("[limits]\nauth_failures_per_address = 3");
    for (const user of ["romeo", "nobody", "somebody"])
      expect(await heard(simulation, user, "PLAIN")).toContain("<not-authorized/>");
    for (const user of ["romeo", "anybody"])
      expect(await heard(simulation, user, "PLAIN")).toContain("<temporary-auth-failure/>");
  });

  it("cannot be told apart by the iteration count after it was raised @A7", async () => {
    const count = async (simulation: Simulation, user: string): Promise<string> => {
      const step = await answer(simulation, opened(simulation), auth("SCRAM-SHA-256", `n,,n=${user},r=abc`));
      return "challenge" in step ? (/i=(\d+)$/.exec(step.challenge.toString())?.[1] ?? "") : "";
    };
    const before = await house();
    expect(await count(before, "nobody")).toBe("4096");
    await before.server.stop();
    const { disk, clock } = before;
    const raised = await simulate("scram_iterations = 8192", disk, clock);
    const counts = await Promise.all(LETTERS.map((letter) => count(raised, `nobody-${letter}`)));
    expect(await count(raised, "romeo")).toBe("4096");
    expect(new Set(counts)).toEqual(new Set(["4096", "8192"]));
    await raised.server.stop();
    const again = await simulate("scram_iterations = 8192", disk, clock);
    expect(await Promise.all(LETTERS.map((letter) => count(again, `nobody-${letter}`)))).toEqual(counts);
  });

  it("get salts that look alike and stay the same, over attempts and restarts @A7", async () => {
    const salts = async (simulation: Simulation): Promise<readonly (string | undefined)[]> => {
      const of = async (user: string): Promise<string | undefined> => {
        const step = await answer(simulation, opened(simulation), auth("SCRAM-SHA-256", `n,,n=${user},r=abc`));
        return "challenge" in step ? /s=([^,]*),i=4096$/.exec(step.challenge.toString())?.[1] : undefined;
      };
      return [await of("romeo"), await of("nobody"), await of("nobody else")];
    };
    const simulation = await house();
    const first = await salts(simulation);
    expect(first.map((salt) => salt?.length)).toEqual([24, 24, 24]);
    expect(new Set(first).size).toBe(3);
    expect(await salts(simulation)).toEqual(first);
    expect(await salts(await simulation.restart())).toEqual(first);
  });
});
