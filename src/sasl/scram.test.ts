import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { ChannelBindingType } from "./channel-binding.js";
import {
  bytesReading,
  contextWith,
  counting,
  ITERATIONS,
  logIn,
  type Outcome,
  type Work,
} from "./client.test.support.js";
import { type Credentials, deriveCredentials } from "./credentials.js";
import type { Mechanism, SaslContext, SaslStep } from "./mechanism.js";
import { createMechanism, offeredMechanisms } from "./mechanisms.js";

const EXPORTER = Buffer.from("exported keying material");
const END_POINT = Buffer.from("hash of the certificate");
const BINDINGS = new Map<ChannelBindingType, Buffer>([
  ["tls-exporter", EXPORTER],
  ["tls-server-end-point", END_POINT],
]);
const PLUS = {
  channelBindings: BINDINGS,
  offered: offeredMechanisms({ secure: true, requireTls: true, channelBindings: BINDINGS, anonymous: false }),
};
const NOT_AUTHORIZED: SaslStep = { failure: "not-authorized" };
const MALFORMED: SaslStep = { failure: "malformed-request" };

let juliet: Credentials;
let accounts: Readonly<Record<string, Credentials>>;
beforeAll(async () => {
  juliet = await deriveCredentials("wherefore art thou", ITERATIONS, randomBytes);
  accounts = { juliet };
});

interface Vector {
  readonly name: string;
  readonly salt: string;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly proof: string;
  readonly signature: string;
}

const VECTORS: readonly Vector[] = [
  {
    name: "SCRAM-SHA-1", // RFC 5802 §5
    salt: "QSXCR+Q6sek8bf92",
    clientNonce: "fyko+d2lbbFgONRv9qkxdawL",
    serverNonce: "3rfcNHYJY1ZVvWVs7j",
    proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    name: "SCRAM-SHA-256", // RFC 7677 §3
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    clientNonce: "rOprNGfwEbeRWgbNEkqO",
    serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
];

describe("SCRAM", () => {
  it.each(VECTORS)("$name exchanges the messages printed in its RFC @1.4", async (vector) => {
    const user = await deriveCredentials("pencil", 4096, () => Buffer.from(vector.salt, "base64"));
    const context = contextWith({ user }, { randomBytes: () => bytesReading(vector.serverNonce) });
    const mechanism = created(vector.name, context);
    const nonce = vector.clientNonce + vector.serverNonce;
    const first = await mechanism.start(Buffer.from(`n,,n=user,r=${vector.clientNonce}`));
    expect(first).toEqual({ challenge: Buffer.from(`r=${nonce},s=${vector.salt},i=4096`) });
    const last = await mechanism.next(Buffer.from(`c=biws,r=${nonce},p=${vector.proof}`));
    expect(last).toEqual({ success: "user", extra: Buffer.from(`v=${vector.signature}`) });
  });

  it.each([
    ["SCRAM-SHA-1", "sha1"],
    ["SCRAM-SHA-256", "sha256"],
    ["SCRAM-SHA-512", "sha512"],
  ] as const)(
    "%s and its -PLUS form let the right password in, with either channel binding @1.4",
    async (name, digest) => {
      const client = { digest, username: "Juliet", password: "wherefore art thou" };
      const ways = [
        await logIn(createMechanism(name, contextWith(accounts)), client),
        await logIn(createMechanism(name, contextWith(accounts)), { ...client, gs2: "y,," }),
        await logIn(createMechanism(name, contextWith(accounts, PLUS)), client),
        await logIn(createMechanism(`${name}-PLUS`, contextWith(accounts, PLUS)), {
          ...client,
          gs2: "p=tls-exporter,,",
          binding: EXPORTER,
        }),
        await logIn(createMechanism(`${name}-PLUS`, contextWith(accounts, PLUS)), {
          ...client,
          gs2: "p=tls-server-end-point,a=juliet@localhost,",
          binding: END_POINT,
        }),
      ];
      for (const outcome of ways) expect(outcome).toMatchObject({ step: { success: "juliet" }, serverProven: true });
    },
  );

  it.each([
    ["right", "wherefore art thou", "success"],
    ["wrong", "art thou wherefore", "failure"],
  ])(
    "answers the independent client sasl-scram-sha-1 with a %s password by %s @1.4",
    async (_how, password, result) => {
      const client = independentClient();
      const mechanism = created("SCRAM-SHA-1", contextWith(accounts));
      const first = await mechanism.start(Buffer.from(await client.response({ username: "juliet", password })));
      if (!("challenge" in first)) throw new Error("no challenge");
      client.challenge(first.challenge.toString());
      const last = await mechanism.next(Buffer.from(await client.response({ username: "juliet", password })));
      expect(last).toHaveProperty(result);
    },
  );

  it("asks for the first message when there was no initial response @1.4", async () => {
    const mechanism = created("SCRAM-SHA-256", contextWith(accounts));
    expect(await mechanism.start()).toEqual({ challenge: Buffer.alloc(0) });
    expect(await mechanism.next(Buffer.from("n,,n=juliet,r=abc"))).toHaveProperty("challenge");
  });

  it("logs a user in under names with commas and equals signs, escaped @1.4", async () => {
    const context = contextWith({ "a,b=c": juliet });
    const outcome = await attempt(context, { username: "a=2Cb=3Dc" });
    expect(outcome.step).toMatchObject({ success: "a,b=c" });
  });

  it("takes an empty authzid as none, as GNU SASL sends it @1.4", async () => {
    expect((await attempt(contextWith(accounts), { gs2: "n,a=," })).step).toMatchObject({ success: "juliet" });
  });

  it("normalises a Unicode name before it is looked up @1.4 @A6", async () => {
    const outcome = await attempt(contextWith({ "jos\u00e9": juliet }), { username: "JOSE\u0301" });
    expect(outcome.step).toMatchObject({ success: "jos\u00e9" });
  });

  it("makes a new nonce for each exchange and takes each only once @A6", async () => {
    const mechanism = created("SCRAM-SHA-256", contextWith(accounts));
    const again = created("SCRAM-SHA-256", contextWith(accounts));
    const first = Buffer.from("n,,n=juliet,r=abc");
    expect(await mechanism.start(first)).not.toEqual(await again.start(first));
    await mechanism.next(Buffer.from("c=biws,r=abc,p=AAAA"));
    expect(await mechanism.next(Buffer.from("c=biws,r=abc,p=AAAA"))).toEqual(MALFORMED);
    expect(await mechanism.start(first)).toEqual(MALFORMED);
  });
});

describe("SCRAM refuses", () => {
  it.each<[string, SaslStep, string]>([
    ["nothing", MALFORMED, ""],
    ["no header", MALFORMED, "n=juliet,r=abc"],
    ["an unknown flag", MALFORMED, "x,,n=juliet,r=abc"],
    ["the old flag F", MALFORMED, "F,n,,n=juliet,r=abc"],
    ["a mandatory extension", MALFORMED, "n,,m=ext,n=juliet,r=abc"],
    ["a mandatory extension at the end", MALFORMED, "n,,n=juliet,r=abc,m=ext"],
    ["no nonce", MALFORMED, "n,,n=juliet"],
    ["an empty nonce", MALFORMED, "n,,n=juliet,r="],
    ["a nonce with a space", MALFORMED, "n,,n=juliet,r=a b"],
    ["an empty name", MALFORMED, "n,,n=,r=abc"],
    ["a wrongly escaped name", MALFORMED, "n,,n=ju=liet,r=abc"],
    ["a channel binding without -PLUS", MALFORMED, "p=tls-exporter,,n=juliet,r=abc"],
    ["another user's authzid", { failure: "invalid-authzid" }, "n,a=romeo@localhost,n=juliet,r=abc"],
    ["another host's authzid", { failure: "invalid-authzid" }, "n,a=juliet@example.net,n=juliet,r=abc"],
    ["a full JID as authzid", { failure: "invalid-authzid" }, "n,a=juliet@localhost/x,n=juliet,r=abc"],
    ["an authzid that is no JID", { failure: "invalid-authzid" }, "n,a=@,n=juliet,r=abc"],
  ])("%s in the first message @1.4 @A6 @A5", async (_what, step, message) => {
    expect(await created("SCRAM-SHA-256", contextWith(accounts)).start(Buffer.from(message))).toEqual(step);
  });

  it("bytes that are not UTF-8 @A6", async () => {
    const message = Buffer.concat([Buffer.from("n,,n="), Buffer.from([0xff]), Buffer.from(",r=abc")]);
    expect(await created("SCRAM-SHA-256", contextWith(accounts)).start(message)).toEqual(MALFORMED);
  });

  it.each<[string, SaslStep, (final: string) => string]>([
    ["an empty proof", MALFORMED, (final) => final.replace(/p=.*/, "p=")],
    ["no proof", MALFORMED, (final) => final.replace(/,p=.*/, "")],
    ["a short proof", MALFORMED, (final) => final.replace(/p=.*/, "p=AAAA")],
    ["a proof that is not base64", { failure: "incorrect-encoding" }, (final) => final.replace(/p=.*/, "p=%%%%")],
    ["a binding that is not base64", { failure: "incorrect-encoding" }, (final) => final.replace("c=biws", "c=bi s")],
    ["a proof of zeros", NOT_AUTHORIZED, (final) => final.replace(/p=.*/, `p=${Buffer.alloc(32).toString("base64")}`)],
    ["another nonce", NOT_AUTHORIZED, (final) => final.replace(/r=[^,]*/, "r=other")],
    ["a nonce cut short", NOT_AUTHORIZED, (final) => final.replace(/(r=[^,]*)[^,],/, "$1,")],
    ["another header than at first", NOT_AUTHORIZED, (final) => final.replace("c=biws", "c=eSws")],
    ["an extension the proof does not cover", NOT_AUTHORIZED, (final) => final.replace(",p=", ",x=y,p=")],
    ["a mandatory extension", MALFORMED, (final) => final.replace(",p=", ",m=y,p=")],
  ])("%s in the last message @1.4 @A6", async (_what, step, tamper) => {
    expect((await attempt(contextWith(accounts), { tamper })).step).toEqual(step);
  });

  it("the flag y where -PLUS was offered: somebody took it out of the features @1.4 @A6", async () => {
    expect((await attempt(contextWith(accounts, PLUS), { gs2: "y,," })).step).toEqual(NOT_AUTHORIZED);
  });

  it.each<[string, SaslStep, string, Buffer]>([
    ["no binding flag", MALFORMED, "n,,", EXPORTER],
    ["the flag y", MALFORMED, "y,,", EXPORTER],
    ["an unknown type", MALFORMED, "p=tls-unique,,", EXPORTER],
    ["a type named like a property", MALFORMED, "p=constructor,,", EXPORTER],
    ["the data of another type", NOT_AUTHORIZED, "p=tls-server-end-point,,", EXPORTER],
    ["the data of another connection", NOT_AUTHORIZED, "p=tls-exporter,,", Buffer.from("other keying material")],
    ["no data", NOT_AUTHORIZED, "p=tls-exporter,,", Buffer.alloc(0)],
  ])("%s with -PLUS @1.4 @A6", async (_what, step, gs2, binding) => {
    const context = contextWith(accounts, PLUS);
    expect((await attempt(context, { gs2, binding }, "SCRAM-SHA-256-PLUS")).step).toEqual(step);
  });

  it("keys with too few iterations, as if the account had none @A6", async () => {
    const keys = juliet.scram?.["sha-256"];
    if (keys === undefined) throw new Error("no keys");
    const weak: Credentials = { scram: { "sha-256": { ...keys, iterations: 1 } } };
    const outcome = await attempt(contextWith({ juliet: weak }), {});
    expect(outcome.challenge).toMatch(/,i=4096$/);
    expect(outcome.step).toEqual(NOT_AUTHORIZED);
  });

  it.each([1, 4095, 1_000_001, 2 ** 31, 4096.5, NaN])("to make keys with %d iterations @A6", async (iterations) => {
    await expect(deriveCredentials("secret", iterations, randomBytes)).rejects.toThrow(RangeError);
  });
});

describe("an unknown user", () => {
  const cases = [
    ["unknown user", "romeo", "wherefore art thou"],
    ["wrong password", "juliet", "wrong"],
    ["name no account can have", "no such\u265a", "wrong"],
  ] as const;

  it.each(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])("costs %s the same work @1.4 @A7", async (name) => {
    const digest = name.toLowerCase().replace(/scram|-/g, "") as "sha1" | "sha256" | "sha512";
    const seen = [];
    for (const [, username, password] of cases) {
      const work: Work = { derive: 0, hmac: 0, hash: 0 };
      const context = contextWith(accounts, { crypto: counting(work) });
      const { step, challenge } = await logIn(createMechanism(name, context), { digest, username, password });
      seen.push({ work, step, shape: challenge?.replace(/[^,=]+(?=,s=)|(?<=s=)[A-Za-z0-9+/]+/g, "…") });
    }
    expect(seen[0]?.work).toEqual({ derive: 0, hmac: 6, hash: 1 });
    expect(seen[0]?.step).toEqual(NOT_AUTHORIZED);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });

  it("has one salt for ever, another than each other name and hash @1.4 @A7", async () => {
    const salt = async (
      username: string,
      name = "SCRAM-SHA-256",
      changes: Partial<SaslContext> = {},
    ): Promise<string> => {
      const first = await created(name, contextWith(accounts, changes)).start(Buffer.from(`n,,n=${username},r=abc`));
      return "challenge" in first ? (/s=([^,]*)/.exec(first.challenge.toString())?.[1] ?? "") : "";
    };
    expect(await salt("romeo")).toBe(await salt("Romeo"));
    const others = [await salt("romeo"), await salt("nurse"), await salt("romeo", "SCRAM-SHA-1"), await salt("juliet")];
    const elsewhere = await salt("romeo", "SCRAM-SHA-256", { fakeSecret: Buffer.from("another installation") });
    expect(new Set([...others, elsewhere]).size).toBe(5);
    expect(new Set(others.map((each) => each.length)).size).toBe(1);
  });

  it("has one of the iteration counts that accounts may have, and keeps it or moves to a new one @1.4 @A7", async () => {
    const names = Array.from({ length: 40 }, (_, at) => `nobody${at}`);
    const count = async (
      username: string,
      iterationCounts: readonly number[],
      name = "SCRAM-SHA-256",
    ): Promise<string> => {
      const context = contextWith(accounts, { iterationCounts });
      const first = await created(name, context).start(Buffer.from(`n,,n=${username},r=abc`));
      return "challenge" in first ? (/i=(\d+)$/.exec(first.challenge.toString())?.[1] ?? "") : "";
    };
    const moves = new Set<string>();
    for (const name of names) {
      const now = await count(name, [4096, 10_000, 20_000]);
      moves.add(`${await count(name, [4096, 10_000])} ${now}`);
      expect(await count(name, [4096, 10_000, 20_000], "SCRAM-SHA-1")).toBe(now);
    }
    expect([...moves].sort()).toEqual(["10000 10000", "10000 20000", "4096 20000", "4096 4096"]);
  });

  it("counts as a failure for the claimed name, as a wrong password does @1.4 @A7", async () => {
    const failed: string[] = [];
    const attempts = {
      mayTry: () => true,
      failed: (name: string) => void failed.push(name),
      succeeded: () => undefined,
    };
    for (const [, username, password] of cases)
      await attempt(contextWith(accounts, { attempts }), { username, password });
    expect(failed).toEqual(["romeo", "juliet", "no such\u265a"]);
  });
});

it("SCRAM answers temporary-auth-failure when the budget is spent, before and after the challenge @1.4", async () => {
  const spent = { failed: () => undefined, succeeded: () => undefined };
  const never = contextWith(accounts, { attempts: { ...spent, mayTry: () => false } });
  expect((await attempt(never, {})).step).toEqual({ failure: "temporary-auth-failure" });
  let left = 1;
  const once = contextWith(accounts, { attempts: { ...spent, mayTry: () => left-- > 0 } });
  const outcome = await attempt(once, {});
  expect(outcome.challenge).toBeDefined();
  expect(outcome.step).toEqual({ failure: "temporary-auth-failure" });
});

function created(name: string, context: SaslContext): Mechanism {
  const mechanism = createMechanism(name, context);
  if (mechanism === undefined) throw new Error(`${name} is not offered`);
  return mechanism;
}

function attempt(
  context: SaslContext,
  changes: Partial<Parameters<typeof logIn>[1]>,
  name = "SCRAM-SHA-256",
): Promise<Outcome> {
  const usual = { digest: "sha256", username: "juliet", password: "wherefore art thou" } as const;
  return logIn(createMechanism(name, context), { ...usual, ...changes });
}

interface IndependentClient {
  response(credentials: { username: string; password: string }): string | Promise<string>;
  challenge(text: string): unknown;
}

function independentClient(): IndependentClient {
  const Client = createRequire(import.meta.url)("sasl-scram-sha-1") as new () => IndependentClient;
  return new Client();
}
